"""Estimators over several benchmarks: mean ranks, and which of them do not differ significantly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from benchsuite.analysis.ranking import average_ranks
from benchsuite.analysis.uncertainty import check_confidence
from benchsuite.core.errors import UnsupportedError

if TYPE_CHECKING:
    from benchsuite.core.arrays import Floats


@dataclass(frozen=True, slots=True)
class CriticalDifference:
    """Mean ranks of estimators over benchmarks, with Friedman's test and Nemenyi's critical difference.

    Attributes
    ----------
    ranks
        Columns estimator, mean_rank (1 = best), the best first.
    benchmarks
        Number of benchmarks.
    statistic, p
        Friedman's chi-squared for "all estimators are equal", and its p; NaN for two estimators, and if all are
        equal on every benchmark.
    difference
        Mean ranks that differ by this or less do not differ significantly.
    groups
        Estimators that do not differ significantly from each other, the best first; each group is as large as it can
        be and has at least two members.
    """

    ranks: pd.DataFrame
    benchmarks: int
    statistic: float
    p: float
    difference: float
    groups: tuple[tuple[str, ...], ...]


def critical_difference(values: pd.DataFrame, *, confidence: float = 0.95) -> CriticalDifference:
    """Test whether estimators differ over several benchmarks: Demsar's diagram (JMLR 7, 2006).

    Benchmarks are taken as independent and equally important: data sets that share a search space are not.

    Parameters
    ----------
    values
        A criterion such as tau-b, higher is better, estimators x benchmarks; estimators that lack one are left out.
    confidence
        1 - the level of the test.

    Returns
    -------
    CriticalDifference
        Mean ranks, tests and groups.

    Raises
    ------
    UnsupportedError
        For less than two benchmarks, or less than two estimators that have all of them.

    Examples
    --------
    >>> taus = pd.DataFrame({"a": [0.7, 0.5], "b": [0.8, 0.6]}, index=["nwot", "snip"])
    >>> found = critical_difference(taus)
    >>> found.ranks.values.tolist(), round(found.difference, 3), found.groups
    ([['nwot', 1.0], ['snip', 2.0]], 1.386, (('nwot', 'snip'),))
    """
    check_confidence(confidence)
    complete = values.dropna()
    k, benchmarks = complete.shape
    if k < 2 or benchmarks < 2:
        raise UnsupportedError(
            f"{k} estimators were judged on all of {benchmarks} benchmarks; a critical difference needs two of each"
        )
    ranks = np.mean([average_ranks(-complete[name]) for name in complete], axis=0)
    table = pd.DataFrame({"estimator": complete.index, "mean_rank": ranks})
    table = table.sort_values("mean_rank", kind="stable", ignore_index=True)
    columns = complete.to_numpy()
    tested = k > 2 and (columns != columns[0]).any()
    statistic, p = stats.friedmanchisquare(*columns) if tested else (np.nan, np.nan)
    # Nemenyi (1963): CD = q sqrt(k (k + 1) / (6 N)) for k estimators on N benchmarks, where q is the quantile of the
    # studentised range for k and infinitely many degrees of freedom, over sqrt(2)
    quantile = stats.studentized_range.ppf(confidence, k, np.inf) / np.sqrt(2)
    difference = float(quantile * np.sqrt(k * (k + 1) / (6 * benchmarks)))
    groups = _groups(table["mean_rank"].to_numpy(), difference)
    names = table["estimator"].to_numpy()
    members = tuple(tuple(names[start:stop].tolist()) for start, stop in groups)
    return CriticalDifference(table, benchmarks, float(statistic), float(p), difference, members)


def _groups(ranks: Floats, difference: float) -> list[tuple[int, int]]:
    """Ranges of ascending mean ranks that lie within the difference, as long as possible, not inside another."""
    stops = np.searchsorted(ranks, ranks + difference, side="right")
    ranges = [(start, int(stop)) for start, stop in enumerate(stops)]
    return [(start, stop) for start, stop in ranges if stop - start > 1 and (start == 0 or stop > ranges[start - 1][1])]
