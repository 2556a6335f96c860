"""Cost against worth: which estimators none beats for less, and when the training of a supernet pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from benchsuite.core.arrays import Booleans


def break_even(training: float, reading: float, other: float) -> float:
    """Number of architectures from which a trained supernet is cheaper than an estimator without training.

    All in the same unit, such as CPU seconds: `training` once, then `reading` for each architecture, against `other`
    for each. Infinite where reading costs as much as the other or more, NaN where a cost is unknown. This compares
    costs alone: whether the scores are as good is another question.

    >>> break_even(training=3600, reading=0.5, other=2.0), break_even(3600, 2.0, 0.5)
    (2400.0, inf)
    """
    saved = other - reading
    if np.isnan(training + saved):
        return float("nan")
    return training / saved if saved > 0 else float("inf")


def pareto_front(cost: ArrayLike, worth: ArrayLike) -> Booleans:
    """Which points none beats: no other has at most their cost and at least their worth, and is better in one.

    Equal points are all on the front; a point with an unknown (NaN) cost or worth is not.

    >>> pareto_front([1, 2, 3, 2], [0.5, 0.6, 0.55, 0.6]).tolist()
    [True, True, False, True]
    """
    costs, worths = np.asarray(cost, dtype=np.float64), np.asarray(worth, dtype=np.float64)
    as_good = (costs <= costs[:, None]) & (worths >= worths[:, None])
    better = as_good & ((costs < costs[:, None]) | (worths > worths[:, None]))
    known = ~np.isnan(costs + worths)
    front: Booleans = known & ~better.any(axis=1)
    return front
