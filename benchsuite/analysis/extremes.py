"""Best and worst true rank among the k best-scored architectures, and the regret, as exact expectations over ties.

With r_i the rank of architecture i by ground truth y_i, 1 = best of M, and A the k best-scored, Ning et al. (NeurIPS
2021) define BR = min over A of r_i / M and WR = max over A of r_i / M; the regret is max y_i less max over A of y_i.

Ties are broken at random: which of the architectures with the score at the cut are among the k, and the order of those
with equal ground truth. A consists of `certain` architectures, scored above the cut, and `drawn` ones of `borderline`
architectures, whose score is that at the cut. The expectation over all ways to break the ties is found in one pass:

1.  Go through the borderline architectures from the truly best, equally good ones in random order, up to the best
    certain one. If the first j of them are not drawn, then neither is the next with the probability

        u_j = (borderline - j - drawn) / (borderline - j)

    and with v_j the rank (or ground truth) of the next, and that of the best certain one at the end, the expected value
    of the best is the sum over j of u_0 u_1 ... u_(j-1) (1 - u_j) v_j.
2.  Where l borderline and a certain architectures have the same ground truth, among s architectures of the sample that
    have it, the i-th of these l + a in random order is expected at the rank i (s + 1) / (l + a + 1) of the s. If i of
    the borderline ones came first, the next is a borderline one, not a certain one, with the probability
    (l - i) / (l + a - i), by which u_j is multiplied.

The worst rank is found in the same way from the other end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.analysis.ranking import cumulated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.analysis.ranking import Ranking, Weights
    from benchsuite.core.arrays import Booleans, Floats, Integers

NEGLIGIBLE = 42  # -log of a probability that no sum in double precision notices


def extremes(ranking: Ranking, kept: Weights, counts: Sequence[int]) -> Floats:
    """Return BR, WR and regret of subsamples.

    Parameters
    ----------
    ranking
        The n architectures.
    kept
        b subsamples of m architectures each, shape (b, n): 1 for a row of the input that is in it, 0 otherwise.
    counts
        Numbers k of best-scored architectures.

    Returns
    -------
    array
        BR and WR (ranks divided by m) and regret (in units of the ground truth), shape (3, b, len(counts)); NaN where
        k < 1.

    Examples
    --------
    >>> from benchsuite.analysis.ranking import Ranking
    >>> ranking = Ranking.of([4, 3, 2, 1], [90.0, 93.0, 94.0, 92.0])
    >>> extremes(ranking, ranking.whole(), [2])[:, 0, 0].tolist()
    [0.5, 1.0, 1.0]
    """
    found = np.full((3, kept.shape[0], len(counts)), np.nan)
    wanted = [(column, k) for column, k in enumerate(counts) if k >= 1]
    if wanted:
        samples = BestScored.of(ranking, kept, max(k for _, k in wanted))
        ranks = samples.true_ranks(kept)
        for column, k in wanted:
            found[:, :, column] = [*_best_and_worst(*ranks, samples.cut(k)), samples.regret(k)]
    return found


@dataclass(frozen=True, slots=True)
class BestScored:
    """The best-scored architectures of b subsamples, best first, as far as the equal scores at the k-th: (b, width).

    Attributes
    ----------
    ranking
        The n architectures from which the subsamples were drawn.
    chosen
        Ranks by score, equally scored architectures in the order of their ground truth; those of each further row
        are increased by n, so that all ascend.
    truth
        Their ground truth.
    highest
        Highest ground truth of the first none, one, two, ... of them, shape (b, width + 1); of none, the lowest of all.
    best
        Highest ground truth of each whole subsample, shape (b, 1).
    """

    ranking: Ranking
    chosen: Integers
    truth: Floats
    highest: Floats
    best: Floats

    @classmethod
    def of(cls, ranking: Ranking, kept: Weights, k: int) -> BestScored:
        """Select the best-scored architectures of subsamples.

        Parameters
        ----------
        ranking
            The n architectures.
        kept
            Subsamples of equal size, shape (b, n): 1 for a row of the input that is in it, 0 otherwise.
        k
            How many of the best-scored are needed, at least 1.

        Returns
        -------
        BestScored
            The k best-scored, and all with the same score as the k-th.
        """
        by_score = np.ascontiguousarray(kept.T[ranking.rows_by_score].T)
        chosen = np.flatnonzero(by_score.astype(bool)).reshape(len(kept), -1)
        offset = ranking.size * np.arange(len(kept))[:, None]
        tied_until = ranking.score_end[ranking.by_score[chosen[:, k - 1] - offset[:, 0]]][:, None]
        chosen = chosen[:, : int(np.count_nonzero(chosen < tied_until + offset, axis=1).max())]
        truth = ranking.truth[ranking.by_score][chosen - offset]
        highest = np.full((len(kept), truth.shape[1] + 1), ranking.truth[-1])
        np.maximum.accumulate(truth, axis=1, out=highest[:, 1:])
        best = ranking.truth[np.argmax(kept.T[ranking.rows], axis=0)][:, None]
        return cls(ranking, chosen, truth, highest, best)

    @property
    def offset(self) -> Integers:
        """By how much the rows of `chosen` are beyond the first, shape (b,)."""
        return self.ranking.size * np.arange(len(self.chosen))

    def true_ranks(self, kept: Weights) -> tuple[Integers, Integers, int]:
        """Return the ranks by ground truth of the architectures inside their subsample.

        Parameters
        ----------
        kept
            The subsamples, as for `of`.

        Returns
        -------
        tuple
            First rank of each, from 0 = best, and the one after its last, shape (b, width); and the number of
            architectures of a subsample.
        """
        upto = cumulated(kept.T[self.ranking.rows]).T
        items = self.ranking.by_score[self.chosen - self.offset[:, None]]
        ends = (self.ranking.truth_start, self.ranking.truth_end)
        start, end = (np.take_along_axis(upto, at[items], axis=1) for at in ends)
        return start, end, int(upto[0, -1])

    def tied_with(self, column: int | Integers) -> tuple[Integers, Integers]:
        """Return which columns have the same score as a given one.

        Parameters
        ----------
        column
            A column, or one of each subsample, shape (b,).

        Returns
        -------
        tuple
            First of the columns with this score, and the one after the last, shape (b,).
        """
        rows, width = np.arange(len(self.chosen)), self.chosen.shape[1]
        item = self.ranking.by_score[self.chosen[rows, column] - self.offset]
        ends = (self.ranking.score_start[item], self.ranking.score_end[item])
        first, stop = (np.searchsorted(self.chosen.ravel(), end + self.offset) - width * rows for end in ends)
        return first, stop

    def are_enough(self, k: int) -> Booleans:
        """Return whether the best of each subsample is certain to be among its k best-scored.

        Parameters
        ----------
        k
            Number of best-scored architectures.

        Returns
        -------
        array
            Shape (b,); where True, more of them leave no regret.
        """
        certain = self.tied_with(k - 1)[0][:, None]
        enough: Booleans = (np.take_along_axis(self.highest, certain, axis=1) == self.best).ravel()
        return enough

    def cut(self, k: int | Integers) -> _Cut:
        """Return where the k best-scored end.

        Parameters
        ----------
        k
            Number of best-scored architectures, or one of each subsample, shape (b,).

        Returns
        -------
        _Cut
            How many of them are above the cut, and how many tied at it.
        """
        certain, stop = self.tied_with(k - 1)
        return _Cut(certain[:, None], (stop - certain)[:, None], (k - certain)[:, None])

    def regret(self, k: int | Integers) -> Floats:
        """Return the expected difference between the best of a subsample and the best of its k best-scored.

        Parameters
        ----------
        k
            Number of best-scored architectures, or one of each subsample, shape (b,).

        Returns
        -------
        array
            Regret in units of the ground truth, shape (b,).
        """
        cut = self.cut(k)
        steps = np.arange(int(cut.reach().max()) + 1)
        certain = np.take_along_axis(self.highest, cut.certain, axis=1)  # the best of the certain ones
        columns = np.minimum(cut.certain + steps, self.truth.shape[1] - 1)
        borderline = np.take_along_axis(self.truth, columns, axis=1)
        values = np.concatenate([np.maximum(borderline, certain), certain], axis=1)
        return _expected(cut.not_drawn(steps), self.best - values)


@dataclass(frozen=True, slots=True)
class _Cut:
    """How many architectures of each subsample are certain, borderline, and drawn of the borderline: shape (b, 1)."""

    certain: Integers
    borderline: Integers
    drawn: Integers

    def reach(self) -> Integers:
        """How many borderline architectures may come before the first drawn one, but for a negligible probability."""
        # P(first j not drawn) <= (1 - drawn / borderline)^j <= exp(-j drawn / borderline)
        number: Integers = np.minimum(self.borderline - 1, NEGLIGIBLE * self.borderline // self.drawn)
        return number

    def not_drawn(self, steps: Integers) -> Floats:
        """u_j: probability that the next one is not drawn after j that were not: shape (b, steps); 1 after the last.

        >>> cut = _Cut(*np.array([[[0]], [[3]], [[2]]]))
        >>> cut.not_drawn(np.arange(4)).round(2).tolist()
        [[0.33, 0.0, -1.0, 1.0]]
        """
        # the fraction of the borderline ones left that are not drawn (u_j above)
        left = np.maximum(self.borderline - steps, 1)
        return np.where(steps < self.borderline, (left - self.drawn) / left, 1.0)


def _expected(passed: Floats, values: Floats) -> Floats:
    """Expected value at the first step that is not passed, from the probabilities to pass all but the last: (b,)."""
    # sum over j of u_0 ... u_(j-1) (1 - u_j) v_j = sum over j of (reached_j - reached_(j+1)) v_j
    reached = np.concatenate([np.ones((len(passed), 1)), np.cumprod(passed, axis=1)], axis=1)
    means: Floats = np.einsum("ij,ij->i", -np.diff(reached, append=0, axis=1), values)
    return means


def _best_and_worst(start: Integers, end: Integers, size: int, cut: _Cut) -> tuple[Floats, Floats]:
    """BR and WR, ranks divided by the size of the subsample."""
    steps = np.arange(int(cut.borderline.max()))
    best = _first_rank(start, end, cut, cut.certain + steps)
    from_worst = _first_rank(size - end, size - start, cut, cut.certain + cut.borderline - 1 - steps)
    return best / size, (size + 1 - from_worst) / size


def _first_rank(start: Integers, end: Integers, cut: _Cut, borderline: Integers) -> Floats:
    """Expected first rank that is taken, from 1; `borderline` are columns, the truly best of them first.

    Columns after the last borderline one have no meaning.
    """
    best, bar, rivals = _best_certain(start, cut.certain)
    columns = np.where(np.arange(borderline.shape[1]) < cut.borderline, borderline, best)
    item, inside = _up_to_certain(start, cut, columns, bar)
    first, last = (np.take_along_axis(ranks, np.concatenate([item, best], axis=1), axis=1) for ranks in (start, end))
    before, tied = _ties(first[:, :-1], inside, bar)
    rivals = np.where(first == bar, rivals, 0)
    # v_j = first + i (s + 1) / (l + a + 1), where i = before + 1, s = last - first, l = tied, a = rivals
    rank = first + (before + 1) * (last - first + 1) / (tied + rivals + 1)
    ahead = (tied - before)[:, :-1]  # l - i, where i of the l came first
    passed = cut.not_drawn(np.arange(item.shape[1])) * ahead / (ahead + rivals[:, :-1])
    return _expected(np.where(inside, passed, 1.0), rank)


def _best_certain(start: Integers, certain: Integers) -> tuple[Integers, Integers, Integers]:
    """Column of a truly best certain architecture, its first rank, and how many share it: shape (b, 1)."""
    width, none = max(int(certain.max()), 1), np.iinfo(start.dtype).max
    ranks = np.where(np.arange(width) < certain, start[:, :width], none)
    best = ranks.argmin(axis=1)[:, None]
    bar = np.take_along_axis(ranks, best, axis=1)
    return best, bar, np.count_nonzero(ranks == bar, axis=1)[:, None]


def _up_to_certain(start: Integers, cut: _Cut, item: Integers, bar: Integers) -> tuple[Integers, Booleans]:
    """The borderline ones that may be first, as columns and which of these count: up to the best certain one."""
    first = np.take_along_axis(start, item, axis=1)
    furthest = np.minimum(bar, np.take_along_axis(first, cut.reach(), axis=1))
    inside = (first <= furthest) & (np.arange(item.shape[1]) < cut.borderline)
    width = int(inside.sum(axis=1).max())
    return item[:, :width], inside[:, :width]


def _ties(first: Integers, inside: Booleans, bar: Integers) -> tuple[Integers, Integers]:
    """How many of the equally good borderline ones come before each, and how many there are; rows of `first` ascend.

    One more column is for what follows all that are as good as the best certain one.
    """
    new = np.ones(first.shape, dtype=bool)
    new[:, 1:] = (first[:, 1:] != first[:, :-1]) | ~inside[:, 1:]
    begins, group = np.flatnonzero(new), np.cumsum(new) - 1
    before, tied = np.arange(new.size) - begins[group], np.diff(begins, append=new.size)[group]
    level = np.count_nonzero(inside & (first == bar), axis=1)
    return np.column_stack([before.reshape(new.shape), level]), np.column_stack([tied.reshape(new.shape), level])
