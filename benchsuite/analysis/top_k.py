"""Criteria of the two ends of a ranking (Ning et al., NeurIPS 2021, arXiv 2008.03064), exact under ties.

A criterion at K looks at the k = floor(K n) best or worst of n architectures. Where equal values straddle the cut, it
is the expected value when ties of scores and ties of ground truth are broken at random, independently: no result
depends on the order of rows. Undefined scores (NaN) rank below all others, tied. Higher is better for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchsuite.analysis.extremes import extremes
from benchsuite.analysis.precision import precision
from benchsuite.analysis.ranking import Ranking
from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

FRACTIONS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5)


def top_count(n: int, fraction: float) -> int:
    """Return the number of items in a fraction of n, rounded down; safe against the rounding of decimal fractions.

    Parameters
    ----------
    n
        Number of items.
    fraction
        K, above 0 and at most 1.

    Returns
    -------
    int
        floor(K n).

    Raises
    ------
    BenchsuiteError
        For another fraction.

    Examples
    --------
    >>> top_count(100, 0.29), int(100 * 0.29)
    (29, 28)
    """
    if not 0 < fraction <= 1:
        raise BenchsuiteError(f"top-K fraction = {fraction}; must be above 0 and at most 1")
    return int(np.floor(round(fraction * n, 6)))


def precision_at_top(scores: ArrayLike, truth: ArrayLike, fraction: float) -> float:
    """Return P@topK, the share of the k best-scored architectures that are among the k truly best.

    Parameters
    ----------
    scores
        Scores, shape (n,); NaN = undefined, ranked worst.
    truth
        Ground truth, shape (n,).
    fraction
        K, of which k = floor(K n).

    Returns
    -------
    float
        Share in [0, 1], higher is better; NaN if k < 1.

    Examples
    --------
    >>> precision_at_top([4, 3, 2, 1], [4, 1, 3, 2], 0.5)
    0.5
    >>> precision_at_top([0, 0, 0, 0], [4, 1, 3, 2], 0.5)  # a constant is as good as a random choice
    0.5
    """
    return _precision(scores, truth, fraction)[0]


def precision_at_bottom(scores: ArrayLike, truth: ArrayLike, fraction: float) -> float:
    """Return P@bottomK, the share of the k worst-scored architectures that are among the k truly worst.

    Parameters
    ----------
    scores
        Scores, shape (n,); NaN = undefined, ranked worst.
    truth
        Ground truth, shape (n,).
    fraction
        K, of which k = floor(K n).

    Returns
    -------
    float
        Share in [0, 1], higher is better; NaN if k < 1.

    Examples
    --------
    >>> precision_at_bottom([4, 3, 2, 1], [4, 2, 3, 1], 0.25)
    1.0
    """
    return _precision(scores, truth, fraction)[1]


def best_rank_at(scores: ArrayLike, truth: ArrayLike, fraction: float) -> float:
    """Return BR@K, the best true rank among the k best-scored architectures, divided by n.

    Parameters
    ----------
    scores
        Scores, shape (n,); NaN = undefined, ranked worst.
    truth
        Ground truth, shape (n,).
    fraction
        K, of which k = floor(K n).

    Returns
    -------
    float
        In [1 / n, 1], lower is better; NaN if k < 1.

    Examples
    --------
    >>> best_rank_at([4, 3, 2, 1], [1, 3, 4, 2], 0.5)
    0.5
    """
    return _extremes(scores, truth, fraction)[0]


def worst_rank_at(scores: ArrayLike, truth: ArrayLike, fraction: float) -> float:
    """Return WR@K, the worst true rank among the k best-scored architectures, divided by n.

    Parameters
    ----------
    scores
        Scores, shape (n,); NaN = undefined, ranked worst.
    truth
        Ground truth, shape (n,).
    fraction
        K, of which k = floor(K n).

    Returns
    -------
    float
        In [k / n, 1], lower is better; NaN if k < 1.

    Examples
    --------
    >>> worst_rank_at([4, 3, 2, 1], [1, 3, 4, 2], 0.5)
    1.0
    """
    return _extremes(scores, truth, fraction)[1]


def regret_at(scores: ArrayLike, truth: ArrayLike, fraction: float) -> float:
    """Return the best ground truth of all less the best among the k best-scored architectures.

    Parameters
    ----------
    scores
        Scores, shape (n,); NaN = undefined, ranked worst.
    truth
        Ground truth, shape (n,).
    fraction
        K, of which k = floor(K n).

    Returns
    -------
    float
        Regret in units of the ground truth, lower is better; NaN if k < 1.

    Examples
    --------
    >>> regret_at([4, 3, 2, 1], [1, 3, 4, 2], 0.5)
    1.0
    """
    return _extremes(scores, truth, fraction)[2]


def _precision(scores: ArrayLike, truth: ArrayLike, fraction: float) -> tuple[float, float]:
    ranking = Ranking.of(scores, truth)
    top, bottom = precision(ranking, ranking.whole(), [top_count(ranking.size, fraction)])[:, 0, 0]
    return float(top), float(bottom)


def _extremes(scores: ArrayLike, truth: ArrayLike, fraction: float) -> tuple[float, float, float]:
    ranking = Ranking.of(scores, truth)
    best, worst, regret = extremes(ranking, ranking.whole(), [top_count(ranking.size, fraction)])[:, 0, 0]
    return float(best), float(worst), float(regret)
