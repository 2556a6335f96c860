from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Optional

import pytest
from annotated_types import Ge, Gt, Interval, Le, Lt, MinLen
from pydantic import Field

from benchsuite.core.expected import expected, path, shown


class Colour(Enum):
    """Two choices."""

    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "an integer"),
        (float, "a number"),
        (bool, "true or false"),
        (str, "text in quotes"),
        (int | None, "an integer"),
        (Optional[float], "a number"),  # noqa: UP045 - as older plug-ins write it
        (int | str, "an integer or text in quotes"),
        (Annotated[int, Ge(0)], "a non-negative integer"),
        (Annotated[int, Ge(1)], "a positive integer"),
        (Annotated[int, Gt(0)], "a positive integer"),
        (Annotated[int, Ge(2)], "an integer of at least 2"),
        (Annotated[int, Gt(2), Lt(9)], "an integer of more than 2 and less than 9"),
        (Annotated[int, Ge(1), Le(4)], "an integer from 1 to 4"),
        (Annotated[int, Field(ge=1, le=4)], "an integer from 1 to 4"),
        (Annotated[int | None, Ge(1)], "a positive integer"),
        (Annotated[float, Ge(1)], "a number of at least 1"),
        (Annotated[float, Gt(0), Le(1)], "a positive number of at most 1"),
        (Annotated[float, Interval(ge=0, lt=1)], "a non-negative number of less than 1"),
        (Literal["a"], "'a'"),
        (Literal["a", "b", "c"], "'a', 'b' or 'c'"),
        (Literal[1, -1], "1 or -1"),
        (Colour, "'red' or 'blue'"),
        (tuple[int, ...], "a list of integers"),
        (tuple[int, str], "a list"),
        (list[str], "a list of texts in quotes"),
        (tuple[Literal["a", "b"], ...], "a list of entries, each 'a' or 'b'"),
        (Annotated[tuple[Annotated[int, Ge(0)], ...], MinLen(1)], "a list of one or more non-negative integers"),
        (Annotated[list[float], MinLen(3)], "a list of 3 or more numbers"),
        (Annotated[list[Any], MinLen(2)], "a list of two or more entries"),
        (dict[str, int], "a table"),
        (Mapping[str, Any], "a table"),
        (Any, ""),
        (object, ""),
        (int | object, ""),
        (None, ""),
    ],
)
def test_a_type_says_in_words_what_it_allows(annotation: Any, words: str) -> None:
    assert expected(annotation) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        ([False, 1.0], "[false, 1.0]"),
        ("a\nb", r"'a\nb'"),
        (1 << 70, "1180591620717411303424"),
        (1 << 2000, "0x100000000000000000..."),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, ...]"),
        ({"a": [[[[[1]]]]]}, "{'a': [[[[...]]]]}"),
    ],
)
def test_a_value_is_shown_on_one_short_line(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_place_in_a_document_is_written_as_its_author_would() -> None:
    assert path(("benchmark", 2, "truth", "epochs")) == "benchmark[2].truth.epochs"
    assert path(()) == ""
