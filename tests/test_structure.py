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


def test_every_folder_of_modules_has_its_tests_in_the_folder_of_its_name():
    folders = {path.parent for path in SOURCES if path.name not in {"__init__.py", "__main__.py"}}
    mirrored = {folder: ROOT / "tests" / folder.relative_to(PACKAGE) for folder in folders}
    lacking = [str(folder.relative_to(ROOT)) for folder, tests in mirrored.items() if not list(tests.glob("test_*.py"))]
    assert not lacking, f"no tests where one looks for them: {', '.join(sorted(lacking))}"


def test_every_folder_of_tests_mirrors_a_folder_of_modules():
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    strange = sorted(str(folder) for folder in folders if not (PACKAGE / folder).is_dir())
    assert not strange, f"tests of no folder of benchsuite: {', '.join(strange)}"


COMMANDS = PACKAGE / "cli"  # their docstrings are the commands' help, in which each option says what it is for


@pytest.mark.parametrize("path", [each for each in SOURCES if COMMANDS not in each.parents], ids=module_of)
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
