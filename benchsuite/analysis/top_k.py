"""Criteria of the two ends of a ranking (Ning et al., NeurIPS 2021, arXiv 2008.03064), exact under ties.

A criterion at K looks at the k = floor(K n) best or worst of n architectures. Where equal values straddle the cut, it
is the expected value when ties of scores and ties of ground truth are broken at random, independently: no result
depends on the order of rows. Undefined scores (NaN) rank below all others, tied. Higher is better for both.
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


def precision(ranking: Ranking, weights: Weights, counts: Sequence[int]) -> Floats:
    """Return P@top and P@bottom of weighted samples, such as of the bootstrap.

    Parameters
    ----------
    ranking
        The n architectures.
    weights
        How often each row of the input is drawn, shape (b, n), the same sum in each sample; a repeated row is a tie.
    counts
        Numbers k of best or worst architectures.

    Returns
    -------
    array
        P@top and P@bottom, shape (2, b, len(counts)); NaN where k < 1.

    Notes
    -----
    With p_i and q_i the probabilities that i is among the k best by ground truth and by score if ties are broken at
    random, and w_i its weight, P = sum over i of w_i p_i q_i / k. Of a group of tied items of total weight t, of which
    the k best still take r after all better ones, each is among them with probability r / t.

    Examples
    --------
    >>> ranking = Ranking.of([4, 3, 2, 1], [4, 1, 3, 2])
    >>> precision(ranking, ranking.whole(), [2])[:, 0, 0].tolist()
    [0.5, 0.5]
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


def _common(ranking: Ranking, weights: Weights, truth: _TiedCut, score: _TiedCut) -> Floats:
    """Sum of w_i p_i q_i: expected number of items of each sample that are above both cuts, shape (b,).

    Most items are above, or not, in all samples with certainty; probabilities are needed between these only.
    """
    ranks = np.arange(int(truth.end.max()))  # by truth: nothing further down is above the cut in any sample
    by_score, rows = ranking.score_start[ranks], ranking.rows[ranks]
    sure = (ranks < truth.start.min()) & (by_score < score.start.min())
    open_ = ~sure & (by_score < score.end.max())
    certain = weights.T[rows[sure]].sum(axis=0, dtype=np.int32)
    both = truth.probabilities(ranks[open_]) * score.probabilities(by_score[open_])  # p_i q_i
    common: Floats = certain + np.einsum("ij,ij->j", both, weights.T[rows[open_]])
    return common


@dataclass(frozen=True, slots=True)
class _TiedCut:
    """Where the k best of b samples end: within the tied ranks start..end - 1, a share of which is above; (b,)."""

    start: Integers
    end: Integers
    share: Floats

    def probabilities(self, ranks: Integers) -> Floats:
        """Probabilities to be above the cut, of items at the first of their tied ranks: shape (len(ranks), b)."""
        whole, tied = ranks[:, None] < self.start, ranks[:, None] < self.end
        return np.where(whole, 1.0, np.where(tied, self.share, 0.0))


@dataclass(frozen=True, slots=True)
class _Cumulated:
    """Cumulated weights of b samples in the order of a column, best first, as far as any of the k best can lie.

    `sums` has shape (m + 1, b), its columns ascend; `lowest` and `highest` are the extremes of its rows. `start` and
    `end` are the ranks of the group of equal items at each rank.
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

    def cut(self, k: int) -> _TiedCut:
        """Where the k best of each sample end."""
        first, last = np.searchsorted(self.highest, k), np.searchsorted(self.lowest, k)
        at = first - 1 + np.count_nonzero(self.sums[first:last] < k, axis=0)  # rank of the item that reaches weight k
        start, end, samples = self.start[at], self.end[at], np.arange(at.size)
        before = self.sums[start, samples]
        # r / t: what the k best still take of the tied items, over the weight of these
        return _TiedCut(start, end, (k - before) / (self.sums[end, samples] - before))


def _precision(scores: ArrayLike, truth: ArrayLike, fraction: float) -> tuple[float, float]:
    ranking = Ranking.of(scores, truth)
    top, bottom = precision(ranking, ranking.whole(), [top_count(ranking.size, fraction)])[:, 0, 0]
    return float(top), float(bottom)


def _extremes(scores: ArrayLike, truth: ArrayLike, fraction: float) -> tuple[float, float, float]:
    ranking = Ranking.of(scores, truth)
    best, worst, regret = extremes(ranking, ranking.whole(), [top_count(ranking.size, fraction)])[:, 0, 0]
    return float(best), float(worst), float(regret)
