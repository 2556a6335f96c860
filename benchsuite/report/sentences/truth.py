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
    "The truth holds one accuracy of each architecture, so its noise is unknown and no ceiling can be given; "
    "part of what every estimator misses is that noise."
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
        return "These are too few architectures to say what the noise of the truth leaves to win."
    reached = max(tau, 0.0)
    share = f", of which the best reaches {100 * reached / ceiling:.0f} %" if reached < ceiling else ""
    return (
        f"The truth is noisy: a perfect estimator would reach {number(ceiling, 2)} (simulated from the "
        f"{reliability['n'].iloc[0]:,} architectures trained more than once){share}."
    )
