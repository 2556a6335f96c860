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
    """One entry of a table.

    Attributes
    ----------
    text
        What is read.
    value
        The value by which its column sorts, and which files have.
    note
        What stands below in smaller letters.
    ends
        Ends of an interval, for files; the note says them.
    mark
        A label behind the text.
    reference
        Whether its row, of which it is the first cell, says what others must beat.
    span
        (low, at, high) in 0..1, drawn as a bar.
    architecture
        Drawn as a picture.
    """

    text: str
    value: float | str
    note: str = ""
    ends: tuple[float, float] | None = None
    mark: str = ""
    reference: bool = False
    span: tuple[float, float, float] | None = None
    architecture: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    title
        Its heading.
    meaning
        What it holds, as the page explains it.
    numeric
        Whether it holds numbers, which are aligned to the right.
    shown
        Whether the page shows it; one that it does not is said in the note of another, and files have it.
    """

    title: str
    meaning: str = ""
    numeric: bool = True
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is shown.

    Attributes
    ----------
    name
        Name of its file, and part of its identifier on a page.
    caption
        What stands above it.
    columns
        Its columns.
    rows
        Its rows; the first cell of each names the row.
    sorted_by
        Number of the column by which the rows fall, if there is one.
    summary
        Rows that stay below all others, whatever these are sorted by.
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
    """Return the rows of a data frame as dictionaries by column name.

    Parameters
    ----------
    table
        A data frame.
    """
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def with_interval(value: float, low: float, high: float, digits: int) -> Cell:
    """Return a number above the ends of its interval.

    Parameters
    ----------
    value
        The number; NaN is shown as a dash.
    low
        Lower end; NaN where there is no interval.
    high
        Upper end.
    digits
        Digits of the number behind the point.
    """
    return Cell(
        number(value, digits), value, note=interval(low, high, max(digits - 1, min(digits, 1))), ends=(low, high)
    )


def matrix(
    table: Table, rows: pd.DataFrame, by: str, columns: dict[Any, Column], order: Sequence[str], digits: int
) -> Table:
    """Return a table filled: a row per estimator, a column per value of a column.

    Parameters
    ----------
    table
        Its name and caption.
    rows
        Columns estimator, value, low, high, and the one named by `by`.
    by
        The column whose values make columns.
    columns
        Columns of the table, by these values.
    order
        The estimators from top to bottom.
    digits
        Digits of the numbers behind the point.
    """
    found = {(row["estimator"], row[by]): row for row in rows_of(rows)}
    nothing = {"value": math.nan, "low": math.nan, "high": math.nan}
    body = []
    for name in order:
        at = [found.get((name, place), nothing) for place in columns]
        cells = (with_interval(row["value"], row["low"], row["high"], digits) for row in at)
        body.append((Cell(name, name), *cells))
    return replace(table, columns=(ESTIMATOR, *columns.values()), rows=tuple(body))
