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
    """Return the position of each value among the distinct values, 0 = lowest.

    Parameters
    ----------
    values
        Numbers, shape (n,); NaN counts as one value below all others.

    Returns
    -------
    array
        Dense ranks, shape (n,).

    Examples
    --------
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
    """Return the rank of each value from 1 = lowest; equal values share the mean of their ranks.

    Parameters
    ----------
    values
        Numbers, shape (n,); NaN ranks lowest, tied.

    Returns
    -------
    array
        Average ranks, shape (n,), as of scipy.stats.rankdata.

    Examples
    --------
    >>> average_ranks([2.0, float("nan"), 5.0, 2.0]).tolist()
    [2.5, 1.0, 4.0, 2.5]
    """
    return average_of_dense(dense_ranks(values))


def average_of_dense(dense: Integers) -> Floats:
    """Return the average ranks that belong to dense ranks.

    Parameters
    ----------
    dense
        Dense ranks, shape (n,), such as `dense_ranks` returns.

    Returns
    -------
    array
        Average ranks from 1, shape (n,).

    Examples
    --------
    >>> average_of_dense(np.array([1, 0, 2, 1])).tolist()
    [2.5, 1.0, 4.0, 2.5]
    """
    sizes = np.bincount(dense)
    # of s equal values up to rank c the mean rank is c - (s - 1) / 2
    ranks: Floats = (np.cumsum(sizes) - (sizes - 1) / 2)[dense]
    return ranks


@dataclass(frozen=True, slots=True)
class Ranking:
    """The n architectures of a sample in the order of their ground truth, best first, with their ranks.

    Ranks count from 0 = best. Architectures with equal values share the ranks start..end - 1.

    Attributes
    ----------
    rows
        Row of the input at each position of this order, shape (n,).
    truth
        Ground truth, descending, shape (n,).
    truth_start, truth_end
        First rank by ground truth that an architecture may have, and the one after its last, shape (n,).
    by_score
        Positions in this order, the best-scored first, shape (n,).
    score_start, score_end
        The same as `truth_start` and `truth_end` for the ranks by score, shape (n,).
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
        """Rank architectures by score and by ground truth.

        Parameters
        ----------
        scores
            Scores, shape (n,), higher is better; NaN = undefined, ranked worst.
        truth
            Ground truth, shape (n,), higher is better.

        Returns
        -------
        Ranking
            The architectures, best first.
        """
        values = np.asarray(truth, dtype=np.float64)
        rows, truth_start, truth_end = _ranks(values)
        by_score, score_start, score_end = _ranks(np.asarray(scores, dtype=np.float64)[rows])
        return cls(rows, values[rows], truth_start[rows], truth_end[rows], by_score, score_start, score_end)

    @property
    def size(self) -> int:
        """Number of architectures."""
        return self.rows.size

    @property
    def rows_by_score(self) -> Integers:
        """Rows of the input, the best-scored first."""
        return self.rows[self.by_score]

    def from_worst(self) -> Ranking:
        """Return the ranking with both scales turned round, so that what is last comes first."""
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
        """Return the weights of the sample itself, shape (1, n): every architecture once."""
        return np.ones((1, self.size), dtype=np.int8)


def _ranks(values: Floats) -> tuple[Integers, Integers, Integers]:
    """Order of the values, best first, and each value's first rank and the one after its last."""
    dense = dense_ranks(values)
    from_best = dense.max(initial=0) - dense
    end = np.cumsum(np.bincount(from_best))
    start = np.concatenate([[0], end[:-1]])
    return np.argsort(from_best, kind="stable"), start[from_best], end[from_best]


def cumulated(weights: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return cumulative sums down the columns, with a leading row of zeros.

    Parameters
    ----------
    weights
        Integers, shape (n, b).

    Returns
    -------
    array
        Sums over the first 0, 1, ..., n rows, shape (n + 1, b).

    Examples
    --------
    >>> cumulated(np.array([[1], [2]])).ravel().tolist()
    [0, 1, 3]
    """
    down = np.ascontiguousarray(weights.T)  # side by side in memory: three times as fast as across
    sums = np.zeros((down.shape[0], down.shape[1] + 1), dtype=np.int32)  # half the memory to move of 64 bits
    np.cumsum(down, axis=1, dtype=np.int32, out=sums[:, 1:])
    return sums.T
