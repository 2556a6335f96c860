"""Ranks with exact ties; undefined values (NaN) rank below all others, tied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from benchsuite.core.arrays import Floats, Integers

    Weights = NDArray[np.int8]  # how often each of b samples takes each of n architectures: shape (b, n)


def dense_ranks(values: ArrayLike) -> Integers:
    """Position of each value among the distinct values, 0 = lowest; NaN is one value below all others.

    >>> dense_ranks([2.0, float("nan"), 5.0, 2.0]).tolist()
    [1, 0, 2, 1]
    """
    array = np.asarray(values, dtype=np.float64)
    defined = ~np.isnan(array)
    ranks = np.zeros(array.size, dtype=np.int64)
    ranks[defined] = np.unique(array[defined], return_inverse=True)[1]
    ranks[defined] += int(not defined.all())
    return ranks


def average_ranks(values: ArrayLike) -> Floats:
    """Rank of each value from 1 = lowest; equal values share the mean of their ranks, NaN ranks lowest.

    >>> average_ranks([2.0, float("nan"), 5.0, 2.0]).tolist()
    [2.5, 1.0, 4.0, 2.5]
    """
    return average_of_dense(dense_ranks(values))


def average_of_dense(dense: Integers) -> Floats:
    """Average ranks from dense ones.

    >>> average_of_dense(np.array([1, 0, 2, 1])).tolist()
    [2.5, 1.0, 4.0, 2.5]
    """
    sizes = np.bincount(dense)
    ranks: Floats = (np.cumsum(sizes) - (sizes - 1) / 2)[dense]
    return ranks


@dataclass(frozen=True, slots=True)
class Ranking:
    """n architectures in the order of their truth, best first, and their places by truth and by score.

    An architecture's places by truth are truth_start..truth_end - 1: more than one where truths are equal; likewise by
    score. `by_score` lists positions in the truth order, best-scored first; `rows` the row of the input at each.
    """

    rows: Integers
    truth: Floats
    truth_start: Integers
    truth_end: Integers
    by_score: Integers
    score_start: Integers
    score_end: Integers

    @classmethod
    def of(cls, scores: ArrayLike, truth: ArrayLike) -> Ranking:
        """The ranking of n architectures by two columns of shape (n,), higher is better in both."""
        values = np.asarray(truth, dtype=np.float64)
        rows, truth_start, truth_end = _places(values)
        by_score, score_start, score_end = _places(np.asarray(scores, dtype=np.float64)[rows])
        return cls(rows, values[rows], truth_start[rows], truth_end[rows], by_score, score_start, score_end)

    @property
    def size(self) -> int:
        """Number of architectures."""
        return self.rows.size

    @property
    def rows_by_score(self) -> Integers:
        """Rows of the input, best-scored first."""
        return self.rows[self.by_score]

    def from_worst(self) -> Ranking:
        """The ranking by both columns with the opposite sign: worst first."""
        n = self.size
        return Ranking(
            self.rows[::-1],
            -self.truth[::-1],
            n - self.truth_end[::-1],
            n - self.truth_start[::-1],
            n - 1 - self.by_score[::-1],
            n - self.score_end[::-1],
            n - self.score_start[::-1],
        )

    def whole(self) -> Weights:
        """Weights of shape (1, n) that take every architecture once: the sample itself among its resamples."""
        return np.ones((1, self.size), dtype=np.int8)


def _places(values: Floats) -> tuple[Integers, Integers, Integers]:
    """Order of the values, best first, and each value's first place and the place after its last."""
    dense = dense_ranks(values)
    from_best = dense.max(initial=0) - dense
    end = np.cumsum(np.bincount(from_best))
    start = np.concatenate([[0], end[:-1]])
    return np.argsort(from_best, kind="stable"), start[from_best], end[from_best]


def cumulated(weights: NDArray[np.integer]) -> NDArray[np.int32]:
    """Cumulative sums down the columns with a leading 0: shape (n, b) to (n + 1, b).

    >>> cumulated(np.array([[1], [2]])).ravel().tolist()
    [0, 1, 3]
    """
    down = np.ascontiguousarray(weights.T)  # side by side in memory: three times as fast as across
    sums = np.zeros((down.shape[0], down.shape[1] + 1), dtype=np.int32)  # half the memory to move of 64 bits
    np.cumsum(down, axis=1, dtype=np.int32, out=sums[:, 1:])
    return sums.T
