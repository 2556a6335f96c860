"""Names to what is registered: built in, by installed packages through entry points, and by plug-in files.

Listing reads entry-point metadata and imports nothing; what a name stands for is imported when it is asked for.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from benchsuite.core.errors import SuiteError, UnknownNameError, UnsupportedError
from benchsuite.core.identity import seed_of
from benchsuite.core.settings import from_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from benchsuite.core.space import Space

Registered: TypeAlias = Any  # a class, or the module of a section: the room that uses a kind knows its type


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of things is registered.

    A plug-in file registers each class that says the kind's name in its attribute `registered_as`, under the class's
    `name`.

    Attributes
    ----------
    group
        Group of the entry points of installed packages.
    module
        Attributes by which a whole plug-in file is one of the kind, under the file's own name; none if only classes
        are.
    """

    group: str
    module: tuple[str, ...] = ()


KINDS = {
    "space": Kind("benchsuite.spaces"),
    "estimator": Kind("benchsuite.estimators"),
    "section": Kind("benchsuite.sections", module=("TITLE", "tables", "parts")),
}
_plugins: dict[Path, dict[str, dict[str, Registered]]] = {}  # by file, kind and name


@cache
def _entries(kind: str) -> dict[str, list[EntryPoint]]:
    """Return entry points by name; the same value found twice on the path (a wheel beside its checkout) counts once."""
    found: dict[str, dict[str, EntryPoint]] = {}
    for entry in entry_points(group=KINDS[kind].group):
        found.setdefault(entry.name, {})[entry.value] = entry
    return {name: list(by_value.values()) for name, by_value in found.items()}


def _from_plugins(kind: str) -> dict[str, Registered]:
    return {name: item for defined in _plugins.values() for name, item in defined.get(kind, {}).items()}


def names(kind: str) -> list[str]:
    """Return the registered names of a kind, sorted; nothing is imported.

    Parameters
    ----------
    kind
        One of `KINDS`.
    """
    return sorted({*_entries(kind), *_from_plugins(kind)})


def load(kind: str, name: str) -> Registered:
    """Import and return what is registered under a name.

    Parameters
    ----------
    kind
        One of `KINDS`.
    name
        A name of that kind.

    Raises
    ------
    UnknownNameError
        If there is no such name; the message suggests one.
    SuiteError
        If two packages claim the name, or its package is broken.
    """
    defined = _from_plugins(kind)
    if name in defined:
        return defined[name]
    claims = _entries(kind).get(name)
    if not claims:
        raise UnknownNameError(kind, name, names(kind))
    if len(claims) > 1:
        owners = " and ".join(sorted(entry.value for entry in claims))
        raise SuiteError(f"the {kind} name {name!r} is claimed by {owners}; uninstall one of the packages")
    try:
        return claims[0].load()
    except Exception as error:  # a plug-in's import can raise anything; the reason goes to the user
        reason = f"{type(error).__name__}: {error}"
        raise SuiteError(f"the {kind} {name!r} ({claims[0].value}) cannot be loaded: {reason}") from error


def make_estimator(name: str, parameters: Mapping[str, Any] | None = None) -> Any:
    """Make an estimator of its name and hyperparameters.

    Parameters
    ----------
    name
        A registered name.
    parameters
        Hyperparameters that differ from their defaults.

    Returns
    -------
    Estimator
        A frozen object of the named class.

    Raises
    ------
    UnknownNameError
        If the name or a hyperparameter is unknown; the message suggests one.
    """
    return from_parameters(f"estimator {name!r}", load("estimator", name), parameters or {})


def make_space(name: str, sizes: Mapping[str, int] | None = None) -> Space:
    """Make a search space of its name and the sizes of its macro network.

    Parameters
    ----------
    name
        A registered name.
    sizes
        Sizes that differ from the standard ones.

    Returns
    -------
    Space
        The space.
    """
    space: Space = from_parameters(f"space {name!r}", load("space", name), sizes or {})
    return space


def load_plugin(path: str | Path) -> dict[str, list[str]]:
    """Run a plug-in file once in this process and register what it defines.

    Parameters
    ----------
    path
        A Python file that defines estimators or spaces, each a class with a name, or that is a section of the report.

    Returns
    -------
    dict of list of str
        Names of what the file defines, by kind; every kind is there.

    Raises
    ------
    SuiteError
        If the file is missing, broken, defines nothing, or takes a name that is already known.
    """
    file = Path(path).resolve()
    if file not in _plugins:
        if not file.is_file():
            raise SuiteError(f"{path} does not exist; give the path of a Python file that defines an estimator")
        defined = _defined_in(_module_of(file), file.stem)
        if not any(defined.values()):
            raise SuiteError(
                f"{path} defines no estimator, space or section: derive a class from a family, such as "
                f"ZeroShotEstimator, and name it; or define {', '.join(KINDS['section'].module)}"
            )
        for kind, items in defined.items():
            for name in sorted(set(items) & set(names(kind))):
                raise SuiteError(f"{path} defines {name!r}, a name that is already taken; choose another")
        _plugins[file] = defined
    return {kind: list(items) for kind, items in _plugins[file].items()}


def plugin_digest(kind: str, name: str) -> str | None:
    """Return the sha256 of the plug-in file that defines a name, None if an installed package does.

    Parameters
    ----------
    kind
        One of `KINDS`.
    name
        A name of that kind.
    """
    for file, defined in _plugins.items():
        if name in defined.get(kind, {}):
            return hashlib.sha256(file.read_bytes()).hexdigest()
    return None


def _module_of(file: Path) -> ModuleType:
    module_name = f"benchsuite_plugin_{seed_of(str(file)):x}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise SuiteError(f"{file} is not a Python file; give the path of one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses look their module up while the file runs
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the plug-in is the user's code and can raise anything
        del sys.modules[module_name]
        raise SuiteError(f"the plug-in {file} cannot be run: {type(error).__name__}: {error}") from error
    return module


def _defined_in(module: ModuleType, stem: str) -> dict[str, dict[str, Registered]]:
    """Return what a plug-in file defines, by kind and name; what it imports is not its own."""
    found: dict[str, dict[str, Registered]] = {kind: {} for kind in KINDS}
    for item in vars(module).values():
        kind = getattr(item, "registered_as", None)
        own = isinstance(item, type) and item.__module__ == module.__name__
        if kind in KINDS and own and "name" in vars(item):
            found[kind][vars(item)["name"]] = item
    for kind, rules in KINDS.items():
        if rules.module and all(hasattr(module, attribute) for attribute in rules.module):
            found[kind][stem] = module
    return found


def spaces() -> list[str]:
    """Return the names of the registered search spaces."""
    return names("space")


def estimators() -> list[str]:
    """Return the names of the registered estimators."""
    return names("estimator")


def load_space(name: str) -> Space:
    """Return the named search space at its standard sizes.

    Parameters
    ----------
    name
        One of `spaces()`; UnknownNameError suggests one for another name.
    """
    return make_space(name)


def broken() -> dict[str, str]:
    """Return why registered names cannot be loaded, by kind and name: what `benchsuite doctor` prints."""
    problems = {}
    for kind in KINDS:
        for name in names(kind):
            try:
                load(kind, name)
            except (SuiteError, UnsupportedError) as error:
                problems[f"{kind} {name}"] = str(error)
    return problems
