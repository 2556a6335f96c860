"""Resamples of architectures: bootstrap samples, and random halves for extremes.

Resamples depend on a seed and the number of items only. Statistics of two estimators on the same architectures, in the
same order, are thus computed on the same resamples, and their differences are paired.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchsuite.analysis.ranking import Weights
    from benchsuite.analysis.uncertainty import Interval
    from benchsuite.core.arrays import Floats

    Block = Callable[[np.random.Generator, int, int], Weights]

BOOTSTRAPS = 300  # samples of a bootstrap
HALVES = 200  # random halves behind a range
BLOCK = 2**20  # resampled items worked on at a time
KEPT = 2**23  # resampled items, a byte each, that are kept for further columns of the same length


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
