"""What paired comparisons of estimators say: differences on the same architectures, and who cannot be told apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.comparison import not_separable
from benchsuite.report.criteria import SIZE_BASELINES, rows_of
from benchsuite.report.tables import ESTIMATOR, Cell, Column, Table, with_interval
from benchsuite.report.words import MISSING, listed, number

if TYPE_CHECKING:
    from benchsuite.report.judge import Judgement

PAIRS_NOTE = (
    "Differences are paired: both estimators on the same architectures, their errors together. p is adjusted for all "
    "pairs of estimators (Holm); a pair with p above 0.05 is not separable. Places: from 1 + the number of "
    "estimators that are separably better, to the number of all less those separably worse."
)


def against(comparisons: pd.DataFrame, other: str) -> pd.DataFrame:
    """Comparisons of every estimator with one, by estimator: difference (its figure less the other's) and all else.

    Columns: n, difference, low, high, p_holm, separable.
    """
    after = comparisons[comparisons["second"] == other].set_index("first")
    before = comparisons[comparisons["first"] == other].set_index("second")
    turned = before.assign(difference=-before["difference"], low=-before["high"], high=-before["low"])
    return pd.concat([after, turned])[["n", "difference", "low", "high", "p_holm", "separable"]]


def pairs_numbers(judgement: Judgement) -> Table:
    """How far every estimator is from the best one and from counting parameters, and from whom it is not separable."""
    judged = judgement.leaderboard[judgement.leaderboard["kendall_tau"].notna()]
    best = judged.loc[~judged["reference"], "estimator"].tolist()[:1]
    others = {name: against(judgement.comparisons, name) for name in [*best, *list(SIZE_BASELINES)[:1]]}
    columns = [ESTIMATOR]
    for name in others:
        columns += [
            Column(f"τ less that of {name}", "Paired difference of tau-b with its 95 % interval"),
            Column("p (Holm)", "Two-sided, adjusted for all pairs of estimators"),
        ]
    columns.append(Column("Not separable from", "Estimators whose difference may be chance", numeric=False))
    rows = tuple(_row(name, others, judgement) for name in judgement.order)
    caption = "Paired differences of tau-b; every pair is in tables/comparisons.csv"
    return Table("pairs", caption, tuple(columns), rows)


def _row(name: str, others: dict[str, pd.DataFrame], judgement: Judgement) -> tuple[Cell, ...]:
    cells = [Cell(name, name)]
    for table in others.values():
        at = {str(row.pop("estimator")): row for row in rows_of(table.rename_axis("estimator").reset_index())}
        figures = at.get(name, dict.fromkeys(table, math.nan))
        cells.append(with_interval(figures["difference"], figures["low"], figures["high"], 3))
        cells.append(Cell(p_value(figures["p_holm"]), figures["p_holm"]))
    level = not_separable(judgement.comparisons, name)
    return (*cells, Cell(listed(level) if level else MISSING, len(level)))


def p_value(p: float) -> str:
    """A p value with three digits.

    >>> p_value(0.0321), p_value(1e-7)
    ('0.032', '<0.001')
    """
    return "<0.001" if p < 0.001 else number(p)
