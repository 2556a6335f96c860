"""Which architectures an estimator misjudges most, drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.analysis.bias import rank_difference
from benchsuite.report.contract import Schema
from benchsuite.report.render.parts import Text
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, rows_of
from benchsuite.report.render.words import number, signed
from benchsuite.report.runs import ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part
    from benchsuite.report.runs import Runs

TITLE = "Which architectures does it misjudge most?"
TAB = "Bias"
ORDER = 330
READS = ("leaderboard",)
TABLES = {
    "mistakes": Schema(
        {
            "estimator": "Name of the estimator",
            "place": "1, 2, ...: most over-estimated first; -1, -2, ...: most under-estimated first",
            "architecture": "The architecture",
            "rank_difference": "True rank less rank by score in percent of the architectures, mean over runs",
            "true_rank": "Rank by ground truth, 1 = best",
        }
    )
}
MOST = 3  # on each side
_NOTE = (
    "Cells are drawn with their inputs on the left and their output on the right, operations as coloured curves or "
    "dots; chains of layers as blocks in their order; other architectures are named. Positive: "
    "ranked better than it is."
)


def tables(evidence: Evidence) -> Tables:
    """Return the most over-estimated and the most under-estimated architectures of every estimator.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    return {"mistakes": mistakes(evidence.runs, evidence.truth)}


def mistakes(runs: Runs, truth: pd.Series) -> pd.DataFrame:
    """Find the most over-estimated and the most under-estimated architectures of every estimator.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.
    truth
        Accuracies by architecture.

    Returns
    -------
    DataFrame
        The columns of the table "mistakes".
    """
    frames = [_of_one(name, each, truth) for name, each in runs.items()]
    return pd.concat(frames, ignore_index=True)


def _of_one(name: str, runs: Sequence[pd.Series], truth: pd.Series) -> pd.DataFrame:
    differences = pd.concat([rank_difference(values, truth) for values in runs], axis=1).mean(axis=1)
    ordered = differences.sort_values(ascending=False, kind="stable")
    most = min(MOST, len(ordered) // 2)
    chosen = pd.concat([ordered.iloc[:most], ordered.iloc[::-1].iloc[:most]])
    places = [*range(1, most + 1), *range(-1, -most - 1, -1)]
    true_ranks = pd.Series(ranks(truth), truth.index)
    columns = {"place": places, "architecture": chosen.index, "rank_difference": 100 * chosen.to_numpy()}
    table = pd.DataFrame({"estimator": name, **columns, "true_rank": true_ranks.reindex(chosen.index).to_numpy()})
    return table[table["rank_difference"] * table["place"] > 0]  # one of the right rank is no mistake


def parts(tables: Tables) -> Sequence[Part]:
    """Show a row per estimator: what it over-estimates and under-estimates most, as pictures.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    return (mistakes_table(tables["mistakes"], tables["leaderboard"]["estimator"].tolist()), Text(_NOTE))


def mistakes_table(mistakes: pd.DataFrame, order: Sequence[str]) -> Table:
    """Return a row per estimator: what it over-estimates and under-estimates most, as pictures.

    Parameters
    ----------
    mistakes
        The table "mistakes".
    order
        The estimators, the best first.
    """
    found = {(row["estimator"], row["place"]): row for row in rows_of(mistakes)}
    sides = {1: ("Ranked too high", "Most over-estimated"), -1: ("Ranked too low", "Most under-estimated")}
    columns = [
        Column(f"{title}, {place}", f"{meaning}, number {place}")
        for title, meaning in sides.values()
        for place in range(1, MOST + 1)
    ]
    places = [sign * place for sign in sides for place in range(1, MOST + 1)]
    rows = tuple((Cell(name, name), *(_mistake(found.get((name, place))) for place in places)) for name in order)
    caption = "Most misjudged architectures: rank difference in percentile points, mean over runs"
    return Table("mistakes", caption, (ESTIMATOR, *columns), rows)


def _mistake(row: dict[str, Any] | None) -> Cell:
    if row is None:
        return Cell(number(math.nan), math.nan)
    difference, rank = row["rank_difference"], row["true_rank"]
    note = f"true rank {rank:,.0f}"
    return Cell(f"{signed(difference)} %", difference, note=note, architecture=row["architecture"])
