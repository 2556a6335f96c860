"""Precision at both ends of a ranking, of many weighted samples at once, as exact expectations over ties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.analysis.ranking import Ranking, cumulated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchsuite.analysis.ranking import Weights
    from benchsuite.core.arrays import Floats, Integers


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
