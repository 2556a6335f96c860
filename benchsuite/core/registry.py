"""Names to classes: built-in spaces and estimators, those of installed plug-ins, and those of a --plugin file.

Listing reads entry-point metadata and imports nothing; a class is imported when it is asked for.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from dataclasses import fields, is_dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchsuite.core.errors import SuiteError, UnknownNameError, UnsupportedError
from benchsuite.core.identity import seed_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchsuite.core.space import Space
    from benchsuite.estimators.base import Estimator

Kind = Literal["space", "estimator"]
_GROUPS: dict[Kind, str] = {"space": "benchsuite.spaces", "estimator": "benchsuite.estimators"}
_plugins: dict[Path, dict[str, type[Estimator]]] = {}


def _entries(kind: Kind) -> dict[str, list[EntryPoint]]:
    """Entry points by name; the same value found twice on the path (a wheel beside its checkout) counts once."""
    found: dict[str, dict[str, EntryPoint]] = {}
    for entry in entry_points(group=_GROUPS[kind]):
        found.setdefault(entry.name, {})[entry.value] = entry
    return {name: list(by_value.values()) for name, by_value in found.items()}


def names(kind: Kind) -> list[str]:
    """Registered names of a kind, sorted; nothing is imported."""
    loaded = {name for classes in _plugins.values() for name in classes} if kind == "estimator" else set()
    return sorted({*_entries(kind), *loaded})


def load(kind: Kind, name: str) -> type:
    """The class registered under a name.

    Raises UnknownNameError with a suggestion, SuiteError if two packages claim the name or its package is broken.
    """
    for classes in _plugins.values():
        if kind == "estimator" and name in classes:
            return classes[name]
    claims = _entries(kind).get(name)
    if not claims:
        raise UnknownNameError(kind, name, names(kind))
    if len(claims) > 1:
        owners = " and ".join(sorted(entry.value for entry in claims))
        raise SuiteError(f"the {kind} name {name!r} is claimed by {owners}; uninstall one of the packages")
    try:
        loaded: type = claims[0].load()
    except Exception as error:  # a plug-in's import can raise anything; the reason goes to the user
        reason = f"{type(error).__name__}: {error}"
        raise SuiteError(f"the {kind} {name!r} ({claims[0].value}) cannot be loaded: {reason}") from error
    return loaded


def from_parameters(what: str, cls: Any, parameters: Mapping[str, Any]) -> Any:
    """An object of a dataclass with the given parameters; a table changes the default that it belongs to.

    Raises
    ------
    UnknownNameError
        If a parameter is unknown; `what` is how the message names the object.
    SuiteError
        If a parameter that is a table is given otherwise.
    """
    return cls(**_checked(what, cls, parameters))


def _configured(kind: Kind, name: str, parameters: Mapping[str, Any]) -> Any:
    return from_parameters(f"{kind} {name!r}", load(kind, name), parameters)


def _checked(what: str, cls: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a dataclass, those in a table of their own put into the default that they belong to."""
    defaults = {item.name: item.default for item in fields(cls)}
    found = dict(parameters)
    for key, value in parameters.items():
        if key not in defaults:
            raise UnknownNameError(f"parameter of {what}", key, defaults)
        default = defaults[key]
        if is_dataclass(default) and not isinstance(default, type):
            if not isinstance(value, dict):
                raise SuiteError(f"{what}: {key} = {value!r}; give a table, such as {key} = {{...}}")
            found[key] = replace(default, **_checked(f"{what}, {key}", default, value))
    return found


def make_estimator(name: str, parameters: Mapping[str, Any] | None = None) -> Estimator:
    """The named estimator with the given hyperparameters; UnknownNameError names what is misspelt."""
    estimator: Estimator = _configured("estimator", name, parameters or {})
    return estimator


def make_space(name: str, sizes: Mapping[str, int] | None = None) -> Space:
    """The named space with the given sizes of its macro network."""
    space: Space = _configured("space", name, sizes or {})
    return space


def load_plugin(path: str | Path) -> list[str]:
    """Run a plug-in file once in this process; the names of the estimators that it defines.

    Raises SuiteError if the file is missing, broken, defines no estimator, or takes a name that is already known.
    """
    file = Path(path).resolve()
    if file in _plugins:
        return list(_plugins[file])
    if not file.is_file():
        raise SuiteError(f"no plug-in file at {path}; give the path of a Python file that defines an estimator")
    classes = _classes_of(_module_of(file))
    if not classes:
        raise SuiteError(f"{path} defines no estimator with a name; derive a class from ZeroShotEstimator and name it")
    taken = sorted(set(classes) & set(names("estimator")))
    if taken:
        raise SuiteError(f"{path} defines {taken[0]!r}, a name that is already taken; choose another")
    _plugins[file] = classes
    return list(classes)


def plugin_digest(name: str) -> str | None:
    """sha256 of the plug-in file that defines an estimator; None for an installed one."""
    for file, classes in _plugins.items():
        if name in classes:
            return hashlib.sha256(file.read_bytes()).hexdigest()
    return None


def _module_of(file: Path) -> Any:
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


def _classes_of(module: Any) -> dict[str, type[Estimator]]:
    from benchsuite.estimators.base import Estimator  # noqa: PLC0415 - keeps listing free of the estimator layer

    defined = (item for item in vars(module).values() if isinstance(item, type) and issubclass(item, Estimator))
    return {item.name: item for item in defined if item.__module__ == module.__name__ and "name" in vars(item)}


def spaces() -> list[str]:
    """Names of the registered search spaces."""
    return names("space")


def estimators() -> list[str]:
    """Names of the registered estimators."""
    return names("estimator")


def load_space(name: str) -> Space:
    """The named search space at its standard sizes; UnknownNameError with a suggestion for another name."""
    return make_space(name)


def broken() -> dict[str, str]:
    """Registered names that cannot be loaded, with the reason: what `benchsuite doctor` prints."""
    problems = {}
    for kind in _GROUPS:
        for name in names(kind):
            try:
                load(kind, name)
            except (SuiteError, UnsupportedError) as error:
                problems[f"{kind} {name}"] = str(error)
    return problems
