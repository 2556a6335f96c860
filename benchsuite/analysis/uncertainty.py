"""Intervals over architectures: jackknife, bootstrap, and random halves for extremes.

The resamples depend on a seed and the number of items alone: figures of two estimators on the same architectures in
the same order are computed on the same resamples, and so are paired.
"""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchsuite.analysis.correlation import LeaveOneOut
    from benchsuite.analysis.ranking import Weights
    from benchsuite.core.arrays import Floats

    Block = Callable[[np.random.Generator, int, int], Weights]

# Below this number of items a figure stands without an interval: it would be a guess.
FEWEST = 10
BLOCK = 2**20  # resampled items worked on at a time
KEPT = 2**23  # resampled items, a byte each, that are kept for further columns of the same length

Interval = tuple[float, float]
UNKNOWN: Interval = (float("nan"), float("nan"))


def check_confidence(confidence: float) -> None:
    """Return nothing for a confidence between 0 and 1, raise BenchsuiteError otherwise."""
    if not 0 < confidence < 1:
        raise BenchsuiteError(f"a confidence of {confidence} is not possible; give one between 0 and 1, such as 0.95")


def quantile_of_normal(confidence: float) -> float:
    """Half-width in standard deviations of a two-sided normal interval.

    >>> round(quantile_of_normal(0.95), 3)
    1.96
    """
    return NormalDist().inv_cdf((1 + confidence) / 2)


def jackknife_deviation(figure: LeaveOneOut) -> float:
    """Standard error of a figure from its values without each item (Tukey's jackknife); NaN below ten items."""
    n = figure.without.size
    if n < FEWEST:
        return float("nan")
    return float(np.sqrt((n - 1) * np.var(figure.without)))


def mean_interval(figure: LeaveOneOut, confidence: float) -> Interval:
    """Symmetric normal interval of a figure on an unbounded scale, with the jackknife's standard error."""
    half = quantile_of_normal(confidence) * jackknife_deviation(figure)
    return figure.value - half, figure.value + half


def correlation_interval(figure: LeaveOneOut, confidence: float) -> Interval:
    """Interval of a correlation: normal with the jackknife's standard error on Fisher's scale, so within [-1, 1]."""
    deviation, value = jackknife_deviation(figure), figure.value
    if np.isnan(deviation) or np.isnan(value):
        return UNKNOWN
    if deviation == 0 or abs(value) == 1:
        return value, value
    half = quantile_of_normal(confidence) * deviation / (1 - value * value)
    centre = np.arctanh(value)
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))


def percentile_interval(replicates: Floats, confidence: float) -> Interval:
    """Central quantiles of resampled values (shape (draws,))."""
    low, high = np.quantile(replicates, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def bootstrap_weights(n: int, draws: int, seed: int) -> Iterator[Weights]:
    """Blocks of shape (some draws, n): how often each item is in a sample of n with replacement.

    The draws of an item lie side by side in memory: columns look items up, all draws of each at once.
    """
    return _resampled(_drawn, n, draws, seed)


def random_halves(n: int, draws: int, seed: int) -> Iterator[Weights]:
    """Blocks of shape (some draws, n): 1 for the n // 2 items of a sample without replacement, 0 for the others."""
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
