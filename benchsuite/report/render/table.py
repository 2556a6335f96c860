"""Tables as a reader sees them: words and rounded numbers, of which all files of a report are renderings."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from benchsuite.report.render.words import interval, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


@dataclass(frozen=True, slots=True)
class Cell:
    """One entry: its text, the value by which its column sorts, and what stands beside.

    `note` is small print, `ends` are those of an interval (for files; the note says them), `mark` is a label, `span`
    (low, at, high in 0..1) is drawn as a bar, `architecture` as a picture.
    """

    text: str
    value: float | str
    note: str = ""
    ends: tuple[float, float] | None = None
    mark: str = ""
    span: tuple[float, float, float] | None = None
    architecture: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, what it means, whether it holds numbers, and whether the page shows it.

    A column that is not `shown` stands in the small print of another; it is in files all the same.
    """

    title: str
    meaning: str = ""
    numeric: bool = True
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; the first cell of each row names the row, `sorted_by` is the column that falls.

    The rows of `summary` stay below all others, whatever these are sorted by.
    """

    kind: ClassVar[str] = "table"
    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sorted_by: int | None = None
    summary: tuple[tuple[Cell, ...], ...] = ()


ESTIMATOR = Column("Estimator", numeric=False)


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as dictionaries by column name."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def with_interval(value: float, low: float, high: float, digits: int) -> Cell:
    """A number above the ends of its interval."""
    return Cell(
        number(value, digits), value, note=interval(low, high, max(digits - 1, min(digits, 1))), ends=(low, high)
    )


def matrix(
    table: Table, rows: pd.DataFrame, by: str, columns: dict[Any, Column], order: Sequence[str], digits: int
) -> Table:
    """The table filled: a row per estimator, a column per value of `by`; `rows` has the columns value, low, high."""
    found = {(row["estimator"], row[by]): row for row in rows_of(rows)}
    nothing = {"value": math.nan, "low": math.nan, "high": math.nan}
    body = []
    for name in order:
        at = [found.get((name, place), nothing) for place in columns]
        cells = (with_interval(row["value"], row["low"], row["high"], digits) for row in at)
        body.append((Cell(name, name), *cells))
    return replace(table, columns=(ESTIMATOR, *columns.values()), rows=tuple(body))
