"""Bias by complexity: whether an estimator over-estimates large architectures, and knows more than their size.

The rank difference of an architecture is its rank by truth less its rank by score, 1 = best, so that a positive one
means over-estimated; it is divided by the number of architectures. Undefined scores rank worst, tied. Definitions after
Ning et al., "Evaluating Efficient Performance Estimators of Neural Architectures", NeurIPS 2021.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.align import aligned, arrays
from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import LeaveOneOut, partial_without_each, rho_without_each, tau_b_without_each
from benchsuite.analysis.ranking import average_of_dense, average_ranks, dense_ranks
from benchsuite.analysis.subsets import quantile_groups, tau_inside
from benchsuite.analysis.uncertainty import check_confidence, correlation_interval, mean_interval

if TYPE_CHECKING:
    from benchsuite.core.arrays import Booleans, Floats, Integers


def rank_difference(scores: pd.Series[float], truth: pd.Series[float]) -> pd.Series[float]:
    """Rank by truth less rank by score of each architecture, over their number: positive = over-estimated.

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
    """Mean rank difference and tau-b inside groups of similar complexity, each with its interval.

    One row per group, the least complex first: group (1, 2, ...), smallest, largest (complexity), n, rank_difference,
    rank_difference_low, rank_difference_high, kendall_tau, tau_low, tau_high. Equal complexities stay together, so that
    sizes differ and groups can be fewer. `groups` is their number, or that of the group of each architecture, so that
    estimators that have scored different ones are judged in the same groups. Intervals: jackknife over all
    architectures, groups held fixed. Raises BenchsuiteError for unusable input.

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
        figure = _mean_difference_without_each(*ranks, inside)
        low, high = mean_interval(figure, confidence)
        rows.append(
            {
                "group": number,
                "smallest": sizes[inside].min(),
                "largest": sizes[inside].max(),
                "n": int(inside.sum()),
                "rank_difference": figure.value,
                "rank_difference_low": low,
                "rank_difference_high": high,
                **tau_inside(score_values[inside], truth_values[inside], confidence),
            }
        )
    return pd.DataFrame(rows)


def complexity_correlations(
    scores: pd.Series[float], truth: pd.Series[float], complexity: pd.Series[float], *, confidence: float = 0.95
) -> pd.DataFrame:
    """How scores, truth and rank differences go with complexity, and what scores know beyond it.

    Columns figure, value, low, high, n; the figures are

    - tau_score_complexity and tau_truth_complexity: tau-b; the first is 1 for a mere count of parameters;
    - rho_difference_complexity: Spearman's rho of rank difference and (log-)complexity, positive = the large ones are
      over-estimated; its interval holds the rank differences fixed;
    - partial_rho: Pearson of what average ranks of score and truth leave after regression on the rank of complexity; 0
      if scores tell nothing beyond size, NaN for a score that ranks just as complexity does.

    >>> index = list("abcd")
    >>> scores, truth = pd.Series([1.0, 2.0, 3.0, 4.0], index), pd.Series([2.0, 1.0, 3.0, 4.0], index)
    >>> table = complexity_correlations(scores, truth, pd.Series([1, 1, 9, 9], index)).set_index("figure")
    >>> print(round(table.loc["tau_score_complexity", "value"], 3))
    0.816
    """
    check_confidence(confidence)
    score_values, truth_values, sizes = arrays(aligned(scores, truth, complexity=complexity))
    differences = _differences(score_values, truth_values)
    score_size, truth_size = concordance(score_values, sizes), concordance(truth_values, sizes)
    figures = {
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
        (name, figure.value, *correlation_interval(figure, confidence), sizes.size) for name, figure in figures.items()
    ]
    return pd.DataFrame(rows, columns=["figure", "value", "low", "high", "n"])


def _differences(scores: Floats, truth: Floats) -> Floats:
    return (average_ranks(scores) - average_ranks(truth)) / scores.size  # these ranks count from the worst


def _mean_difference_without_each(scores: Integers, truth: Integers, inside: Booleans) -> LeaveOneOut:
    """Mean rank difference of a group, and exactly so when any one architecture is left out and the others ranked anew.

    Scores and truth are dense ranks. The rank of a member from the worst loses 1 if it is above the one left out, 1/2
    if tied.
    """
    n, members = scores.size, int(inside.sum())
    differences = average_of_dense(scores) - average_of_dense(truth)
    lost = _members_above(scores, inside) - _members_above(truth, inside)
    total = differences[inside].sum() - np.where(inside, differences, 0.0) - lost
    left = (members - inside) * (n - 1)
    without = np.divide(total, left, out=np.full(n, np.nan), where=left > 0)
    return LeaveOneOut(float(differences[inside].mean() / n), without)


def _members_above(dense: Integers, inside: Booleans) -> Floats:
    """Number of group members above each item, ties half; a member's tie with itself counts alike for every column."""
    of_rank = np.bincount(dense[inside], minlength=int(dense.max(initial=0)) + 1)
    upto = np.cumsum(of_rank)
    above: Floats = (upto[-1] - upto + of_rank / 2)[dense]
    return above
