"""Best and worst true rank among the k best-scored architectures, and the regret, as exact expectations under ties.

Lots are drawn: which of the equally scored architectures at the cut are among the k, and the order of equally true
ones. The k hold `certain` architectures and `drawn` of the `loose` ones that are tied at the cut. Go through the loose
ones from the truly best, equally true ones in an order drawn by lot, up to the best certain one. The first that is
chosen takes the best rank: after j that were not, the next is not with probability (loose - j - drawn) / (loose - j).
Where l loose and a certain ones are equally true, on s places, the i-th of these in the order of the lots is expected
on the place i (s + 1) / (l + a + 1), and after i loose ones the next is loose with probability (l - i) / (l + a - i).
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


SURE = 42  # -log of a probability that no sum in double precision notices


def extremes(ranking: Ranking, kept: Weights, counts: Sequence[int]) -> Floats:
    """BR and WR (ranks divided by m) and regret of subsamples of m architectures: shape (3, b, len(counts)).

    `kept` has shape (b, n): 1 for a row of the input that is in the subsample, 0 otherwise, equally many in each. NaN
    where k < 1.
    """
    figures = np.full((3, kept.shape[0], len(counts)), np.nan)
    wanted = [(column, k) for column, k in enumerate(counts) if k >= 1]
    if wanted:
        samples = BestScored.of(ranking, kept, max(k for _, k in wanted))
        places = samples.places(kept)
        for column, k in wanted:
            figures[:, :, column] = [*_ranks(*places, samples.lot(k)), samples.regret(k)]
    return figures


@dataclass(frozen=True, slots=True)
class BestScored:
    """The best-scored architectures of b subsamples, best first, as far as the equal scores at the k-th: (b, width).

    `chosen` are places by score, equally scored ones in the order of their truth; the n places of each further row
    follow those before, so that all ascend. `highest` has one column more than `truth`: the highest truth of the first
    none, one, two ... (of none the lowest of all). `best` is that of each whole subsample, shape (b, 1).
    """

    ranking: Ranking
    chosen: Integers
    truth: Floats
    highest: Floats
    best: Floats

    @classmethod
    def of(cls, ranking: Ranking, kept: Weights, k: int) -> BestScored:
        """Subsamples, of which `kept` has shape (b, n) and is 1 for a row of the input that is in, 0 otherwise."""
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
        """By how much the rows of `chosen` are beyond the first: shape (b,)."""
        return self.ranking.size * np.arange(len(self.chosen))

    def places(self, kept: Weights) -> tuple[Integers, Integers, int]:
        """Places by truth of the architectures inside their subsample, start..end - 1, and how many it has."""
        upto = cumulated(kept.T[self.ranking.rows]).T
        items = self.ranking.by_score[self.chosen - self.offset[:, None]]
        ends = (self.ranking.truth_start, self.ranking.truth_end)
        start, end = (np.take_along_axis(upto, at[items], axis=1) for at in ends)
        return start, end, int(upto[0, -1])

    def level(self, column: int | Integers) -> tuple[Integers, Integers]:
        """First column of the scores that equal that of a column of each subsample, and the one after the last."""
        rows, width = np.arange(len(self.chosen)), self.chosen.shape[1]
        item = self.ranking.by_score[self.chosen[rows, column] - self.offset]
        ends = (self.ranking.score_start[item], self.ranking.score_end[item])
        first, stop = (np.searchsorted(self.chosen.ravel(), end + self.offset) - width * rows for end in ends)
        return first, stop

    def are_enough(self, k: int) -> Booleans:
        """Whether the best of each subsample is surely among its k best-scored: more of them leave no regret."""
        certain = self.level(k - 1)[0][:, None]
        enough: Booleans = (np.take_along_axis(self.highest, certain, axis=1) == self.best).ravel()
        return enough

    def lot(self, k: int | Integers) -> _Lot:
        """Who is among the k best-scored, for one k or one of each subsample."""
        certain, stop = self.level(k - 1)
        return _Lot(certain[:, None], (stop - certain)[:, None], (k - certain)[:, None])

    def regret(self, k: int | Integers) -> Floats:
        """Expected difference between the best of a subsample and of its k best-scored, in units of truth: (b,)."""
        lot = self.lot(k)
        steps = np.arange(int(lot.reach().max()) + 1)
        bar = np.take_along_axis(self.highest, lot.certain, axis=1)
        loose = np.take_along_axis(self.truth, np.minimum(lot.certain + steps, self.truth.shape[1] - 1), axis=1)
        first = np.concatenate([np.maximum(loose, bar), bar], axis=1)
        return _mean(lot.unchosen(steps), self.best - first)


@dataclass(frozen=True, slots=True)
class _Lot:
    """How many architectures of each subsample are among the k, tied at the cut, and drawn of these: shape (b, 1)."""

    certain: Integers
    loose: Integers
    drawn: Integers

    def reach(self) -> Integers:
        """So many of the loose ones are surely not all passed over."""
        number: Integers = np.minimum(self.loose - 1, SURE * self.loose // self.drawn)
        return number

    def unchosen(self, steps: Integers) -> Floats:
        """Probability that a loose one is not chosen after so many that were not: shape (b, steps); 1 after the last.

        >>> lot = _Lot(*np.array([[[0]], [[3]], [[2]]]))
        >>> lot.unchosen(np.arange(4)).round(2).tolist()
        [[0.33, 0.0, -1.0, 1.0]]
        """
        left = np.maximum(self.loose - steps, 1)
        return np.where(steps < self.loose, (left - self.drawn) / left, 1.0)


def _mean(passed: Floats, values: Floats) -> Floats:
    """Expected value at the first step that is not passed, from the probabilities to pass all but the last: (b,)."""
    reached = np.concatenate([np.ones((len(passed), 1)), np.cumprod(passed, axis=1)], axis=1)
    means: Floats = np.einsum("ij,ij->i", -np.diff(reached, append=0, axis=1), values)
    return means


def _ranks(start: Integers, end: Integers, size: int, lot: _Lot) -> tuple[Floats, Floats]:
    """BR and WR, as shares of the subsample."""
    steps = np.arange(int(lot.loose.max()))
    best = _first_place(start, end, lot, lot.certain + steps)
    worst = _first_place(size - end, size - start, lot, lot.certain + lot.loose - 1 - steps)
    return best / size, (size + 1 - worst) / size


def _first_place(start: Integers, end: Integers, lot: _Lot, loose: Integers) -> Floats:
    """Expected first place that is taken, from 1; `loose` are the columns of the loose ones, the truly best first.

    After the last of them come columns of no meaning.
    """
    best, bar, rivals = _best_certain(start, lot.certain)
    item, inside = _before(start, lot, np.where(np.arange(loose.shape[1]) < lot.loose, loose, best), bar)
    first, last = (np.take_along_axis(places, np.concatenate([item, best], axis=1), axis=1) for places in (start, end))
    before, tied = _ties(first[:, :-1], inside, bar)
    rivals = np.where(first == bar, rivals, 0)
    place = first + (before + 1) * (last - first + 1) / (tied + rivals + 1)
    ahead, unchosen = (tied - before)[:, :-1], lot.unchosen(np.arange(item.shape[1]))
    return _mean(np.where(inside, unchosen * ahead / (ahead + rivals[:, :-1]), 1.0), place)


def _before(start: Integers, lot: _Lot, item: Integers, bar: Integers) -> tuple[Integers, Booleans]:
    """The loose ones that may be first, as columns and which of these count: up to the best certain one."""
    first = np.take_along_axis(start, item, axis=1)
    furthest = np.minimum(bar, np.take_along_axis(first, lot.reach(), axis=1))
    inside = (first <= furthest) & (np.arange(item.shape[1]) < lot.loose)
    width = int(inside.sum(axis=1).max())
    return item[:, :width], inside[:, :width]


def _best_certain(start: Integers, certain: Integers) -> tuple[Integers, Integers, Integers]:
    """Column of a truly best one of the certain items, its first place, and how many share it: shape (b, 1)."""
    width, none = max(int(certain.max()), 1), np.iinfo(start.dtype).max
    places = np.where(np.arange(width) < certain, start[:, :width], none)
    best = places.argmin(axis=1)[:, None]
    bar = np.take_along_axis(places, best, axis=1)
    return best, bar, np.count_nonzero(places == bar, axis=1)[:, None]


def _ties(first: Integers, inside: Booleans, bar: Integers) -> tuple[Integers, Integers]:
    """How many of the equally true loose ones come before each, and how many there are; `first` ascends in each row.

    One more column is for what follows all that are as true as the best certain one.
    """
    new = np.ones(first.shape, dtype=bool)
    new[:, 1:] = (first[:, 1:] != first[:, :-1]) | ~inside[:, 1:]
    begins, group = np.flatnonzero(new), np.cumsum(new) - 1
    before, tied = np.arange(new.size) - begins[group], np.diff(begins, append=new.size)[group]
    level = np.count_nonzero(inside & (first == bar), axis=1)
    return np.column_stack([before.reshape(new.shape), level]), np.column_stack([tied.reshape(new.shape), level])
