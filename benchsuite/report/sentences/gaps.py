"""What is not there: undefined, failed and missing scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.report.render.words import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

GAPS = 10


def sentences(board: pd.DataFrame, estimators: pd.DataFrame, asked: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield which scores are undefined, failed or missing, or that all are available.

    Parameters
    ----------
    board
        The leaderboard.
    estimators
        What is recorded of each estimator.
    asked
        The estimators that were asked for.
    """
    said = list(_gaps(board, bool(estimators["imported"].any()), asked))
    yield from ((GAPS, sentence) for sentence in said or ["All requested scores are available."])


def _gaps(board: pd.DataFrame, imported: bool, asked: Sequence[str]) -> Iterator[str]:
    counts = board.set_index("estimator")
    unscored = [name for name in asked if name not in counts.index]
    if unscored:
        yield f"Not scored yet: {listed(unscored)}."
    for status, words in (("undefined", "undefined (ranked last)"), ("failed", "failed (ranked last)")):
        column = counts[f"n_{status}"]
        if column.sum():
            yield f"{_scores(column)} {words}: {listed([f'{k} {v:,}' for k, v in column[column > 0].items()])}."
    missing = counts["n_missing"]
    if missing.sum():
        why = "not in the file" if imported else "missing, the run is not finished"
        yield f"{_scores(missing)} {why}; estimators are evaluated on the available scores."


def _scores(column: pd.Series) -> str:
    total = int(column.sum())
    return f"{total:,} score is" if total == 1 else f"{total:,} scores are"
