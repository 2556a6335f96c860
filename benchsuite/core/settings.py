"""Hyperparameters of estimators and trainings, and sizes of spaces: dataclasses made of a user's tables, and checked.

The annotation of a field says what it allows: its type, its range (`annotated_types`) and its choices (`Literal`). A
method `check()` of the dataclass can add rules between fields; it raises a BenchsuiteError. Values are checked, never
changed: 1 given for a float stays 1, so that the keys of recipes stay what they were. A field whose annotation cannot
be resolved, such as one imported for type checks only, is not checked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from benchsuite.core.errors import BenchsuiteError, SuiteError, UnknownNameError, UnsupportedError
from benchsuite.core.expected import annotations_of, expected, shown

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_PLAIN = "a number, text, true or false, or a list or table of these"


def from_parameters(what: str, cls: Any, parameters: Mapping[str, Any]) -> Any:
    """Return an object of a dataclass with the given parameters, which are checked.

    Parameters
    ----------
    what
        How messages name the object, such as "estimator 'synflow'".
    cls
        The dataclass.
    parameters
        Values by field; a table changes those of the default that it belongs to.

    Raises
    ------
    UnknownNameError
        If the dataclass has no such field; the message suggests one.
    SuiteError
        If a value is not allowed, by itself or together with others, or a field without a default is not given.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Fit:
    ...     rate: float = 0.1
    ...     log: bool = False
    >>> from_parameters("estimator 'fit'", Fit, {"rate": 1})
    Fit(rate=1, log=False)
    >>> from_parameters("estimator 'fit'", Fit, {"log": "no"})
    Traceback (most recent call last):
    benchsuite.core.errors.SuiteError: estimator 'fit': log = 'no'; must be true or false
    """
    known = {item.name: item for item in fields(cls) if item.init}
    found = {key: _value(what, cls, key, value, known) for key, value in parameters.items()}
    for name, item in known.items():
        if item.default is MISSING and item.default_factory is MISSING and name not in found:
            raise SuiteError(f"{what}: {name} is missing; it has no default")
    return _checked(what, lambda: cls(**found))


def _value(what: str, cls: Any, key: str, value: Any, known: Mapping[str, Field[Any]]) -> Any:
    """Return a value that is allowed, the same as was given; a table becomes a changed default."""
    if key not in known:
        raise UnknownNameError(f"parameter of {what}", key, known)
    default = known[key].default
    if not is_dataclass(default) or isinstance(default, type):
        _check(f"{what}: {key}", cls, key, value)
        return value
    if not isinstance(value, Mapping):
        raise SuiteError(f"{what}: {key} = {shown(value)}; must be a table, such as {key} = {{...}}")
    inside = {item.name: item for item in fields(default) if item.init}
    named = f"{what}, {key}"
    changes = {name: _value(named, type(default), name, each, inside) for name, each in value.items()}
    return _checked(named, lambda: replace(default, **changes))


def _checked(what: str, make: Any) -> Any:
    """Return what is made, if its own rules allow it; errors name it."""
    try:
        made = make()
        if callable(check := getattr(made, "check", None)):
            check()
    except UnsupportedError:  # which says of a benchmark that it cannot be judged, not that a value is wrong
        raise
    except (BenchsuiteError, TypeError, ValueError) as error:  # the latter of a plug-in's constructor
        raise SuiteError(f"{what}: {error}") from error
    return made


def _check(where: str, cls: Any, name: str, value: Any) -> None:
    """Raise SuiteError for a value that a field does not allow."""
    try:
        allowed = _is_plain(value) and _fits(value, annotations_of(cls)[name], _adapters(cls)[name])
    except RecursionError as error:
        raise SuiteError(f"{where} = {shown(value)}; is nested too deeply; write it flatter") from error
    if not allowed:
        words = expected(annotations_of(cls)[name]) or _PLAIN
        infinite = isinstance(value, float) and not math.isfinite(value) and "integer" not in words
        raise SuiteError(f"{where} = {shown(value)}; must be {'a finite number' if infinite else words}")


def _fits(value: Any, annotation: Any, adapter: TypeAdapter[Any] | None) -> bool:
    """Return whether a value is of a type."""
    if adapter is None:
        return True
    if get_origin(annotation) is Literal:  # for pydantic, true is 1; in a recipe it is not
        return any(type(value) is type(each) and value == each for each in get_args(annotation))
    from pydantic import ValidationError  # noqa: PLC0415 - 0.1 s, and most estimators are made with their defaults

    try:
        adapter.validate_json(json.dumps(value), strict=True)  # as JSON: a list of a TOML file may stand for a tuple
    except ValidationError:
        return False
    return True


def _is_plain(value: Any) -> bool:
    """Return whether JSON can say a value, which is then fit for a recipe."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value.bit_length() <= 1024  # Python refuses to write longer ones
    if isinstance(value, list | tuple):
        return all(_is_plain(each) for each in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    return value is None or isinstance(value, bool | str)


@cache
def _adapters(cls: Any) -> dict[str, TypeAdapter[Any] | None]:
    """Return what checks the fields of a dataclass; None for a type that pydantic does not know."""
    return {name: _adapter(annotation) for name, annotation in annotations_of(cls).items()}


def _adapter(annotation: Any) -> TypeAdapter[Any] | None:
    from pydantic import TypeAdapter  # noqa: PLC0415 - as above

    if annotation is Any:
        return None
    try:
        return TypeAdapter(annotation)
    except Exception:  # pydantic refuses a foreign type in several ways
        return None
