"""What the noise of the ground truth leaves to win."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchsuite.report.criteria import ranked
from benchsuite.report.render.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

CEILING = 40
NO_CEILING = (
    "Each architecture was trained only once, so label noise, and hence the achievable maximum, is unknown; "
    "part of every estimator's error is due to it."
)


def ceiling_of(reliability: pd.DataFrame) -> float | None:
    """Return the tau that a perfect estimator would reach; None where no training was repeated.

    Parameters
    ----------
    reliability
        The table "reliability".
    """
    rows = reliability[reliability["criterion"] == "kendall_tau"]
    return float(rows["ceiling"].iloc[0]) if len(rows) else None


def sentences(reliability: pd.DataFrame, board: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """Yield how much of the ceiling the leader reaches.

    Parameters
    ----------
    reliability
        The table "reliability".
    board
        The leaderboard.
    """
    known = ranked(board)
    if known:
        yield CEILING, _ceiling(known[0]["kendall_tau"], reliability)


def _ceiling(tau: float, reliability: pd.DataFrame) -> str:
    ceiling = ceiling_of(reliability)
    if ceiling is None:
        return NO_CEILING
    if not math.isfinite(ceiling):
        return "There are too few architectures to estimate the noise ceiling."
    reached = max(tau, 0.0)
    share = f", of which the best estimator reaches {100 * reached / ceiling:.0f}%" if reached < ceiling else ""
    return (
        f"Because of label noise, a perfect estimator would reach tau-b {number(ceiling, 2)} (noise ceiling, simulated "
        f"from the {reliability['n'].iloc[0]:,} architectures trained more than once){share}."
    )
