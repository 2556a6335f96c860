"""What a type allows, in words, and what pydantic found wrong with a value, as one line: where, which value, what.

An annotation says everything about a value: its type, its range (`annotated_types`) and its choices (`Literal`). Each
error therefore says the whole of what is allowed, whichever part of it was missed.
"""

from __future__ import annotations

import re
import reprlib
import sys
import types
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import EnumType
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from benchsuite.core.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_UNKNOWN_KEY = frozenset({"extra_forbidden", "unexpected_keyword_argument"})  # pydantic's types of this error
_MISSING_KEY = frozenset({"missing", "missing_argument"})
_SEVERAL = {1: "one or more", 2: "two or more"}
_PLURALS = (
    (re.compile(r"an? ((?:[\w-]+ )?(?:integer|number))\b(.*)"), r"\1s\2"),
    (re.compile("text in quotes"), "texts in quotes"),
)
_UNIONS = frozenset({Union, types.UnionType})


def problem(error: ValidationError, cls: type | None = None) -> str:
    """Return the most telling of the errors that pydantic has found, as one line.

    It is that of an unknown key, if there is one: where a key is misspelt, another often is missing.

    Parameters
    ----------
    error
        What pydantic has raised.
    cls
        The dataclass that was to be made, whose annotations say what is allowed.

    Examples
    --------
    >>> from pydantic import TypeAdapter, ValidationError
    >>> from pydantic.dataclasses import dataclass
    >>> @dataclass
    ... class Batch:
    ...     size: int = 64
    >>> try:
    ...     TypeAdapter(Batch).validate_python({"size": 2.5})
    ... except ValidationError as error:
    ...     print(problem(error, Batch))
    size = 2.5; must be an integer
    """
    return line(telling(error), cls)


def telling(error: ValidationError) -> ErrorDetails:
    """Return the most telling of the errors that pydantic has found: an unknown key, or else the first.

    Parameters
    ----------
    error
        What pydantic has raised.
    """
    found = error.errors(include_url=False)
    return next((each for each in found if each["type"] in _UNKNOWN_KEY), found[0])


def line(error: ErrorDetails, annotation: Any = None) -> str:
    """Return one error of pydantic as a line.

    Parameters
    ----------
    error
        What is wrong and where.
    annotation
        The type of the value that was checked.
    """
    location = error["loc"]
    if error["type"] in _UNKNOWN_KEY:
        *inside, key = location
        known = _fields(_follow(annotation, inside)[0])
        said = str(UnknownNameError("key", str(key), known)) if known else f"no key named {key!r}"
        return f"{path(inside)}: {said}" if inside else said
    if error["type"] in _MISSING_KEY:
        return f"{path(location)} is missing"
    wanted, known_part = _follow(annotation, location)
    where = path(known_part)
    return f"{where} = {shown(error['input'])}; {_allowed(error, wanted)}" if where else _allowed(error, wanted)


def _allowed(error: ErrorDetails, annotation: Any) -> str:
    if error["type"] == "value_error":  # raised by a validator of ours
        return str(error["ctx"]["error"])
    words = expected(annotation)
    return f"must be {words}" if words else error["msg"][:1].lower() + error["msg"][1:]


def path(location: Iterable[int | str]) -> str:
    """Return where in a document something is, as its author would write it.

    Parameters
    ----------
    location
        Keys and positions, from the outside to the inside.

    Examples
    --------
    >>> path(("benchmark", 0, "truth", "epochs"))
    'benchmark[0].truth.epochs'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def shown(value: object) -> str:
    """Return a value as a message shows it: on one line, shortened where it is long or deep.

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

    def repr_bool(self, x: bool, level: int) -> str:
        del level
        return "true" if x else "false"  # as in TOML

    def repr_int(self, x: int, level: int) -> str:
        del level
        return f"{hex(x)[:20]}..." if x.bit_length() > 256 else repr(x)  # Python refuses to print long decimals


def expected(annotation: Any) -> str:
    """Return what a type allows, to follow "must be"; empty if that cannot be said.

    Parameters
    ----------
    annotation
        The type, with ranges and choices.

    Examples
    --------
    >>> from typing import Annotated, Literal
    >>> from annotated_types import Ge, Gt, Le
    >>> expected(Annotated[int, Ge(1)]), expected(Annotated[float, Gt(0), Le(1)])
    ('a positive integer', 'a positive number of at most 1')
    >>> expected(Literal["accuracy", "loss"]), expected(tuple[Annotated[int, Ge(0)], ...])
    ("'accuracy' or 'loss'", 'a list of non-negative integers')
    """
    words = [_one(member) for member in _members(annotation)]
    return _either(words) if all(words) else ""


def _one(annotation: Any) -> str:
    """Return what a type that is not a union allows."""
    kind, limits = _bare(annotation)
    if kind is int or kind is float:
        return _number(kind, limits)
    if kind is bool or kind is str:
        return "true or false" if kind is bool else "text in quotes"
    origin = get_origin(kind) or kind
    if isinstance(origin, EnumType):
        return _either([repr(member.value) for member in list[Any](origin)])
    if origin is Literal:
        return _either([repr(value) for value in get_args(kind)])
    if is_dataclass(origin) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return "a table"
    return _list(kind, limits) if isinstance(origin, type) and issubclass(origin, (Sequence, AbstractSet)) else ""


def _number(kind: Any, limits: Sequence[Any]) -> str:
    """Return the words for a number with its range, such as "an integer of at least 2"."""
    noun = "integer" if kind is int else "number"
    least, above, most, below = (_limit(limits, name) for name in ("ge", "gt", "le", "lt"))
    if least is not None and most is not None:
        return f"{'an' if noun == 'integer' else 'a'} {noun} from {least} to {most}"
    sign = "positive" if above == 0 or (kind is int and least == 1) else "non-negative" if least == 0 else ""
    low = "" if sign else _bound("at least", least) or _bound("more than", above)
    high = _bound("at most", most) or _bound("less than", below)
    bounds = " and ".join(bound for bound in (low, high) if bound)
    article = "an" if noun == "integer" and not sign else "a"
    return " ".join(part for part in (article, sign, noun, f"of {bounds}" if bounds else "") if part)


def _bound(words: str, limit: Any) -> str:
    return "" if limit is None else f"{words} {limit}"


def _list(kind: Any, limits: Sequence[Any]) -> str:
    """Return the words for a list, such as "a list of positive integers"."""
    entries = {expected(item) for item in get_args(kind) if item is not Ellipsis}
    least = _limit(limits, "min_length") or 0
    several = f"a list of {_SEVERAL.get(least, f'{least} or more')}" if least else "a list of"
    if len(entries) != 1 or not (entry := entries.pop()):
        return f"{several} entries" if least else "a list"
    for singular, plural in _PLURALS:
        if singular.fullmatch(entry):
            return f"{several} {singular.sub(plural, entry)}"
    return f"{several} entries, each {entry}"


def _either(words: Sequence[str]) -> str:
    *first, last = words or [""]
    return f"{', '.join(first)} or {last}" if first else last


def _bare(annotation: Any) -> tuple[Any, list[Any]]:
    """Return a type without its limits, and these."""
    if get_origin(annotation) in {Required, NotRequired}:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) is not Annotated:
        return annotation, []
    kind, *limits = get_args(annotation)
    return kind, [each for limit in limits for each in (limit, *getattr(limit, "metadata", ()))]  # pydantic's Field


def _limit(limits: Sequence[Any], name: str) -> Any:
    """Return one limit, such as ge, of those that an annotation has: `annotated_types` or pydantic say them."""
    return next((found for limit in limits if (found := getattr(limit, name, None)) is not None), None)


def _members(annotation: Any) -> list[Any]:
    """Return the types of which one is allowed; None, which means that a key is left out, is not named."""
    kind, limits = _bare(annotation)
    if get_origin(kind) not in _UNIONS:
        return [annotation]
    members = [each for each in get_args(kind) if each is not types.NoneType]
    return [Annotated[each, *limits] for each in members] if limits else members


def _follow(annotation: Any, location: Sequence[int | str]) -> tuple[Any, Sequence[int | str]]:
    """Return the type at a place in a value of a type, and the place as far as the type is known and not a choice."""
    for depth, part in enumerate(location):
        members = _members(annotation)
        inside = _inside(_bare(members[0])[0], part) if len(members) == 1 else None
        if inside is None:
            return annotation, location[:depth] if len(members) > 1 else location
        annotation = inside
    return annotation, location


def _inside(kind: Any, part: int | str) -> Any:
    """Return the type of an entry of a table or list; None if it is not known."""
    if isinstance(part, str) and (keys := _keys(kind)):
        return keys.get(part)
    arguments = [each for each in get_args(kind) if each is not Ellipsis]
    if isinstance(part, str):
        return arguments[1] if len(arguments) == 2 else None
    return arguments[min(part, len(arguments) - 1)] if arguments else None


def _fields(annotation: Any) -> list[str]:
    """Return the keys of a table that a dataclass or TypedDict describes; none for other types."""
    (kind, *others) = (_bare(member)[0] for member in _members(annotation))
    return [] if others else list(_keys(kind))


def _keys(kind: Any) -> dict[str, Any]:
    if isinstance(kind, type) and is_dataclass(kind):
        return annotations_of(kind)
    return get_type_hints(kind, include_extras=True) if hasattr(kind, "__total__") else {}


@cache
def annotations_of(cls: Any) -> dict[str, Any]:
    """Return the types of a dataclass's fields; Any for what cannot be resolved, such as a name for type checks only.

    Parameters
    ----------
    cls
        The dataclass.
    """
    modules = [vars(sys.modules[base.__module__]) for base in cls.__mro__ if base.__module__ in sys.modules]
    return {item.name: _resolved(item.type, modules) for item in fields(cls)}


def _resolved(annotation: Any, modules: Sequence[dict[str, Any]]) -> Any:
    """Return a type that was written as text, as the first of several modules understands it."""
    written = types.SimpleNamespace(__annotations__={"it": annotation})
    for names in modules:
        try:
            return get_type_hints(written, names, include_extras=True)["it"]
        except Exception:  # noqa: S112 - annotations are a user's code, whose evaluation can raise anything
            continue
    return Any
