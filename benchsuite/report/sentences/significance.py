"""Which of several biases are large and significant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.analysis.uncertainty import quantile_of_normal

if TYPE_CHECKING:
    import pandas as pd

_LARGE_BIAS = 5.0  # percent of the architectures; below it no group is worth a warning


def surely_large(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose bias is large and significant.

    The largest of several is significant if its interval, widened for all of them (Bonferroni), is clear of 0.

    Parameters
    ----------
    rows
        Columns rank_difference, low and high, in percent.
    """
    wider = quantile_of_normal(1 - 0.05 / max(len(rows), 1)) / quantile_of_normal(0.95)
    excess = rows["rank_difference"].abs()
    return rows[(excess > wider * (rows["high"] - rows["low"]) / 2) & (excess >= _LARGE_BIAS)]


def largest(rows: pd.DataFrame) -> pd.Series:
    """Return the row of the largest bias, on either side.

    Parameters
    ----------
    rows
        Has the column rank_difference; at least one row.
    """
    return rows.iloc[int(rows["rank_difference"].abs().argmax())]


def better_than_chance(board: pd.DataFrame) -> list[str]:
    """Return the estimators whose tau is significantly above 0, the best first; references are left out.

    Parameters
    ----------
    board
        The leaderboard.
    """
    known = board[~board["reference"] & board["kendall_tau"].notna()]
    better: list[str] = known.loc[known["kendall_tau_low"] > 0, "estimator"].tolist()
    return better


def leader_above_chance(board: pd.DataFrame) -> str | None:
    """Return the leader if its tau is significantly above 0.

    Parameters
    ----------
    board
        The leaderboard.
    """
    known = board.loc[~board["reference"] & board["kendall_tau"].notna(), "estimator"].tolist()
    return known[0] if known[:1] == better_than_chance(board)[:1] and known else None
