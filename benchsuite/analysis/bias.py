"""Bias by complexity: whether an estimator over-estimates large architectures, and knows more than their size.

The rank difference of an architecture is its rank by ground truth less its rank by score, 1 = best, so that a positive
one means over-estimated; it is divided by the number of architectures. Undefined scores rank worst, tied. After Ning et
al., "Evaluating Efficient Performance Estimators of Neural Architectures", NeurIPS 2021, arXiv 2008.03064.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.align import aligned, arrays
from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import partial_without_each, rho_without_each, tau_b_without_each
from benchsuite.analysis.groups import quantile_groups, tau_inside
from benchsuite.analysis.ranking import average_of_dense, average_ranks, dense_ranks
from benchsuite.analysis.uncertainty import LeaveOneOut, check_confidence, correlation_interval, mean_interval

if TYPE_CHECKING:
    from benchsuite.core.arrays import Booleans, Floats, Integers


def rank_difference(scores: pd.Series[float], truth: pd.Series[float]) -> pd.Series[float]:
    """Return the rank by ground truth less the rank by score of each architecture, over their number.

    Parameters
    ----------
    scores
        Scores by architecture; NaN = undefined, ranked worst.
    truth
        Ground truth by architecture.

    Returns
    -------
    Series
        Rank difference by architecture in [-1, 1]; positive = over-estimated.

    Examples
    --------
    >>> rank_difference(pd.Series({"a": 1.0, "b": 2.0}), pd.Series({"a": 90.0, "b": 80.0})).tolist()
    [-0.5, 0.5]
    """
    table = aligned(scores, truth)
    return pd.Series(_differences(*arrays(table)), index=table.index, name="rank_difference")


def bias_by_complexity(
    scores: pd.Series[float],
    truth: pd.Series[float],
    complexity: pd.Series[float],
    *,
    groups: int | pd.Series[int] = 5,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return the mean rank difference and tau-b within groups of similar complexity, each with its interval.

    Parameters
    ----------
    scores
        Scores by architecture; NaN = undefined, ranked worst.
    truth
        Ground truth by architecture.
    complexity
        Such as the number of parameters, by architecture.
    groups
        Number of groups of about equal size; equal complexities stay together, so that sizes differ and groups can be
        fewer. Or the number of the group of each architecture, so that estimators that have scored different
        architectures are judged in the same groups.
    confidence
        Coverage of the intervals: jackknife over all architectures, groups held fixed.

    Returns
    -------
    DataFrame
        A row per group, the least complex first. Columns: group (1, 2, ...), smallest, largest (complexity), n,
        rank_difference (mean), rank_difference_low, rank_difference_high, kendall_tau, tau_low, tau_high.

    Raises
    ------
    BenchsuiteError
        For input that `aligned` refuses, less than one group, or a confidence outside (0, 1).

    Examples
    --------
    >>> index = list("abcd")
    >>> scores, truth = pd.Series([1.0, 2.0, 3.0, 4.0], index), pd.Series([3.0, 4.0, 1.0, 2.0], index)
    >>> table = bias_by_complexity(scores, truth, pd.Series([1, 1, 9, 9], index), groups=2)
    >>> table[["smallest", "n", "rank_difference"]].values.tolist()
    [[1.0, 2.0, -0.5], [9.0, 2.0, 0.5]]
    """
    check_confidence(confidence)
    table = aligned(scores, truth, complexity=complexity)
    score_values, truth_values, sizes = arrays(table)
    ranks = dense_ranks(score_values), dense_ranks(truth_values)
    number_of = quantile_groups(sizes, groups) if isinstance(groups, int) else groups.reindex(table.index).to_numpy()
    rows = []
    for number in np.unique(number_of).tolist():
        inside = np.asarray(number_of == number)
        difference = _mean_difference_without_each(*ranks, inside)
        low, high = mean_interval(difference, confidence)
        rows.append(
            {
                "group": number,
                "smallest": sizes[inside].min(),
                "largest": sizes[inside].max(),
                "n": int(inside.sum()),
                "rank_difference": difference.value,
                "rank_difference_low": low,
                "rank_difference_high": high,
                **tau_inside(score_values[inside], truth_values[inside], confidence),
            }
        )
    return pd.DataFrame(rows)


def complexity_correlations(
    scores: pd.Series[float], truth: pd.Series[float], complexity: pd.Series[float], *, confidence: float = 0.95
) -> pd.DataFrame:
    """Return how scores, ground truth and rank differences vary with complexity, and what scores know beyond it.

    Parameters
    ----------
    scores
        Scores by architecture; NaN = undefined, ranked worst.
    truth
        Ground truth by architecture.
    complexity
        Such as the number of parameters, by architecture.
    confidence
        Coverage of the intervals, by the jackknife over architectures.

    Returns
    -------
    DataFrame
        Columns: statistic, value, low, high, n. The rows are

        - tau_score_complexity and tau_truth_complexity: tau-b; the first is 1 for a mere count of parameters;
        - rho_difference_complexity: Spearman's rho of rank difference and complexity (or its logarithm), positive =
          large architectures are over-estimated; its interval holds the rank differences fixed;
        - partial_rho: rank correlation of score and ground truth given complexity, that is Pearson's r of the residuals
          of their average ranks after regression on the rank of complexity; 0 if scores tell nothing beyond size, NaN
          for a score that ranks just as complexity does.

    Raises
    ------
    BenchsuiteError
        For input that `aligned` refuses, or a confidence outside (0, 1).

    Examples
    --------
    >>> index = list("abcd")
    >>> scores, truth = pd.Series([1.0, 2.0, 3.0, 4.0], index), pd.Series([2.0, 1.0, 3.0, 4.0], index)
    >>> table = complexity_correlations(scores, truth, pd.Series([1, 1, 9, 9], index)).set_index("statistic")
    >>> print(round(table.loc["tau_score_complexity", "value"], 3))
    0.816
    """
    check_confidence(confidence)
    score_values, truth_values, sizes = arrays(aligned(scores, truth, complexity=complexity))
    differences = _differences(score_values, truth_values)
    score_size, truth_size = concordance(score_values, sizes), concordance(truth_values, sizes)
    statistics = {
        "tau_score_complexity": tau_b_without_each(score_size),
        "tau_truth_complexity": tau_b_without_each(truth_size),
        "rho_difference_complexity": rho_without_each(differences, sizes, concordance(differences, sizes)),
        "partial_rho": partial_without_each(
            rho_without_each(score_values, truth_values, concordance(score_values, truth_values)),
            rho_without_each(score_values, sizes, score_size),
            rho_without_each(truth_values, sizes, truth_size),
        ),
    }
    rows = [
        (name, each.value, *correlation_interval(each, confidence), sizes.size) for name, each in statistics.items()
    ]
    return pd.DataFrame(rows, columns=["statistic", "value", "low", "high", "n"])


def _differences(scores: Floats, truth: Floats) -> Floats:
    # (rank by truth - rank by score) / n with 1 = best; average_ranks counts from the worst, hence the other sign
    return (average_ranks(scores) - average_ranks(truth)) / scores.size


def _mean_difference_without_each(scores: Integers, truth: Integers, inside: Booleans) -> LeaveOneOut:
    """Mean rank difference of a group, and exactly so without any one architecture and the others ranked anew.

    Scores and truth are dense ranks. The rank of a member from the worst loses 1 if it is above the one left out, 1/2
    if tied.
    """
    n, members = scores.size, int(inside.sum())
    differences = average_of_dense(scores) - average_of_dense(truth)
    lost = _members_above(scores, inside) - _members_above(truth, inside)
    # without i: (sum over the members left of their differences - what their ranks lose) / (members left (n - 1))
    total = differences[inside].sum() - np.where(inside, differences, 0.0) - lost
    left = (members - inside) * (n - 1)
    without = np.divide(total, left, out=np.full(n, np.nan), where=left > 0)
    return LeaveOneOut(float(differences[inside].mean() / n), without)


def _members_above(dense: Integers, inside: Booleans) -> Floats:
    """Number of group members above each item, ties half; a member's tie with itself counts equally in each column."""
    of_rank = np.bincount(dense[inside], minlength=int(dense.max(initial=0)) + 1)
    upto = np.cumsum(of_rank)
    above: Floats = (upto[-1] - upto + of_rank / 2)[dense]
    return above
