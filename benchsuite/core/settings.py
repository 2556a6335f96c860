"""Errors of pydantic in the project's form: what, which value, what is allowed, in one line."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

UNKNOWN = frozenset({"extra_forbidden", "unexpected_keyword_argument"})  # pydantic's types of errors for unknown keys
_TABLE = "must be a table"
_LIST = "must be a list"
_INTEGER = "must be an integer"
_NUMBER = "must be a number"
_KINDS = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dataclass_exact_type": _TABLE,
    "dataclass_type": _TABLE,
    "dict_type": _TABLE,
    "finite_number": "must be finite",
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "int_from_float": _INTEGER,
    "int_parsing": _INTEGER,
    "int_type": _INTEGER,
    "list_type": _LIST,
    "mapping_type": _TABLE,
    "none_required": "must be left out",
    "string_type": "must be text in quotes",
    "tuple_type": _LIST,
}
_LIMITS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than": lambda limit: f"must be greater than {limit['gt']:g}",
    "greater_than_equal": lambda limit: f"must be at least {limit['ge']:g}",
    "less_than": lambda limit: f"must be less than {limit['lt']:g}",
    "less_than_equal": lambda limit: f"must be at most {limit['le']:g}",
    "literal_error": lambda limit: f"must be {limit['expected']}",
    "too_long": lambda limit: f"must have at most {limit['max_length']} entries",
    "too_short": lambda limit: f"must have at least {limit['min_length']} entries",
}


def shown(value: object) -> str:
    """Return a value as it stands in a message: on one line, shortened where it is long or deep.

    Parameters
    ----------
    value
        Anything that a user may have given.

    Examples
    --------
    >>> shown(list(range(100)))
    '[0, 1, 2, 3, 4, 5, ...]'
    """
    return _Shown().repr(value)


class _Shown(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80
        self.maxlevel = 4

    def repr_int(self, x: int, level: int) -> str:
        del level
        return hex(x)[: self.maxlong] + "..." if x.bit_length() > 256 else repr(x)  # Python refuses longer decimals


def path_text(location: Iterable[int | str]) -> str:
    """Return where in a document an error is, as a user writes it.

    Parameters
    ----------
    location
        Keys and positions from the outside to the inside.

    Examples
    --------
    >>> path_text(("benchmarks", 0, "truth", "epochs"))
    'benchmarks[0].truth.epochs'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def allowed(error: ErrorDetails) -> str:
    """Return what is allowed where an error is, such as "must be at least 1".

    Parameters
    ----------
    error
        One of the errors that pydantic has found.
    """
    kind = error["type"]
    if kind in _LIMITS:
        return _LIMITS[kind](error["ctx"])
    return _KINDS.get(kind, error["msg"][:1].lower() + error["msg"][1:])


def problem(error: ValidationError) -> str:
    """Return the most telling of the errors that pydantic has found, as one line: where, which value, what is allowed.

    An unknown key comes first: where a key is misspelt, another often is missing.

    Parameters
    ----------
    error
        What pydantic has raised.

    Examples
    --------
    >>> from pydantic import BaseModel, ValidationError
    >>> class Batch(BaseModel, extra="forbid"):
    ...     size: int = 64
    >>> try:
    ...     Batch(size="many")
    ... except ValidationError as error:
    ...     print(problem(error))
    size = 'many'; must be an integer
    """
    found = error.errors(include_url=False, include_context=True)
    first = next((each for each in found if each["type"] in UNKNOWN), found[0])
    where = path_text(first["loc"])
    if first["type"] in UNKNOWN:
        return f"unknown key {where}"
    if first["type"] == "missing":
        return f"{where} is missing"
    return f"{where} = {shown(first['input'])}; {allowed(first)}" if where else allowed(first)
