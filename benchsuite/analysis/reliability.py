"""How far the ground truth can be trusted: agreement between trainings, and the ceiling that label noise sets.

Both need architectures that were trained at least twice; a table with one training each, a best-of-several table and a
surrogate have neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.core.errors import BenchsuiteError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

    from benchsuite.core.arrays import Floats

    Criterion = Callable[[Floats, Floats], float]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A criterion over repeats.

    Attributes
    ----------
    value
        Mean over the repeats.
    standard_deviation
        Sample standard deviation over the repeats; NaN for a single one.
    repeats
        Number of repeats.
    n
        Number of architectures.
    """

    value: float
    standard_deviation: float
    repeats: int
    n: int


def seed_reliability(trainings: pd.DataFrame, criterion: Criterion, *, seed: int = 0) -> Repeated:
    """Judge one training as score by the mean of the others as ground truth, averaged over which one it is.

    Parameters
    ----------
    trainings
        Accuracies, a row per architecture and a column per training; NaN where missing.
    criterion
        Function of (scores, truth), such as kendall_tau.
    seed
        Trainings are shuffled inside every row first, because published tables may store them sorted.

    Returns
    -------
    Repeated
        Over the choice of the one training; architectures with one training only do not count.

    Raises
    ------
    UnsupportedError
        If no architecture was trained twice.

    Examples
    --------
    >>> import pandas as pd
    >>> from benchsuite.analysis.correlation import kendall_tau
    >>> seed_reliability(pd.DataFrame({0: [90.0, 91.0, 92.0], 1: [90.5, 91.5, 92.5]}), kendall_tau)
    Repeated(value=1.0, standard_deviation=0.0, repeats=2, n=3)
    """
    accuracy = _shuffled(_trained_twice(trainings), np.random.default_rng(seed))
    total, number = np.nansum(accuracy, axis=1), np.count_nonzero(~np.isnan(accuracy), axis=1)
    values = []
    for one in accuracy.T:
        has = ~np.isnan(one)
        values.append(criterion(one[has], (total[has] - one[has]) / (number[has] - 1)))
    return _repeated(values, len(accuracy))


def ceiling(trainings: pd.DataFrame, criterion: Criterion, *, draws: int = 200, seed: int = 0) -> Repeated:
    """Simulate the criterion of a perfect estimator judged by ground truth as noisy as this one.

    Parameters
    ----------
    trainings
        Accuracies, a row per architecture and a column per training; NaN where missing.
    criterion
        Function of (scores, truth), such as kendall_tau.
    draws
        Number of simulated ground truths, at least 1.
    seed
        Of the noise.

    Returns
    -------
    Repeated
        Over the draws; architectures with one training only do not count.

    Raises
    ------
    UnsupportedError
        If no architecture was trained twice.
    BenchsuiteError
        For less than one draw.

    Notes
    -----
    The mean accuracies ybar_i are the scores, and ybar_i + e_i the ground truth, with noise e_i ~ N(0, s_i^2 / R_i)
    where s_i is the sample standard deviation over the R_i trainings of architecture i.

    Examples
    --------
    >>> import pandas as pd
    >>> from benchsuite.analysis.correlation import kendall_tau
    >>> ceiling(pd.DataFrame({0: [90.0, 91.0, 92.0], 1: [90.0, 91.0, 92.0]}), kendall_tau, draws=3)
    Repeated(value=1.0, standard_deviation=0.0, repeats=3, n=3)
    """
    if draws < 1:
        raise BenchsuiteError(f"draws = {draws}; must be at least 1")
    rng = np.random.default_rng(seed)
    accuracy = _trained_twice(trainings)
    mean = np.nanmean(accuracy, axis=1)
    error = np.nanstd(accuracy, axis=1, ddof=1) / np.sqrt(np.count_nonzero(~np.isnan(accuracy), axis=1))  # s / sqrt(R)
    values = (criterion(mean, mean + error * rng.standard_normal(mean.size)) for _ in range(draws))
    return _repeated(values, len(accuracy))


def _trained_twice(trainings: pd.DataFrame) -> Floats:
    accuracy: Floats = trainings.to_numpy(dtype=np.float64, na_value=np.nan)
    twice = np.count_nonzero(~np.isnan(accuracy), axis=1) >= 2
    if not twice.any():
        raise UnsupportedError(
            "no architecture was trained twice, so that neither reliability nor ceiling of the ground truth is known"
        )
    usable: Floats = accuracy[twice]
    return usable


def _shuffled(accuracy: Floats, rng: np.random.Generator) -> Floats:
    """Trainings of every row in random order, missing ones last."""
    keys = np.where(np.isnan(accuracy), 1.0, rng.random(accuracy.shape))  # random() is below 1
    shuffled: Floats = np.take_along_axis(accuracy, np.argsort(keys, axis=1), axis=1)
    return shuffled


def _repeated(values: Iterable[float], n: int) -> Repeated:
    repeats = np.array(list(values))
    deviation = float(np.std(repeats, ddof=1)) if repeats.size > 1 else float("nan")
    return Repeated(float(np.mean(repeats)), deviation, repeats.size, n)
