"""Architectures that an estimator misjudges most, to be drawn: bias at the level of single architectures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.analysis.bias import rank_difference
from benchsuite.report.behaviour import ranks
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, rows_of
from benchsuite.report.render.words import number, signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchsuite.report.judge import Judgement

MOST = 3  # on each side


def mistakes_table(trials: Mapping[str, Sequence[pd.Series]], truth: pd.Series) -> pd.DataFrame:
    """The most over-estimated and the most under-estimated architectures of every estimator.

    Columns: estimator, place (1, 2, ... = most over-estimated first; -1, -2, ... = most under-estimated first),
    architecture, rank_difference (true rank less rank by score, in percent of the architectures, mean over trials;
    positive = ranked too high) and true_rank (1 = best).
    """
    frames = [_of_one(name, each, truth) for name, each in trials.items()]
    return pd.concat(frames, ignore_index=True)


def _of_one(name: str, trials: Sequence[pd.Series], truth: pd.Series) -> pd.DataFrame:
    differences = pd.concat([rank_difference(values, truth) for values in trials], axis=1).mean(axis=1)
    ordered = differences.sort_values(ascending=False, kind="stable")
    most = min(MOST, len(ordered) // 2)
    chosen = pd.concat([ordered.iloc[:most], ordered.iloc[::-1].iloc[:most]])
    places = [*range(1, most + 1), *range(-1, -most - 1, -1)]
    true_ranks = pd.Series(ranks(truth), truth.index)
    columns = {"place": places, "architecture": chosen.index, "rank_difference": 100 * chosen.to_numpy()}
    table = pd.DataFrame({"estimator": name, **columns, "true_rank": true_ranks.reindex(chosen.index).to_numpy()})
    return table[table["rank_difference"] * table["place"] > 0]  # one that is in its place is no mistake


def mistakes_numbers(judgement: Judgement) -> Table:
    """A row per estimator: what it over-estimates and under-estimates most, as pictures."""
    found = {(row["estimator"], row["place"]): row for row in rows_of(judgement.mistakes)}
    sides = {1: ("Ranked too high", "Most over-estimated"), -1: ("Ranked too low", "Most under-estimated")}
    columns = [
        Column(f"{title}, {place}", f"{meaning}, number {place}")
        for title, meaning in sides.values()
        for place in range(1, MOST + 1)
    ]
    places = [sign * place for sign in sides for place in range(1, MOST + 1)]
    rows = tuple(
        (Cell(name, name), *(_mistake(found.get((name, place))) for place in places)) for name in judgement.order
    )
    caption = "Most misjudged architectures: rank difference in percent of the architectures, mean over trials"
    return Table("mistakes", caption, (ESTIMATOR, *columns), rows)


def _mistake(row: dict[str, Any] | None) -> Cell:
    if row is None:
        return Cell(number(math.nan), math.nan)
    difference, rank = row["rank_difference"], row["true_rank"]
    note = f"true rank {rank:,.0f}"
    return Cell(f"{signed(difference)} %", difference, note=note, architecture=row["architecture"])
