"""What estimators know in common and what they add to each other: for choosing which of them to combine.

All figures are on the architectures that every estimator has scored. Undefined scores rank below all others, tied.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from benchsuite.analysis.align import aligned, side_by_side
from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import (
    ROUNDING,
    LeaveOneOut,
    Ranked,
    kendall_tau,
    mean_figure,
    partial_correlation,
    partial_without_each,
    rho_of_ranked,
    tau_b_without_each,
)
from benchsuite.analysis.ranking import average_ranks
from benchsuite.analysis.uncertainty import check_confidence, correlation_interval
from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.analysis.align import Trials
    from benchsuite.core.arrays import Booleans, Floats, Integers


SCREENED = 20  # subsets of each size whose tau is computed, those with the highest correlation of ranks


def agreement(trials: Trials, truth: pd.Series[float]) -> pd.DataFrame:
    """Spearman's rho between every two estimators: a symmetric matrix, in the order of `clustered_order`.

    It is the mean over all pairs of a trial of one and a trial of the other; on the diagonal, over pairs of different
    trials (1 for a single trial): two estimators cannot be expected to agree more than each does with itself. NaN for a
    constant. `attrs["n"]`: number of architectures.

    >>> up = pd.Series([1.0, 2.0, 3.0])
    >>> agreement({"up": [up], "down": [-up]}, up).round(9).values.tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    table = _Ranks.of(trials, truth)
    matrix = pd.DataFrame(table.mean_over_trials(table.correlations()), index=table.names, columns=table.names)
    order = clustered_order(matrix)
    found = matrix.loc[order, order]
    found.attrs = {"n": table.truth.size}
    return found


def clustered_order(correlations: pd.DataFrame) -> list[str]:
    """Labels of a correlation matrix with alike ones side by side: leaves of average linkage by 1 - correlation.

    Leaves are ordered as Bar-Joseph et al. (Bioinformatics 17, 2001) do; an undefined correlation counts as 0.

    >>> labels = list("abc")
    >>> clustered_order(pd.DataFrame([[1, 0, 0.9], [0, 1, 0.1], [0.9, 0.1, 1]], labels, labels))
    ['b', 'c', 'a']
    """
    labels = correlations.index.tolist()
    if len(labels) < 3:
        return labels
    distances = 1 - np.nan_to_num(correlations.to_numpy(dtype=np.float64))
    distances = squareform((distances + distances.T) / 2, checks=False)  # the diagonal does not count
    leaves = hierarchy.leaves_list(hierarchy.linkage(distances, "average", optimal_ordering=True))
    return [labels[leaf] for leaf in leaves]


def added_information(trials: Trials, truth: pd.Series[float], complexity: pd.Series[float]) -> pd.DataFrame:
    """What each estimator (row) knows of the truth beyond complexity and another estimator (column).

    The partial rank correlation of score and truth, given the ranks of complexity and of the other's scores; on the
    diagonal, given complexity alone. Means over all pairs of trials. 0 = nothing added; NaN where nothing is left to
    explain, as for a score that ranks as complexity does.

    >>> rng = np.random.default_rng(0)
    >>> size, truth = pd.Series(rng.normal(size=200)), pd.Series(rng.normal(size=200))
    >>> table = added_information({"oracle": [truth], "size": [size]}, truth, size)
    >>> print(table.round(6).loc["oracle", "oracle"], table.loc["size", "size"])
    1.0 nan
    """
    table = _Ranks.of(trials, truth, complexity)
    scores, correlations = len(table.owner), table.correlations(extended=True)
    size = correlations[:-1, -1]
    given_size = partial_correlation(correlations[:-1, :-1], size[:, None], size)
    with_truth, among = given_size[:scores, scores], given_size[:scores, :scores]
    means = table.mean_over_trials(partial_correlation(with_truth[:, None], among, with_truth))
    np.fill_diagonal(means, [with_truth[table.owner == i].mean() for i in range(len(table.names))])
    return pd.DataFrame(means, index=table.names, columns=table.names)


def information(
    trials: Trials, truth: pd.Series[float], complexity: pd.Series[float], *, confidence: float = 0.95
) -> pd.DataFrame:
    """The figures of `agreement` and `added_information` with intervals over architectures, one row a pair.

    Columns estimator, other, n, agreement, agreement_low, agreement_high, added, added_low, added_high: what the
    estimator knows beyond complexity and the other. Jackknife of the mean over pairs of trials. Raises BenchsuiteError
    for unusable input.

    >>> rng = np.random.default_rng(0)
    >>> size, truth = pd.Series(rng.normal(size=200)), pd.Series(rng.normal(size=200))
    >>> table = information({"oracle": [truth], "size": [size]}, truth, size).set_index(["estimator", "other"])
    >>> (table.loc[("oracle", "size"), ["agreement_low", "agreement_high"]] < 0).tolist()
    [True, False]
    """
    check_confidence(confidence)
    table = _Ranks.of(trials, truth, complexity)
    columns, rows = _Judged.of(table), []
    for first, second in itertools.combinations_with_replacement(columns, 2):
        pairs = list(itertools.combinations(columns[first], 2)) if first == second else []
        pairs = pairs or list(itertools.product(columns[first], columns[second]))
        between = [rho_of_ranked(one.ranked, other.ranked) for one, other in pairs]
        given = [
            partial_without_each(each, one.with_size, other.with_size)
            for each, (one, other) in zip(between, pairs, strict=True)
        ]
        added = {
            (first, second): [one.beyond(other, left) for left, (one, other) in zip(given, pairs, strict=True)],
            (second, first): [other.beyond(one, left) for left, (one, other) in zip(given, pairs, strict=True)],
        }
        if first == second:
            added = {(first, first): [each.given_size for each in columns[first]]}
        agreed = mean_figure(between)
        for names, each in added.items():
            figures = [
                (figure.value, *correlation_interval(figure, confidence)) for figure in (agreed, mean_figure(each))
            ]
            rows.append((*names, table.truth.size, *figures[0], *figures[1]))
    titles = [f"{figure}{end}" for figure in ("agreement", "added") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["estimator", "other", "n", *titles])


def best_subsets(
    trials: Trials,
    truth: pd.Series[float],
    *,
    largest: int = 3,
    folds: int = 5,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """The best estimators to combine by their mean rank, of each size, with tau on architectures not chosen by.

    One row per size, from 1: size, estimators (names, joined by " + "), held_out (mean over folds of tau-b on the fold,
    by the subset that is best on the others), low, high (its interval over architectures: jackknife inside the folds,
    their choices held fixed), deviation (over folds), all (tau-b of `estimators`, best on all architectures, which
    flatters), folds_agreeing (in how many folds the same subset was best). Every estimator takes part with its first
    trial. The subsets with the highest correlation of mean rank and rank of truth are compared by tau. Raises
    BenchsuiteError for less than 2 folds or fewer architectures than folds.

    >>> rng = np.random.default_rng(0)
    >>> truth = pd.Series(rng.normal(size=300))
    >>> trials = {name: [truth + rng.normal(size=300)] for name in "abc"} | {"noise": [pd.Series(rng.normal(size=300))]}
    >>> best_subsets(trials, truth)[["size", "estimators"]].values.tolist()[-1]
    [3, 'a + b + c']
    """
    table = _Ranks.of({name: each[:1] for name, each in trials.items()}, truth)
    if not 2 <= folds <= table.truth.size:
        raise BenchsuiteError(f"{folds} folds of {table.truth.size} architectures; give 2 or more, not more than these")
    fold = np.random.default_rng(seed).permutation(table.truth.size) % folds
    rows = []
    for size in range(1, min(largest, len(table.names)) + 1):
        subsets = np.array(list(itertools.combinations(range(len(table.names)), size)))
        chosen, tau = _best(table, subsets, fold >= 0)
        by_fold = [_best(table, subsets, fold != part)[0] for part in range(folds)]
        held_out = [table.tau_without_each(best, fold == part) for part, best in enumerate(by_fold)]
        taus = [each.value for each in held_out]
        ends = correlation_interval(_mean_of_parts(held_out), confidence)
        names = " + ".join(table.names[member] for member in chosen)
        same = sum(np.array_equal(best, chosen) for best in by_fold)
        rows.append((size, names, np.mean(taus), *ends, np.std(taus, ddof=1), tau, same))
    return pd.DataFrame(
        rows, columns=["size", "estimators", "held_out", "low", "high", "deviation", "all", "folds_agreeing"]
    )


def _mean_of_parts(figures: Sequence[LeaveOneOut]) -> LeaveOneOut:
    """Mean of a figure over disjoint parts of the items: leaving an item out changes it in its own part."""
    mean = float(np.mean([figure.value for figure in figures]))
    changes = np.concatenate([figure.without - figure.value for figure in figures])
    return LeaveOneOut(mean, mean + changes / len(figures))


def _best(table: _Ranks, subsets: Integers, inside: Booleans) -> tuple[Integers, float]:
    """The subset whose mean rank has the highest tau on some architectures, and that tau."""
    covariance = np.cov(np.vstack([table.ranks, table.truth])[:, inside])
    among = covariance[subsets[:, :, None], subsets[:, None, :]].sum(axis=(1, 2))
    with_truth = covariance[subsets, -1].sum(axis=1)
    correlation = np.divide(with_truth, np.sqrt(among), out=np.full(len(subsets), -np.inf), where=among > ROUNDING)
    candidates = subsets[np.argsort(-correlation, kind="stable")[:SCREENED]]
    taus = [table.tau(subset, inside) for subset in candidates]
    best = int(np.nanargmax(np.nan_to_num(taus, nan=-2)))
    return candidates[best], taus[best]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A trial: its ranks, their rho with complexity, and what it knows of the truth, given complexity."""

    ranked: Ranked
    with_size: LeaveOneOut
    given_size: LeaveOneOut

    @classmethod
    def of(cls, table: _Ranks) -> dict[str, list[_Judged]]:
        """The trials of each estimator."""
        truth, size = Ranked.of(table.truth), Ranked.of(table.complexity)
        truth_size = rho_of_ranked(truth, size)
        found: dict[str, list[_Judged]] = {name: [] for name in table.names}
        for owner, ranks in zip(table.owner, table.ranks, strict=True):
            ranked = Ranked.of(ranks)
            with_size = rho_of_ranked(ranked, size)
            given_size = partial_without_each(rho_of_ranked(ranked, truth), with_size, truth_size)
            found[table.names[owner]].append(cls(ranked, with_size, given_size))
        return found

    def beyond(self, other: _Judged, between: LeaveOneOut) -> LeaveOneOut:
        """What it knows of the truth, given complexity and another trial; `between` is what they share beyond size."""
        return partial_without_each(self.given_size, between, other.given_size)


@dataclass(frozen=True, slots=True)
class _Ranks:
    """Average ranks on n architectures: of every trial, shape (columns, n), of truth and complexity, shape (n,).

    `owner` is the number of each column's estimator in `names`.
    """

    names: list[str]
    owner: Integers
    ranks: Floats
    truth: Floats
    complexity: Floats

    @classmethod
    def of(cls, trials: Trials, truth: pd.Series[float], complexity: pd.Series[float] | None = None) -> _Ranks:
        known = truth if complexity is None else aligned(truth, complexity)["scores"]
        table = side_by_side(trials, known)
        common = np.logical_and.reduce([*table.scored.values(), np.ones(len(known), dtype=bool)])
        if not common.any():
            raise BenchsuiteError("no architecture has scores of all estimators; compare fewer of them")
        columns = [column[common] for each in table.scores.values() for column in each]
        sizes = known if complexity is None else complexity
        return cls(
            list(table.scores),
            np.repeat(np.arange(len(table.scores)), [len(each) for each in table.scores.values()]),
            np.array([average_ranks(column) for column in columns]),
            average_ranks(table.truth[common]),
            average_ranks(sizes.reindex(table.architectures).to_numpy()[common]),
        )

    def correlations(self, *, extended: bool = False) -> Floats:
        """Spearman's rho of all columns, `extended` by truth and complexity; NaN with a constant."""
        rows = np.vstack([self.ranks, self.truth, self.complexity]) if extended else self.ranks
        centred = rows - rows.mean(axis=1, keepdims=True)
        norms = np.sqrt((centred**2).sum(axis=1))
        unit = centred / np.where(norms > 0, norms, np.nan)[:, None]
        correlations: Floats = np.clip(unit @ unit.T, -1, 1)
        return correlations

    def mean_over_trials(self, matrix: Floats) -> Floats:
        """Means over pairs of trials of two estimators; on the diagonal over pairs of different trials."""
        starts = np.searchsorted(self.owner, np.arange(len(self.names)))
        number = np.diff([*starts, self.owner.size])
        sums = np.add.reduceat(np.add.reduceat(matrix, starts, axis=0), starts, axis=1)
        own = np.add.reduceat(np.diag(matrix), starts)
        between = (np.diag(sums) - own) / np.maximum(number * (number - 1), 1)
        means: Floats = sums / np.outer(number, number)
        np.fill_diagonal(means, np.where(number > 1, between, own))
        return means

    def tau(self, members: Integers, inside: Booleans) -> float:
        """tau-b between the mean rank of some columns and the truth on some architectures."""
        return kendall_tau(self.ranks[members].sum(axis=0)[inside], self.truth[inside])  # a sum ties exactly

    def tau_without_each(self, members: Integers, inside: Booleans) -> LeaveOneOut:
        """The same with the values without each architecture."""
        return tau_b_without_each(concordance(self.ranks[members].sum(axis=0)[inside], self.truth[inside]))
