"""What paired comparisons decide: significance corrected for their number, ranks, architectures needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from benchsuite.analysis.uncertainty import check_confidence, quantile_of_normal

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from benchsuite.core.arrays import Floats


def holm(p: ArrayLike) -> Floats:
    """Adjust p values for their number (Holm, Scandinavian Journal of Statistics 6, 1979).

    Parameters
    ----------
    p
        p values, shape (m,); NaN = not tested, which does not count.

    Returns
    -------
    array
        Adjusted p values, at most 1, shape (m,); NaN stays NaN.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    # step down: adjusted p_(i) = max over j <= i of (m - j + 1) p_(j), where p_(1) is the smallest of m
    steps = values[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1) if order.size else steps
    return adjusted


def rank_intervals(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the rank of each estimator in the leaderboard and the ranks that its comparisons allow.

    Parameters
    ----------
    comparisons
        The table of `benchsuite.analysis.comparison.compare`.

    Returns
    -------
    DataFrame
        A row per estimator. Columns: estimator, rank (1 = best), rank_low (1 + the number of estimators that are
        significantly better), rank_high (the number of estimators less those that are significantly worse). Ranks are
        NaN for estimators whose criterion is undefined; they do not count among the others.

    Examples
    --------
    >>> from benchsuite.analysis.comparison import compare
    >>> truth = pd.Series(range(12), dtype=float)
    >>> rank_intervals(compare({"good": [truth], "bad": [-truth]}, truth)).values.tolist()
    [['good', 1.0, 1.0, 1.0], ['bad', 2.0, 2.0, 2.0]]
    """
    names = pd.unique(pd.concat([comparisons["first"], comparisons["second"]]))
    mirrored = comparisons.rename(columns={"first": "second", "second": "first"})
    both = pd.concat([comparisons, mirrored.assign(difference=-comparisons["difference"])])
    both = both[both["difference"].notna()]
    outcomes = pd.DataFrame(
        {
            "rank": both["difference"] < 0,
            "rank_low": (both["difference"] < 0) & both["significant"],
            "rank_high": (both["difference"] > 0) & both["significant"],
        }
    )
    numbers = outcomes.groupby(both["first"]).sum()
    ranks = pd.concat([1 + numbers[["rank", "rank_low"]], len(numbers) - numbers["rank_high"]], axis=1)
    return ranks.reindex(names).astype(float).rename_axis("estimator").reset_index()


def not_significant(comparisons: pd.DataFrame, estimator: str) -> list[str]:
    """Return the estimators whose difference from the named one was tested and is not significant.

    Parameters
    ----------
    comparisons
        The table of `benchsuite.analysis.comparison.compare`.
    estimator
        One of its estimators.

    Returns
    -------
    list
        Names in the order of the table.

    Examples
    --------
    >>> from benchsuite.analysis.comparison import compare
    >>> truth = pd.Series(range(12), dtype=float)
    >>> not_significant(compare({"good": [truth], "bad": [-truth], "constant": [0 * truth]}, truth), "good")
    []
    """
    of_it = comparisons[(comparisons[["first", "second"]] == estimator).any(axis=1)]
    open_ = of_it[~of_it["significant"] & of_it["p_holm"].notna()]
    others: list[str] = open_["second"].where(open_["first"] == estimator, open_["first"]).tolist()
    return others


def architectures_needed(
    comparisons: pd.DataFrame, *, power: float = 0.8, confidence: float = 0.95
) -> pd.Series[float]:
    """Return how many architectures a test of each pair of estimators needs to find the observed difference.

    The observed difference is taken for the true one, and its sampling variance falls as 1 / n, as that of rank
    correlations does. One test: the level is not divided among the pairs.

    Parameters
    ----------
    comparisons
        The table of `benchsuite.analysis.comparison.compare`.
    power
        Probability that the test finds the difference.
    confidence
        1 - the level of the test.

    Returns
    -------
    Series
        Number of architectures for each row of the table; infinite where the difference is 0.

    Examples
    --------
    >>> pair = pd.DataFrame({"n": [500], "difference": [0.02], "standard_error": [0.01]})
    >>> architectures_needed(pair).round().tolist()
    [981.0]
    """
    check_confidence(confidence)
    check_confidence(power)
    # needed = n (standard error / difference)^2 (z_(1 + confidence) / 2 + z_power)^2, z = quantile of the normal
    quantiles = quantile_of_normal(confidence) + stats.norm.ppf(power)
    ratio = comparisons["standard_error"] / comparisons["difference"].abs()
    return (comparisons["n"] * (ratio * quantiles) ** 2).rename("needed")
