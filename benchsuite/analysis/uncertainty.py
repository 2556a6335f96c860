"""Intervals over architectures by the jackknife: of means, and of correlations on Fisher's scale."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.core.arrays import Floats

# Below this number of items a statistic stands without an interval: it would be a guess.
FEWEST = 10

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
