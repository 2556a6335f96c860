"""What estimators know in common and what each adds to the others: for choosing which of them to combine.

All statistics are on the architectures that every estimator has scored. Undefined scores rank below all others, tied.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from benchsuite.analysis.correlation import Ranked, partial_correlation, partial_without_each, rho_of_ranked
from benchsuite.analysis.ranked_runs import RankedRuns
from benchsuite.analysis.uncertainty import LeaveOneOut, check_confidence, correlation_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.analysis.align import Trials


def agreement(trials: Trials, truth: pd.Series[float]) -> pd.DataFrame:
    """Return Spearman's rho between the scores of every two estimators.

    Parameters
    ----------
    trials
        By estimator, the scores by architecture of each of its runs; NaN = undefined, ranked worst.
    truth
        Ground truth by architecture; only its architectures count.

    Returns
    -------
    DataFrame
        A symmetric matrix, estimators in the order of `clustered_order`: the mean rho over all pairs of a run of one
        and a run of the other; on the diagonal, over pairs of different runs (1 for a single run), because two
        estimators cannot be expected to agree more than each does with itself. NaN for a constant. ``attrs["n"]`` is
        the number of architectures.

    Raises
    ------
    BenchsuiteError
        If no architecture has scores of all estimators.

    Examples
    --------
    >>> up = pd.Series([1.0, 2.0, 3.0])
    >>> agreement({"up": [up], "down": [-up]}, up).round(9).values.tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    table = RankedRuns.of(trials, truth)
    matrix = pd.DataFrame(table.mean_over_runs(table.correlations()), index=table.names, columns=table.names)
    order = clustered_order(matrix)
    found = matrix.loc[order, order]
    found.attrs = {"n": table.truth.size}
    return found


def clustered_order(correlations: pd.DataFrame) -> list[str]:
    """Order the labels of a correlation matrix so that correlated ones stand next to each other.

    The order is that of the leaves of average linkage by 1 - correlation, arranged as Bar-Joseph et al.
    (Bioinformatics 17, 2001) do.

    Parameters
    ----------
    correlations
        A symmetric matrix with the same labels on both axes; NaN counts as 0, the diagonal does not count.

    Returns
    -------
    list
        All labels.

    Examples
    --------
    >>> labels = list("abc")
    >>> clustered_order(pd.DataFrame([[1, 0, 0.9], [0, 1, 0.1], [0.9, 0.1, 1]], labels, labels))
    ['b', 'c', 'a']
    """
    labels = correlations.index.tolist()
    if len(labels) < 3:
        return labels
    distances = 1 - np.nan_to_num(correlations.to_numpy(dtype=np.float64))
    distances = squareform((distances + distances.T) / 2, checks=False)
    leaves = hierarchy.leaves_list(hierarchy.linkage(distances, "average", optimal_ordering=True))
    return [labels[leaf] for leaf in leaves]


def added_information(trials: Trials, truth: pd.Series[float], complexity: pd.Series[float]) -> pd.DataFrame:
    """Return what each estimator knows of the ground truth beyond complexity and another estimator.

    Parameters
    ----------
    trials
        By estimator, the scores by architecture of each of its runs; NaN = undefined, ranked worst.
    truth
        Ground truth by architecture.
    complexity
        Such as the number of parameters, by architecture.

    Returns
    -------
    DataFrame
        Partial rank correlation of the scores of the row's estimator and ground truth, given the ranks of complexity
        and of the column's scores; on the diagonal, given complexity only. Means over all pairs of runs. 0 = nothing
        added; NaN where nothing is left to explain, as for a score that ranks as complexity does.

    Raises
    ------
    BenchsuiteError
        If no architecture has complexity and scores of all estimators.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> size, truth = pd.Series(rng.normal(size=200)), pd.Series(rng.normal(size=200))
    >>> table = added_information({"oracle": [truth], "size": [size]}, truth, size)
    >>> print(table.round(6).loc["oracle", "oracle"], table.loc["size", "size"])
    1.0 nan
    """
    table = RankedRuns.of(trials, truth, complexity)
    runs, correlations = len(table.owner), table.correlations(extended=True)
    # r_xy.z and then r_xy.zw = (r_xy.z - r_xw.z r_yw.z) / sqrt((1 - r_xw.z^2) (1 - r_yw.z^2)), all of them at once:
    # x a run, y the ground truth, z complexity, w another run
    size = correlations[:-1, -1]
    given_size = partial_correlation(correlations[:-1, :-1], size[:, None], size)
    with_truth, among = given_size[:runs, runs], given_size[:runs, :runs]
    means = table.mean_over_runs(partial_correlation(with_truth[:, None], among, with_truth))
    np.fill_diagonal(means, [with_truth[table.owner == i].mean() for i in range(len(table.names))])
    return pd.DataFrame(means, index=table.names, columns=table.names)


def pairwise_information(
    trials: Trials, truth: pd.Series[float], complexity: pd.Series[float], *, confidence: float = 0.95
) -> pd.DataFrame:
    """Return the statistics of `agreement` and `added_information` with intervals, a row per pair of estimators.

    Parameters
    ----------
    trials
        By estimator, the scores by architecture of each of its runs; NaN = undefined, ranked worst.
    truth
        Ground truth by architecture.
    complexity
        Such as the number of parameters, by architecture.
    confidence
        Coverage of the intervals: jackknife over architectures of the mean over pairs of runs.

    Returns
    -------
    DataFrame
        Columns: estimator, other, n, agreement, agreement_low, agreement_high, added (what the estimator knows beyond
        complexity and the other), added_low, added_high.

    Raises
    ------
    BenchsuiteError
        If no architecture has complexity and scores of all estimators, or for a confidence outside (0, 1).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> size, truth = pd.Series(rng.normal(size=200)), pd.Series(rng.normal(size=200))
    >>> table = pairwise_information({"oracle": [truth], "size": [size]}, truth, size).set_index(["estimator", "other"])
    >>> (table.loc[("oracle", "size"), ["agreement_low", "agreement_high"]] < 0).tolist()
    [True, False]
    """
    check_confidence(confidence)
    table = RankedRuns.of(trials, truth, complexity)
    runs, rows = _RunGivenSize.by_estimator(table), []
    for first, second in itertools.combinations_with_replacement(runs, 2):
        pairs = list(itertools.combinations(runs[first], 2)) if first == second else []
        pairs = pairs or list(itertools.product(runs[first], runs[second]))
        between = [rho_of_ranked(one.ranked, other.ranked) for one, other in pairs]
        if first == second:
            added = {(first, first): [each.with_truth for each in runs[first]]}
        else:
            given = [
                partial_without_each(rho, one.with_size, other.with_size)
                for rho, (one, other) in zip(between, pairs, strict=True)
            ]
            added = {
                (first, second): [one.beyond(other, rho) for rho, (one, other) in zip(given, pairs, strict=True)],
                (second, first): [other.beyond(one, rho) for rho, (one, other) in zip(given, pairs, strict=True)],
            }
        agreed = _mean_with_interval(between, confidence)
        for names, each in added.items():
            rows.append((*names, table.truth.size, *agreed, *_mean_with_interval(each, confidence)))
    titles = [f"{statistic}{end}" for statistic in ("agreement", "added") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["estimator", "other", "n", *titles])


def _mean_with_interval(statistics: Sequence[LeaveOneOut], confidence: float) -> tuple[float, float, float]:
    mean = LeaveOneOut.mean(statistics)
    return mean.value, *correlation_interval(mean, confidence)


@dataclass(frozen=True, slots=True)
class _RunGivenSize:
    """A run: its ranks, their rho with complexity, and their partial correlation with ground truth given complexity."""

    ranked: Ranked
    with_size: LeaveOneOut
    with_truth: LeaveOneOut

    @classmethod
    def by_estimator(cls, table: RankedRuns) -> dict[str, list[_RunGivenSize]]:
        truth, size = Ranked.of(table.truth), Ranked.of(table.complexity)
        truth_size = rho_of_ranked(truth, size)
        found: dict[str, list[_RunGivenSize]] = {name: [] for name in table.names}
        for owner, ranks in zip(table.owner, table.ranks, strict=True):
            ranked = Ranked.of(ranks)
            with_size = rho_of_ranked(ranked, size)
            with_truth = partial_without_each(rho_of_ranked(ranked, truth), with_size, truth_size)
            found[table.names[owner]].append(cls(ranked, with_size, with_truth))
        return found

    def beyond(self, other: _RunGivenSize, between: LeaveOneOut) -> LeaveOneOut:
        """The same given another run as well; `between` is the correlation of both runs given complexity."""
        return partial_without_each(self.with_truth, between, other.with_truth)
