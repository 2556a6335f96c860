"""What paired comparisons of estimators say: differences on the same architectures, and who cannot be told apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.significance import architectures_needed, not_separable
from benchsuite.report.criteria import SIZE_BASELINES
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, rows_of, with_interval
from benchsuite.report.render.words import MISSING, listed, number, roughly

if TYPE_CHECKING:
    from benchsuite.report.judge import Judgement

_LEVEL = 0.05  # of all tests of a table together
_COUNTLESS = 100_000  # architectures; nobody trains more to tell two estimators apart
PAIRS_NOTE = (
    "Differences are paired: both estimators on the same architectures, their errors together. p is adjusted for all "
    "pairs of estimators (Holm); a pair with p above 0.05 is not separable. Places: from 1 + the number of "
    "estimators that are separably better, to the number of all less those separably worse. All of it for the seeds "
    "that were run: what other seeds would change is in the tab on variance."
)

_NEEDED = (
    "How many architectures tell the two apart with chance 0.8 by one test at the level 0.05, if the difference found "
    "is the true one"
)


def against(comparisons: pd.DataFrame, other: str) -> pd.DataFrame:
    """Comparisons of every estimator with one, by estimator: difference (its figure less the other's) and all else.

    Columns: n, difference, low, high, p_holm, separable, architectures_needed.
    """
    after = comparisons[comparisons["second"] == other].set_index("first")
    before = comparisons[comparisons["first"] == other].set_index("second")
    turned = before.assign(difference=-before["difference"], low=-before["high"], high=-before["low"])
    return pd.concat([after, turned])[["n", "difference", "low", "high", "p_holm", "separable", "architectures_needed"]]


def needed_beside_all(comparisons: pd.DataFrame, estimator: str, others: list[str]) -> str:
    """A clause: how many architectures would tell an estimator from the first of others that needs more than there are.

    The level is shared among all pairs of the table (Bonferroni), as it is where they are found not separable; the
    differences found are taken for the true ones. Empty where none needs more.
    """
    confidence = 1 - _LEVEL / comparisons["p"].notna().sum()
    needed = architectures_needed(comparisons, confidence=confidence)
    rows = against(comparisons.assign(architectures_needed=needed), estimator).loc[others]
    more = rows[(rows["architectures_needed"] > rows["n"]) & (rows["architectures_needed"] < math.inf)]
    if more.empty:
        return ""
    count = float(more["architectures_needed"].iloc[0])
    wanted = f"about {roughly(count)}" if count <= _COUNTLESS else f"more than {_COUNTLESS:,}"
    return f"; if they are not, {wanted} architectures would tell it from {more.index[0]} beside all other pairs"


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
            Column("Architectures needed", _NEEDED),
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
        cells.append(Cell(roughly(figures["architectures_needed"]), figures["architectures_needed"]))
    level = not_separable(judgement.comparisons, name)
    return (*cells, Cell(listed(level) if level else MISSING, len(level)))


def p_value(p: float) -> str:
    """A p value with three digits.

    >>> p_value(0.0321), p_value(1e-7)
    ('0.032', '<0.001')
    """
    return "<0.001" if p < 0.001 else number(p)
