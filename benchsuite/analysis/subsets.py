"""Kendall's tau inside parts of the architectures: the ends of a ranking and groups of equal size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from benchsuite.analysis.align import aligned, arrays
from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import tau_b_without_each
from benchsuite.analysis.ranking import average_ranks, dense_ranks
from benchsuite.analysis.top_k import FRACTIONS, top_count
from benchsuite.analysis.uncertainty import check_confidence, correlation_interval
from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from benchsuite.core.arrays import Booleans, Floats, Integers


End = Literal["top", "bottom"]


def quantile_groups(values: ArrayLike, groups: int) -> Integers:
    """Group of each value, 1 = lowest, of about equal sizes; equal values stay together, so that sizes may differ.

    A value belongs where the middle of its ranks falls. Groups that nothing falls into do not count: the numbers are
    1, 2, ... without gaps. Raises BenchsuiteError for less than one group.

    >>> quantile_groups([10, 20, 20, 30], 2).tolist(), quantile_groups([7, 7, 7, 9], 2).tolist()
    ([1, 2, 2, 2], [1, 1, 1, 2])
    """
    if groups < 1:
        raise BenchsuiteError(f"{groups} groups are not possible; give 1 or more")
    ranks = average_ranks(values)
    return dense_ranks(np.floor((ranks - 0.5) * groups / max(ranks.size, 1))) + 1


def end_members(values: ArrayLike, fraction: float, end: End) -> Booleans:
    """Which values are among the k = floor(fraction n) highest or lowest, with all tied at the cut; none if k < 1.

    >>> end_members([4, 3, 3, 1], 0.5, "top").tolist()
    [True, True, True, False]
    """
    dense = dense_ranks(values)
    k = top_count(dense.size, fraction)
    if k < 1:
        return np.zeros(dense.size, dtype=bool)
    cut = np.sort(dense)[-k if end == "top" else k - 1]
    members: Booleans = dense >= cut if end == "top" else dense <= cut
    return members


def tau_inside(scores: Floats, truth: Floats, confidence: float) -> dict[str, float]:
    """tau-b with its jackknife interval: kendall_tau, tau_low, tau_high."""
    figure = tau_b_without_each(concordance(scores, truth))
    low, high = correlation_interval(figure, confidence)
    return {"kendall_tau": figure.value, "tau_low": low, "tau_high": high}


def tau_within_ends(scores: pd.Series[float], truth: pd.Series[float], *, confidence: float = 0.95) -> pd.DataFrame:
    """tau-b inside the top and bottom K by score and by truth: whether the ranking still holds among the best.

    Columns: by ("scores" or "truth"), end ("top" or "bottom"), k (the fraction K), n, kendall_tau, tau_low, tau_high.
    Architectures tied at the cut are all inside, so that n can exceed K of all. Undefined scores rank worst, tied.
    Raises BenchsuiteError for unusable input.

    >>> truth = pd.Series({"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0})
    >>> table = tau_within_ends(pd.Series({"a": 1.0, "b": 2.0, "c": 4.0, "d": 3.0}), truth)
    >>> table.query("by == 'truth' and k == 0.5")[["end", "n", "kendall_tau"]].values.tolist()
    [['top', 2, -1.0], ['bottom', 2, 1.0]]
    """
    check_confidence(confidence)
    table = aligned(scores, truth)
    score_values, truth_values = arrays(table)
    rows = []
    for by, values in (("scores", score_values), ("truth", truth_values)):
        for end in get_args(End):
            for fraction in FRACTIONS:
                inside = end_members(values, fraction, end)
                figures = tau_inside(score_values[inside], truth_values[inside], confidence)
                rows.append({"by": by, "end": end, "k": fraction, "n": int(inside.sum()), **figures})
    return pd.DataFrame(rows)
