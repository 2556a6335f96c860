"""Cost against worth: which estimators no other beats for less, and when the training of a supernet pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from benchsuite.core.arrays import Booleans


def break_even(training: float, reading: float, other: float) -> float:
    """Return the number of architectures from which a supernet is cheaper than an estimator without training.

    Only costs are compared; whether the scores are as good is another question.

    Parameters
    ----------
    training
        Cost of the supernet's training, in a unit such as CPU seconds.
    reading
        Cost of its readout for one architecture, in the same unit.
    other
        Cost of the other estimator for one architecture, in the same unit.

    Returns
    -------
    float
        Number of architectures at which both cost the same; infinite where a readout costs as much as the other
        estimator or more, NaN where a cost is unknown.

    Examples
    --------
    >>> break_even(training=3600, reading=0.5, other=2.0), break_even(3600, 2.0, 0.5)
    (2400.0, inf)
    """
    saved = other - reading
    if np.isnan(training + saved):
        return float("nan")
    return training / saved if saved > 0 else float("inf")


def pareto_front(cost: ArrayLike, worth: ArrayLike) -> Booleans:
    """Return which points are on the Pareto front.

    Parameters
    ----------
    cost
        Cost of each point, shape (n,), lower is better.
    worth
        Worth of each point, such as tau-b, shape (n,), higher is better.

    Returns
    -------
    array
        Shape (n,): True where no other point has at most this cost and at least this worth and is better in one of
        them. Equal points are all on the front; a point with an unknown (NaN) cost or worth is not.

    Examples
    --------
    >>> pareto_front([1, 2, 3, 2], [0.5, 0.6, 0.55, 0.6]).tolist()
    [True, True, False, True]
    """
    costs, worths = np.asarray(cost, dtype=np.float64), np.asarray(worth, dtype=np.float64)
    as_good = (costs <= costs[:, None]) & (worths >= worths[:, None])
    better = as_good & ((costs < costs[:, None]) | (worths > worths[:, None]))
    known = ~np.isnan(costs + worths)
    front: Booleans = known & ~better.any(axis=1)
    return front
