"""What a search by an estimator is worth, as tables: regret by trainings, and the trainings that are needed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from benchsuite.analysis.resampling import HALVES
from benchsuite.analysis.search_value import RANDOM
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, matrix, rows_of
from benchsuite.report.render.words import MINUS, MISSING

if TYPE_CHECKING:
    from benchsuite.report.judge import Judgement

RANGE = (
    f"range over the whole and {HALVES} random halves of the architectures (no confidence interval), shown from ten "
    "trainings on"
)
NEEDED_NOTE = (
    "The least k by which the expected regret of training the k best-scored architectures falls to this many points "
    f"of accuracy, mean over trials; small print: {RANGE}. Saved: of the trainings of a random choice among the same "
    "architectures."
)


def search_numbers(judgement: Judgement) -> Table:
    """Expected regret of training the k best-scored architectures, by estimator and k."""
    found = judgement.search.rename(columns={"regret": "value"})
    columns = {k: Column(f"{k:,}", f"The {k:,} best-scored are trained") for k in sorted(found["k"].unique())}
    caption = f"Regret in accuracy points after training the k best-scored, low is good; small print: {RANGE}"
    return matrix(Table("search", caption, (), ()), found, "k", columns, _names(judgement), 2)


def needed_numbers(judgement: Judgement) -> Table:
    """How many trainings each estimator needs for a regret, and what that saves."""
    found = {(row["estimator"], row["regret"]): row for row in rows_of(judgement.trainings_needed)}
    regrets = sorted({regret for _, regret in found}, reverse=True)
    columns = [ESTIMATOR]
    for regret in regrets:
        points = "1 point" if regret == 1 else f"{regret:g} points"
        columns += [
            Column(f"To {points}", f"Trainings until the regret is at most {points} of accuracy"),
            Column("Saved", "Of the trainings that a random choice needs; below 0: it needs more"),
        ]
    rows = []
    for name in _names(judgement):
        cells = [cell for regret in regrets if (name, regret) in found for cell in _needed(found[name, regret])]
        rows.append((Cell(name, name), *cells, *[Cell(MISSING, math.nan)] * (len(columns) - 1 - len(cells))))
    caption = "Trainings needed, best-scored first, to come near the best, and what that saves against random choice"
    return Table("trainings_needed", caption, tuple(columns), tuple(rows))


def _names(judgement: Judgement) -> list[str]:
    return [*judgement.order, RANDOM]


def _needed(row: dict[str, Any]) -> tuple[Cell, Cell]:
    ends, saved = (row["low"], row["high"]), (row["saved_low"], row["saved_high"])
    return (
        Cell(_count(row["trainings"]), row["trainings"], note=_between(*map(_count, ends)), ends=ends),
        Cell(_percent(row["saved"]), row["saved"], note=_between(*map(_percent, saved)), ends=saved),
    )


def _between(low: str, high: str) -> str:
    return "" if MISSING in (low, high) else f"{low} to {high}"


def _count(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else MISSING


def _percent(value: float) -> str:
    """A share in percent; what is nearly all is not rounded to all.

    >>> _percent(0.873), _percent(0.9987), _percent(-0.5) == f"{MINUS}50 %"
    ('87 %', '99.9 %', True)
    """
    digits = 1 if 0.99 < value < 1 else 0
    return f"{100 * value:.{digits}f} %".replace("-", MINUS) if math.isfinite(value) else MISSING
