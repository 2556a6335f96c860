"""Whether the leader knows more than size."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any

from benchsuite.report.criteria import ranked
from benchsuite.report.render.table import rows_of
from benchsuite.report.render.words import interval, listed, number
from benchsuite.report.runs import SIZE_BASELINES
from benchsuite.report.sentences.differences import against

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

AHEAD, BEHIND = 95, 60  # whether a size baseline has a higher tau than the leader
_NAMES = {"params": "parameter count", "flops": "MAC count"}


def size_baselines(board: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows of the leaderboard of size baselines, where the sizes of architectures differ.

    Parameters
    ----------
    board
        The leaderboard.
    """
    return rows_of(board[board["estimator"].isin(list(SIZE_BASELINES)) & board["kendall_tau"].notna()])


def named(row: dict[str, Any]) -> str:
    """Return a size baseline with its tau and interval.

    Parameters
    ----------
    row
        Its row of the leaderboard.
    """
    ends = interval(row["kendall_tau_low"], row["kendall_tau_high"]) or "unknown"
    return f"{_NAMES[row['estimator']]} ({number(row['kendall_tau'])}, {ends})"


def sentences(board: pd.DataFrame, comparisons: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """Yield whether the leader knows more than size, and how many do.

    Parameters
    ----------
    board
        The leaderboard.
    comparisons
        The table of pairs.
    """
    known = ranked(board)
    if known:
        sizes = size_baselines(board)
        ahead = any(size["kendall_tau"] > known[0]["kendall_tau"] for size in sizes)
        yield AHEAD if ahead else BEHIND, _size(known, sizes, comparisons)


def _size(known: list[dict[str, Any]], sizes: list[dict[str, Any]], comparisons: pd.DataFrame) -> str:
    if not sizes:
        return "All architectures have equal parameter and MAC counts, so there is no size baseline."
    differences = against(comparisons, known[0]["estimator"])
    by_outcome = groupby(sizes, lambda row: _compared(differences.loc[row["estimator"]]))
    said = f"It {' and '.join(outcome.format(listed([named(row) for row in rows])) for outcome, rows in by_outcome)}"
    if len(known) == 1 or differences.loc[[row["estimator"] for row in sizes], "p_holm"].isna().all():
        return f"{said}."
    above = sum(_above(comparisons, row["estimator"], sizes) for row in known)
    verb = "is" if above == 1 else "are"
    return f"{said}; {above} of {len(known)} estimators {verb} significantly better than {_all_of(sizes)}."


def _all_of(sizes: list[dict[str, Any]]) -> str:
    return "both" if len(sizes) > 1 else _NAMES[sizes[0]["estimator"]]


def _above(comparisons: pd.DataFrame, estimator: str, sizes: list[dict[str, Any]]) -> bool:
    """Return whether an estimator is significantly better than every size baseline."""
    differences = against(comparisons, estimator).loc[[size["estimator"] for size in sizes]]
    return bool((differences["significant"].astype(bool) & (differences["difference"] < 0)).all())


def _compared(size: pd.Series) -> str:
    """Return a predicate of the leader against a size baseline, with a gap for the baseline's name."""
    if math.isnan(size["p_holm"]):
        return "could not be tested against {} (too few architectures)"
    if not size["significant"]:
        return "does not differ significantly from {}"
    return "is significantly better than {}" if size["difference"] < 0 else "is significantly worse than {}"
