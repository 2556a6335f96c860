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
from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from benchsuite.analysis.ranking import Weights
    from benchsuite.core.arrays import Floats, Integers


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


def precision(ranking: Ranking, weights: Weights, counts: Sequence[int]) -> Floats:
    """P@top and P@bottom of weighted samples: shape (2, b, len(counts)).

    `weights` has shape (b, n): how often each row of the input is drawn, the same sum in each; a repeated row is a tie.
    With p_i and q_i the probabilities that i is among the k best by truth and by score, P = sum_i w_i p_i q_i / k. NaN
    where k < 1.
    """
    return np.stack([_overlaps(end, weights, counts) for end in (ranking, ranking.from_worst())])


def _overlaps(ranking: Ranking, weights: Weights, counts: Sequence[int]) -> Floats:
    """Precision at the top of every count, shape (b, len(counts))."""
    overlaps = np.full((len(weights), len(counts)), np.nan)
    wanted = [(column, k) for column, k in enumerate(counts) if k >= 1]
    if not wanted:
        return overlaps
    most, by_score = max(k for _, k in wanted), ranking.by_score
    by_truth = _Cumulated.of(weights, ranking.rows, ranking.truth_start, ranking.truth_end, most)
    scored = _Cumulated.of(
        weights, ranking.rows_by_score, ranking.score_start[by_score], ranking.score_end[by_score], most
    )
    for column, k in wanted:
        overlaps[:, column] = _common(ranking, weights, by_truth.cut(k), scored.cut(k)) / k
    return overlaps


def _common(ranking: Ranking, weights: Weights, truth: _Cut, score: _Cut) -> Floats:
    """Expected number of items of each sample that are above the cuts both in truth and in score: shape (b,).

    Most items are surely above or surely not, in all samples alike; the shares are needed between these only.
    """
    places = np.arange(int(truth.end.max()))  # in truth: nothing further down is above the cut in any sample
    by_score, rows = ranking.score_start[places], ranking.rows[places]
    sure = (places < truth.start.min()) & (by_score < score.start.min())
    open_ = ~sure & (by_score < score.end.max())
    certain = weights.T[rows[sure]].sum(axis=0, dtype=np.int32)
    shares = truth.shares(places[open_]) * score.shares(by_score[open_])
    common: Floats = certain + np.einsum("ij,ij->j", shares, weights.T[rows[open_]])
    return common


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where the k best of b samples end: at a group of tied places start..end - 1, a share of which is above; (b,)."""

    start: Integers
    end: Integers
    share: Floats

    def shares(self, places: Integers) -> Floats:
        """Probabilities to be above the cut of items at the first of their tied places: shape (len(places), b)."""
        whole, tied = places[:, None] < self.start, places[:, None] < self.end
        return np.where(whole, 1.0, np.where(tied, self.share, 0.0))


@dataclass(frozen=True, slots=True)
class _Cumulated:
    """Cumulated weights of b samples in the order of a column, best first, as far as any of the k best can lie.

    `sums` has shape (m + 1, b), its columns ascend; `lowest` and `highest` are the extremes of its rows. `start` and
    `end` are the places of the group of equal items at each place.
    """

    sums: NDArray[np.int32]
    lowest: NDArray[np.int32]
    highest: NDArray[np.int32]
    start: Integers
    end: Integers

    @classmethod
    def of(cls, weights: Weights, order: Integers, start: Integers, end: Integers, k: int) -> _Cumulated:
        n = order.size
        for length in (min(n, k + 8 * int(np.sqrt(n)) + 8), n):  # hardly ever are the k best of a sample beyond that
            sums = cumulated(weights.T[order[: end[length - 1]]])
            if sums[-1].min() >= k:
                break
        return cls(sums, sums.min(axis=1), sums.max(axis=1), start, end)

    def cut(self, k: int) -> _Cut:
        """Where the k best of each sample end."""
        first, last = np.searchsorted(self.highest, k), np.searchsorted(self.lowest, k)
        at = first - 1 + np.count_nonzero(self.sums[first:last] < k, axis=0)
        start, end, samples = self.start[at], self.end[at], np.arange(at.size)
        before = self.sums[start, samples]
        return _Cut(start, end, (k - before) / (self.sums[end, samples] - before))


def _precision(scores: ArrayLike, truth: ArrayLike, fraction: float) -> tuple[float, float]:
    ranking = Ranking.of(scores, truth)
    top, bottom = precision(ranking, ranking.whole(), [top_count(ranking.size, fraction)])[:, 0, 0]
    return float(top), float(bottom)


def _extremes(scores: ArrayLike, truth: ArrayLike, fraction: float) -> tuple[float, float, float]:
    ranking = Ranking.of(scores, truth)
    best, worst, regret = extremes(ranking, ranking.whole(), [top_count(ranking.size, fraction)])[:, 0, 0]
    return float(best), float(worst), float(regret)
