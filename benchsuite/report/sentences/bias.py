"""Which size group is ranked worst, and whether the leader still ranks inside size groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.analysis.uncertainty import FEWEST
from benchsuite.report.render.words import number
from benchsuite.report.sentences.significance import better_than_chance, largest, leader_above_chance, surely_large
from benchsuite.report.sizes import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

INSIDE, BIAS = 50, 30


def sentences(bias: pd.DataFrame, board: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """Yield the size group that the leader ranks worst, and the worst of all estimators.

    An estimator that ranks no better than chance is not mentioned: it favours some size by the same amount. That no
    estimator is biased is said only where groups are large enough to tell.

    Parameters
    ----------
    bias
        The table "bias".
    board
        The leaderboard.
    """
    names = better_than_chance(board)
    bias = bias[bias["estimator"].isin(names)]
    large = surely_large(bias[bias["low"].notna()])
    if large.empty:
        if not (bias.empty or bias["low"].isna().any() or (bias["n"] < FEWEST).any()):
            yield BIAS, "No better-than-chance estimator shows a significant size bias of 5 percentile points or more."
        return
    worst, own = largest(large), large[large["estimator"] == names[0]]
    said = f"Of the estimators better than chance, {worst['estimator']} has the strongest size bias: "
    if own.empty or worst["estimator"] == names[0]:
        yield BIAS, f"{said}{_misranked(worst)}."
    else:
        yield (
            BIAS,
            f"{names[0]} has its strongest size bias where {_misranked(largest(own))}. {said}{_misranked(worst)}.",
        )


def _misranked(row: pd.Series) -> str:
    side = "too high" if row["rank_difference"] > 0 else "too low"
    return (
        f"architectures with {row['label']} {NAMES[row['complexity']]} are ranked "
        f"{abs(row['rank_difference']):.0f} percentile points {side} on average"
    )


def inside_sizes(bias: pd.DataFrame, board: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """Yield whether the leader still ranks where all architectures have a similar size.

    Nothing is said where groups are too small.

    Parameters
    ----------
    bias
        The table "bias".
    board
        The leaderboard.
    """
    best = leader_above_chance(board)
    rows = bias[(bias["complexity"] == "params") & (bias["estimator"] == best)]
    if len(rows) < 2 or rows["tau_low"].isna().any():
        return
    above = int((rows["tau_low"] > 0).sum())
    significant = "all" if above == len(rows) else "none" if above == 0 else str(above)
    overall = board.loc[board["estimator"] == best, "kendall_tau"].item()
    taus = f"{number(rows['tau'].min(), 2)} to {number(rows['tau'].max(), 2)}"
    said = f"Within the {len(rows)} groups of similar parameter count, tau-b ranges from {taus}"
    said = f"{said} ({number(overall, 2)} overall)"
    yield INSIDE, f"{said} and is significantly positive in {significant}."
