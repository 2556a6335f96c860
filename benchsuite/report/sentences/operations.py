"""Which operation the leader over-estimates most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.report.sentences.significance import largest, leader_above_chance, surely_large

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

FAVOURED = 20


def sentences(exchanges: pd.DataFrame, board: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """Yield the exchange of operations that the leader over-estimates most, if it is large and significant.

    Parameters
    ----------
    exchanges
        The exchanges that are shown, with their bias in percent.
    board
        The leaderboard.
    """
    best = leader_above_chance(board)
    sure = surely_large(exchanges[(exchanges["estimator"] == best) & exchanges["low"].notna()])
    if len(sure):
        yield FAVOURED, _favoured(str(best), largest(sure))


def _favoured(estimator: str, row: pd.Series) -> str:
    """Say one exchange, read so that the operation that comes in is the over-estimated one."""
    more, less, shares = row["after"], row["before"], [row["score_rises"], row["truth_rises"]]
    if row["rank_difference"] < 0:
        more, less, shares = less, more, [1 - share for share in shares]
    score, truth = (f"{100 * share:.0f}%" for share in shares)
    return (
        f"{estimator} overestimates “{more}” relative to “{less}”: its score increases in {score} of the "
        f"{row['n']:,.0f} pairs that differ only in this operation, the accuracy in {truth}."
    )
