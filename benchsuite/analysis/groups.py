"""Kendall's tau within parts of a sample: the ends of a ranking, and groups of about equal size."""

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
    """Divide values into groups of about equal size; equal values stay together, so that sizes may differ.

    Parameters
    ----------
    values
        Numbers, shape (n,).
    groups
        Number of groups, at least 1. Groups that no value falls into are not counted.

    Returns
    -------
    array
        Group of each value, 1 = lowest, without gaps, shape (n,): where the middle of its ranks falls.

    Raises
    ------
    BenchsuiteError
        For less than one group.

    Examples
    --------
    >>> quantile_groups([10, 20, 20, 30], 2).tolist(), quantile_groups([7, 7, 7, 9], 2).tolist()
    ([1, 2, 2, 2], [1, 1, 1, 2])
    """
    if groups < 1:
        raise BenchsuiteError(f"groups = {groups}; must be at least 1")
    ranks = average_ranks(values)
    return dense_ranks(np.floor((ranks - 0.5) * groups / max(ranks.size, 1))) + 1


def end_members(values: ArrayLike, fraction: float, end: End) -> Booleans:
    """Return which values are among the highest or lowest, with all that are tied at the cut.

    Parameters
    ----------
    values
        Numbers, shape (n,); NaN ranks lowest, tied.
    fraction
        K: the k = floor(K n) highest or lowest are wanted.
    end
        "top" for the highest, "bottom" for the lowest.

    Returns
    -------
    array
        True for members, shape (n,); all False if k < 1.

    Examples
    --------
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
    """Return tau-b of a group with its jackknife interval.

    Parameters
    ----------
    scores
        Scores of the group, shape (n,); NaN = undefined, ranked worst.
    truth
        Ground truth of the same architectures, shape (n,).
    confidence
        Coverage of the interval.

    Returns
    -------
    dict
        kendall_tau, tau_low, tau_high; the ends are NaN below ten architectures.

    Examples
    --------
    >>> tau_inside(np.array([1.0, 2.0, 3.0]), np.array([90.0, 91.0, 92.0]), 0.95)
    {'kendall_tau': 1.0, 'tau_low': nan, 'tau_high': nan}
    """
    statistic = tau_b_without_each(concordance(scores, truth))
    low, high = correlation_interval(statistic, confidence)
    return {"kendall_tau": statistic.value, "tau_low": low, "tau_high": high}


def tau_within_ends(scores: pd.Series[float], truth: pd.Series[float], *, confidence: float = 0.95) -> pd.DataFrame:
    """Return tau-b within the top and bottom K by score and by ground truth: how well the best are ranked.

    Parameters
    ----------
    scores
        Scores by architecture; NaN = undefined, ranked worst, tied.
    truth
        Ground truth by architecture.
    confidence
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        A row per end and K. Columns: by ("scores" or "truth"), end ("top" or "bottom"), k (the fraction K), n,
        kendall_tau, tau_low, tau_high. Architectures tied at the cut are all inside, so that n can exceed K of all.

    Raises
    ------
    BenchsuiteError
        For input that `aligned` refuses, or a confidence outside (0, 1).

    Examples
    --------
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
                taus = tau_inside(score_values[inside], truth_values[inside], confidence)
                rows.append({"by": by, "end": end, "k": fraction, "n": int(inside.sum()), **taus})
    return pd.DataFrame(rows)
