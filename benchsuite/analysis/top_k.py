"""Criteria of the two ends of a ranking (Ning et al., NeurIPS 2021, arXiv 2008.03064), exact under ties.

A criterion at K looks at the k = floor(K n) best or worst of n architectures. Where equal values straddle the cut, it
is the expected value when score ties and truth ties are broken at random, independently: no figure depends on the order
of rows. Undefined scores (NaN) rank below all others, tied. Higher is better for scores and truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.analysis.extremes import extremes
from benchsuite.analysis.ranking import Ranking, cumulated
from benchsuite.core import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

FRACTIONS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5)


def top_count(n: int, fraction: float) -> int:
    """Number of items in a fraction of n, rounded down; safe against the rounding of decimal fractions.

    >>> top_count(100, 0.29), int(100 * 0.29)
    (29, 28)

    Raises BenchsuiteError for a fraction outside (0, 1].
    """
    if not 0 < fraction <= 1:
        raise BenchsuiteError(f"a top-K fraction of {fraction} is not possible; give one above 0 and at most 1")
    return int(np.floor(round(fraction * n, 6)))


def precision_at_top(scores: ArrayLike, truth: ArrayLike, fraction: float) -> float:
    """Share of the k best-scored architectures that are among the k truly best (P@topK); NaN if k < 1.

    >>> precision_at_top([4, 3, 2, 1], [4, 1, 3, 2], 0.5)
    0.5
    >>> precision_at_top([0, 0, 0, 0], [4, 1, 3, 2], 0.5)  # a constant is as good as drawing lots
    0.5
    """
    return _precision(scores, truth, fraction)[0]


def precision_at_bottom(scores: ArrayLike, truth: ArrayLike, fraction: float) -> float:
    """Share of the k worst-scored architectures that are among the k truly worst (P@bottomK); NaN if k < 1.

    >>> precision_at_bottom([4, 3, 2, 1], [4, 2, 3, 1], 0.25)
    1.0
    """
    return _precision(scores, truth, fraction)[1]


def best_rank_at(scores: ArrayLike, truth: ArrayLike, fraction: float) -> float:
    """Best true rank among the k best-scored architectures, divided by n (BR@K): 1 / n is best; NaN if k < 1.

    >>> best_rank_at([4, 3, 2, 1], [1, 3, 4, 2], 0.5)
    0.5
    """
    return _extremes(scores, truth, fraction)[0]


def worst_rank_at(scores: ArrayLike, truth: ArrayLike, fraction: float) -> float:
    """Worst true rank among the k best-scored architectures, divided by n (WR@K); NaN if k < 1.

    >>> worst_rank_at([4, 3, 2, 1], [1, 3, 4, 2], 0.5)
    1.0
    """
    return _extremes(scores, truth, fraction)[1]


def regret_at(scores: ArrayLike, truth: ArrayLike, fraction: float) -> float:
    """Best truth of all less the best among the k best-scored, in units of the truth; NaN if k < 1.

    >>> regret_at([4, 3, 2, 1], [1, 3, 4, 2], 0.5)
    1.0
    """
    return _extremes(scores, truth, fraction)[2]


def precision(ranking: Ranking, weights: Integers, counts: Sequence[int]) -> Floats:
    """P@top and P@bottom of weighted samples: shape (2, b, len(counts)).

    `weights` has shape (b, n): how often each row of the input is drawn, the same sum in each; a repeated row is a tie.
    With p_i and q_i the probabilities that i is among the k best by truth and by score, P = sum_i w_i p_i q_i / k. NaN
    where k < 1.
    """
    ordered = weights[:, ranking.rows]
    by_truth, by_score = cumulated(ordered), cumulated(ordered[:, ranking.by_score])
    truth = _Places(by_truth[:, ranking.truth_start], by_truth[:, ranking.truth_end])
    score = _Places(by_score[:, ranking.score_start], by_score[:, ranking.score_end])
    top = _overlaps(ordered, truth, score, counts)
    total = by_truth[:, -1:]
    bottom = _overlaps(ordered[:, ::-1], truth.from_worst(total), score.from_worst(total), counts)
    return np.stack([top, bottom])


@dataclass(frozen=True, slots=True)
class _Places:
    """The places start..end - 1 that each item of a sample shares with those tied with it: arrays of shape (b, n)."""

    start: Integers
    end: Integers

    def from_worst(self, total: Integers) -> _Places:
        """The same counted from the other end, items in reverse order."""
        return _Places((total - self.end)[:, ::-1], (total - self.start)[:, ::-1])

    def share(self) -> Floats:
        """Probability of an item to take a given one of its places; any number for an item that is not drawn."""
        sizes = self.end - self.start
        by_size: Floats = 1 / np.maximum(np.arange(sizes.max(initial=0) + 1), 1)  # faster than as many divisions
        shares: Floats = by_size[sizes]
        return shares


def _overlaps(weights: Integers, truth: _Places, score: _Places, counts: Sequence[int]) -> Floats:
    """Precision at every count, shape (b, len(counts)); items are ordered by truth."""
    overlaps = np.full((weights.shape[0], len(counts)), np.nan)
    truth_share, score_share, earliest = truth.share(), score.share(), truth.start.min(axis=0)
    for column, k in enumerate(counts):
        if k >= 1:
            near = slice(int(np.searchsorted(earliest, k)))  # no item further down can be among the k truly best
            inside = np.clip((k - truth.start[:, near]) * truth_share[:, near], 0, 1)
            inside *= np.clip((k - score.start[:, near]) * score_share[:, near], 0, 1)
            overlaps[:, column] = np.einsum("ij,ij->i", inside, weights[:, near]) / k
    return overlaps


def _precision(scores: ArrayLike, truth: ArrayLike, fraction: float) -> tuple[float, float]:
    ranking = Ranking.of(scores, truth)
    top, bottom = precision(ranking, ranking.whole(), [top_count(ranking.size, fraction)])[:, 0, 0]
    return float(top), float(bottom)


def _extremes(scores: ArrayLike, truth: ArrayLike, fraction: float) -> tuple[float, float, float]:
    ranking = Ranking.of(scores, truth)
    best, worst, regret = extremes(ranking, ranking.whole(), [top_count(ranking.size, fraction)])[:, 0, 0]
    return float(best), float(worst), float(regret)
