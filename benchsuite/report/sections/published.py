"""Published results next to ours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.report.contract import Schema
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, rows_of
from benchsuite.report.render.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

TITLE = "Published results"
TAB = "Truth"
ORDER = 830
TABLES = {
    "published": Schema(
        {
            "estimator": "Name of the estimator",
            "criterion": "Name of the criterion",
            "published": "Published value",
            "here": "Ours",
            "difference": "Ours less theirs; NaN on another sample",
            "population": "The architectures on which it was published",
            "same": "Whether these are those that are judged here",
            "source": "Where",
        },
        written=False,
    )
}


def tables(evidence: Evidence) -> Tables:
    """Return published values of estimators that are judged here.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    columns = list(TABLES["published"].columns)
    if evidence.published is None:
        return {"published": pd.DataFrame(columns=columns)}
    ours = evidence.criteria[evidence.criteria["k"].isna()].set_index(["estimator", "criterion"])["value"]
    theirs = evidence.published[evidence.published["benchmark"] == evidence.results.benchmark]
    rows = [
        _row(row, float(ours.loc[(row["estimator"], row["criterion"])]), evidence.results.population)
        for row in rows_of(theirs)
        if (row["estimator"], row["criterion"]) in ours.index
    ]
    return {"published": pd.DataFrame(rows, columns=columns)}


def _row(row: dict[str, Any], here: float, population: str) -> dict[str, Any]:
    same = row["population"] == population
    return {
        **{name: row[name] for name in ("estimator", "criterion", "population", "source")},
        "published": row["value"],
        "here": here,
        "difference": here - row["value"] if same else math.nan,
        "same": same,
    }


def parts(tables: Tables) -> Iterator[Part]:
    """Show them; the difference stands only where the architectures are the same.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    if len(tables["published"]):
        yield published_table(tables["published"])


def published_table(published: pd.DataFrame) -> Table:
    """Return published values next to ours.

    Parameters
    ----------
    published
        The table "published".
    """
    columns = (
        ESTIMATOR,
        Column("Criterion", numeric=False),
        Column("Published"),
        Column("Here"),
        Column("Difference", "Ours minus theirs, only on the same sample"),
        Column("Published on", numeric=False),
        Column("Source", numeric=False),
    )
    rows = []
    for row in rows_of(published):
        words = "the same architectures" if row["same"] else row["population"]
        rows.append(
            (
                Cell(row["estimator"], row["estimator"]),
                Cell(row["criterion"], row["criterion"]),
                Cell(number(row["published"]), row["published"]),
                Cell(number(row["here"]), row["here"]),
                Cell(number(row["difference"]), row["difference"]),
                Cell(words, words),
                Cell(row["source"], row["source"]),
            )
        )
    return Table("published", "Published results and ours", columns, tuple(rows))
