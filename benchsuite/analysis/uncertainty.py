"""Intervals over architectures: jackknife for smooth statistics, bootstrap for P@K, random halves for extremes.

Resamples depend on a seed and the number of items only. Statistics of two estimators on the same architectures, in the
same order, are thus computed on the same resamples, and their differences are paired.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchsuite.analysis.ranking import Weights
    from benchsuite.core.arrays import Floats

    Block = Callable[[np.random.Generator, int, int], Weights]

# Below this number of items a statistic stands without an interval: it would be a guess.
FEWEST = 10
BLOCK = 2**20  # resampled items worked on at a time
KEPT = 2**23  # resampled items, a byte each, that are kept for further columns of the same length

Interval = tuple[float, float]
UNKNOWN: Interval = (float("nan"), float("nan"))


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """A statistic of n items, and the same statistic without each of them in turn: what the jackknife needs.

    Attributes
    ----------
    value
        The statistic of all n items.
    without
        The statistic without each item, shape (n,).
    """

    value: float
    without: Floats

    @classmethod
    def mean(cls, statistics: Sequence[LeaveOneOut]) -> LeaveOneOut:
        """Return the mean of a statistic over runs on the same items.

        Parameters
        ----------
        statistics
            The statistic of each run, at least one.

        Returns
        -------
        LeaveOneOut
            Means of the values, and of those without each item.

        Examples
        --------
        >>> LeaveOneOut.mean([LeaveOneOut(0.5, np.zeros(2)), LeaveOneOut(1.0, np.ones(2))])
        LeaveOneOut(value=0.75, without=array([0.5, 0.5]))
        """
        mean = float(np.mean([each.value for each in statistics]))
        return cls(mean, np.mean([each.without for each in statistics], axis=0))


def check_confidence(confidence: float) -> None:
    """Check that a confidence lies between 0 and 1.

    Parameters
    ----------
    confidence
        Such as 0.95.

    Raises
    ------
    BenchsuiteError
        If it does not.
    """
    if not 0 < confidence < 1:
        raise BenchsuiteError(f"confidence = {confidence}; must lie between 0 and 1, such as 0.95")


def quantile_of_normal(confidence: float) -> float:
    """Return the half width of a two-sided normal interval, in standard errors.

    Parameters
    ----------
    confidence
        Coverage of the interval.

    Returns
    -------
    float
        The normal quantile of (1 + confidence) / 2.

    Examples
    --------
    >>> round(quantile_of_normal(0.95), 3)
    1.96
    """
    return NormalDist().inv_cdf((1 + confidence) / 2)


def jackknife_error(statistic: LeaveOneOut) -> float:
    """Return the jackknife's standard error of a statistic (Tukey, Annals of Mathematical Statistics 29, 1958).

    Parameters
    ----------
    statistic
        Of n items and without each of them.

    Returns
    -------
    float
        Standard error in units of the statistic; NaN below ten items.

    Examples
    --------
    >>> values = np.arange(12.0)
    >>> error = jackknife_error(LeaveOneOut(values.mean(), (values.sum() - values) / 11))
    >>> round(error, 9), round(float(values.std(ddof=1) / np.sqrt(12)), 9)  # for a mean, s / sqrt(n)
    (1.040833, 1.040833)
    """
    n = statistic.without.size
    if n < FEWEST:
        return float("nan")
    # (n - 1) / n times the sum over i of (T_i - mean of the T_i)^2, where T_i is the statistic without item i
    return float(np.sqrt((n - 1) * np.var(statistic.without)))


def mean_interval(statistic: LeaveOneOut, confidence: float) -> Interval:
    """Return the symmetric normal interval of a statistic on an unbounded scale.

    Parameters
    ----------
    statistic
        Of n items and without each of them.
    confidence
        Coverage of the interval.

    Returns
    -------
    tuple
        Lower and upper end: the statistic less and plus z standard errors of the jackknife; NaN below ten items.

    Examples
    --------
    >>> mean_interval(LeaveOneOut(0.5, np.full(10, 0.5)), 0.95)
    (0.5, 0.5)
    """
    half = quantile_of_normal(confidence) * jackknife_error(statistic)
    return statistic.value - half, statistic.value + half


def correlation_interval(statistic: LeaveOneOut, confidence: float) -> Interval:
    """Return the interval of a correlation: normal on Fisher's scale, so that it lies within [-1, 1].

    Parameters
    ----------
    statistic
        A correlation of n items and without each of them.
    confidence
        Coverage of the interval.

    Returns
    -------
    tuple
        Lower and upper end, by the jackknife's standard error; NaN below ten items.

    Examples
    --------
    >>> low, high = correlation_interval(LeaveOneOut(0.97, np.linspace(0.9, 1.0, 30)), 0.95)
    >>> -1 < low < 0.97 < high < 1
    True
    """
    error, value = jackknife_error(statistic), statistic.value
    if np.isnan(error) or np.isnan(value):
        return UNKNOWN
    if error == 0 or abs(value) == 1:
        return value, value
    # Fisher's z = artanh(r), of which dz / dr = 1 / (1 - r^2): tanh(artanh(r) -+ quantile * error / (1 - r^2))
    half = quantile_of_normal(confidence) * error / (1 - value * value)
    centre = np.arctanh(value)
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))


def percentile_interval(replicates: Floats, confidence: float) -> Interval:
    """Return the central quantiles of resampled values.

    Parameters
    ----------
    replicates
        The statistic of each resample, shape (draws,).
    confidence
        Share of the resamples between both ends.

    Returns
    -------
    tuple
        Lower and upper end.

    Examples
    --------
    >>> percentile_interval(np.arange(101.0), 0.5)
    (25.0, 75.0)
    """
    low, high = np.quantile(replicates, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def bootstrap_weights(n: int, draws: int, seed: int) -> Iterator[Weights]:
    """Draw samples of n from n items with replacement.

    The draws of an item lie side by side in memory: columns look items up, all draws of each at once.

    Parameters
    ----------
    n
        Number of items.
    draws
        Number of samples.
    seed
        Of the random numbers.

    Returns
    -------
    Iterator
        Blocks of shape (some of the draws, n): how often each item is in a sample.

    Examples
    --------
    >>> [block.sum(axis=1).tolist() for block in bootstrap_weights(5, 2, seed=0)]
    [[5, 5]]
    """
    return _resampled(_drawn, n, draws, seed)


def random_halves(n: int, draws: int, seed: int) -> Iterator[Weights]:
    """Draw samples of n // 2 from n items without replacement.

    Parameters
    ----------
    n
        Number of items.
    draws
        Number of samples.
    seed
        Of the random numbers.

    Returns
    -------
    Iterator
        Blocks of shape (some of the draws, n): 1 for the items of a sample, 0 for the others.

    Examples
    --------
    >>> [block.sum(axis=1).tolist() for block in random_halves(5, 3, seed=0)]
    [[2, 2, 2]]
    """
    return _resampled(_halved, n, draws, seed)


def _resampled(block: Block, n: int, draws: int, seed: int) -> Iterator[Weights]:
    """The blocks of resamples; those of the last sizes are kept, for the next column of the same table."""
    if n * draws > KEPT:
        return _blocks(block, n, draws, seed)
    return iter(_kept(block, n, draws, seed))


@lru_cache(maxsize=4)
def _kept(block: Block, n: int, draws: int, seed: int) -> tuple[Weights, ...]:
    return tuple(_blocks(block, n, draws, seed))


def _blocks(block: Block, n: int, draws: int, seed: int) -> Iterator[Weights]:
    rng = np.random.default_rng(seed)
    rows = max(1, BLOCK // max(n, 1))
    for start in range(0, draws, rows):
        yield np.asfortranarray(block(rng, min(rows, draws - start), n))


def _drawn(rng: np.random.Generator, rows: int, n: int) -> Weights:
    chosen = rng.integers(0, n, size=(rows, n)) + n * np.arange(rows)[:, None]
    return np.bincount(chosen.ravel(), minlength=rows * n).reshape(rows, n).astype(np.int8)  # never nearly 127


def _halved(rng: np.random.Generator, rows: int, n: int) -> Weights:
    kept = np.zeros((rows, n), dtype=np.int8)
    chosen = np.argpartition(rng.random((rows, n)), n // 2, axis=1)[:, : n // 2]
    np.put_along_axis(kept, chosen, 1, axis=1)
    return kept
