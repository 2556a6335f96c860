"""The construction of the package: imports without circles, tests that mirror modules, docstrings, words."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from banned_words import BANNED, BANNED_WHERE_SHOWN, EXCEPTIONS
from numpydoc.hooks.validate_docstrings import parse_config, process_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from banned_words import Banned

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "benchsuite"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# Modules without logic of their own, and where what they hold is tested.
WITHOUT_TESTS = {
    "benchsuite/__main__.py": "one call of the command line",
    "benchsuite/core/arrays.py": "names of types",
}


def module_of(path: Path) -> str:
    """Name of the module in a file; a package's is that of its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, modules: set[str]) -> set[str]:
    """Modules of the package that a file imports anywhere, for types too: the innermost that is named."""
    module, found = module_of(path), set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {name if name in modules else base for name in (f"{base}.{alias.name}" for alias in node.names)}
    return (found & modules) - {module}


def circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one module (Tarjan, SIAM Journal on Computing 1, 1972)."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(module: str) -> None:
        index[module] = lowest[module] = len(index)
        stack.append(module)
        for other in sorted(imports[module]):
            if other not in index:
                visit(other)
            if other in stack:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == index[module]:
            circle = [stack.pop()]
            while circle[-1] != module:
                circle.append(stack.pop())
            if len(circle) > 1:
                found.append(sorted(circle))

    for module in sorted(imports):
        if module not in index:
            visit(module)
    return found


def test_circles_are_found_and_lines_are_none():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"a", "f"}, "f": {"e"}}) == [
        ["a", "b", "c"],
        ["e", "f"],
    ]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_no_module_imports_itself_through_others_not_even_for_types():
    modules = {module_of(path) for path in SOURCES}
    found = circles({module_of(path): imported(path, modules) for path in SOURCES})
    assert not found, "circles of imports: " + "; ".join(" <-> ".join(circle) for circle in found)


def has_tests(path: Path, modules: set[str]) -> bool:
    """Whether the tests of a/b.py are found in tests/a: in test_b.py, or in another file there that imports a.b."""
    folder = ROOT / "tests" / path.relative_to(PACKAGE).parent
    if path.name == "__init__.py":
        return True  # what a package exports is tested where it is defined
    named = folder / f"test_{path.stem.strip('_')}.py"
    return named.is_file() or any(module_of(path) in imported(each, modules) for each in folder.glob("test_*.py"))


def test_every_module_has_its_tests_where_one_looks_for_them():
    modules = {module_of(path) for path in SOURCES}
    lacking = {str(path.relative_to(ROOT)) for path in SOURCES if not has_tests(path, modules)} - set(WITHOUT_TESTS)
    assert not lacking, f"no test file for {len(lacking)} modules: " + ", ".join(sorted(lacking))


def test_modules_without_tests_exist_and_have_none():
    modules = {module_of(path) for path in SOURCES}
    for name in WITHOUT_TESTS:
        assert (ROOT / name).is_file(), f"{name} is gone; take it off the list"
        assert not has_tests(ROOT / name, modules), f"{name} has tests now; take it off the list"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_docstrings_of_public_objects_describe_parameters_and_what_is_returned(path):
    found = [f"{where} {name}: {problem}" for where, name, _, problem in process_file(path, parse_config(ROOT))]
    assert not found, "\n".join(found)


def sentences(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Line, text, and whether it is a docstring, of all that a reader of a file may meet: strings, or its lines."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from ((number, line, False) for number, line in enumerate(text.splitlines(), 1))
        return
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {id(node.body[0].value) for node in nodes if isinstance(node, documented) and ast.get_docstring(node)}
    inside = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.lineno, node.value, id(node) in docstrings
        elif isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(parts), False


def allowed(entry: Banned, path: Path) -> bool:
    name = path.relative_to(ROOT).as_posix()
    return any(entry.example == example and re.fullmatch(files, name) for example, files, _ in EXCEPTIONS)


def found_in(path: Path) -> Iterator[str]:
    """What is banned in a file, with its line and the words to use; names without a space are not sentences."""
    everywhere, shown = ([entry for entry in each if not allowed(entry, path)] for each in (BANNED, BANNED_WHERE_SHOWN))
    for line, text, documents in sentences(path):
        for entry in everywhere if documents else [*everywhere, *shown]:
            match = entry.pattern.search(text) if " " in text.strip() else None
            if match:
                at = line + text.count("\n", 0, match.start())
                yield f"{path.relative_to(ROOT)}:{at}: {' '.join(match.group().split())!r}; write: {entry.instead}"


TEXTS = [
    *SOURCES,
    *sorted(path for path in PACKAGE.rglob("*") if path.suffix in {".html", ".js", ".md", ".tex", ".j2"}),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "reports/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("entry", [*BANNED, *BANNED_WHERE_SHOWN], ids=lambda entry: entry.example)
def test_banned_words_are_recognised(entry):
    assert entry.pattern.search(entry.example)
    assert not entry.pattern.search(entry.instead)


def test_exceptions_name_patterns_and_files_that_are_there():
    examples = {entry.example for entry in [*BANNED, *BANNED_WHERE_SHOWN]}
    names = [path.relative_to(ROOT).as_posix() for path in TEXTS]
    for example, files, _ in EXCEPTIONS:
        assert example in examples
        assert any(re.fullmatch(files, name) for name in names), files


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_readers_meet_no_private_words(path):
    found = list(found_in(path))
    assert not found, "\n".join(found)
