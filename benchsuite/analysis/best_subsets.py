"""Which estimators to combine by their mean rank, judged on architectures that did not take part in the choice."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import ROUNDING, kendall_tau, tau_b_without_each
from benchsuite.analysis.ranked_runs import RankedRuns
from benchsuite.analysis.uncertainty import LeaveOneOut, correlation_interval
from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.analysis.align import Trials
    from benchsuite.core.arrays import Booleans, Floats, Integers

SCREENED = 20  # subsets of each size whose tau is computed, those with the highest correlation of ranks


def best_subsets(
    trials: Trials,
    truth: pd.Series[float],
    *,
    largest: int = 3,
    folds: int = 5,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the best estimators to combine by their mean rank, of each size, with tau-b on held-out architectures.

    Of all subsets of a size, the `SCREENED` ones with the highest correlation of mean rank and rank of the ground truth
    are compared by tau-b. Every estimator takes part with its first run.

    Parameters
    ----------
    trials
        By estimator, the scores by architecture of each of its runs; NaN = undefined, ranked worst.
    truth
        Ground truth by architecture.
    largest
        Largest number of estimators in a subset.
    folds
        Number of parts of the architectures, at least 2; on each, the subset that is best on the others is judged.
    confidence
        Coverage of the intervals.
    seed
        Of the division into folds.

    Returns
    -------
    DataFrame
        A row per size, from 1. Columns: size, estimators (names of those that are best on all architectures, joined by
        " + "), held_out (mean over folds of tau-b on the fold, by the subset that is best on the others), low, high
        (its interval over architectures: jackknife within the folds, their choices held fixed), standard_deviation
        (over the folds), all (tau-b of `estimators` on all architectures, which is optimistic),
        folds_agreeing (number of folds in which the same subset was best).

    Raises
    ------
    BenchsuiteError
        For less than 2 folds, more folds than architectures, or if no architecture has scores of all estimators.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = pd.Series(rng.normal(size=300))
    >>> trials = {name: [truth + rng.normal(size=300)] for name in "abc"} | {"noise": [pd.Series(rng.normal(size=300))]}
    >>> best_subsets(trials, truth)[["size", "estimators"]].values.tolist()[-1]
    [3, 'a + b + c']
    """
    table = RankedRuns.of({name: each[:1] for name, each in trials.items()}, truth)
    if not 2 <= folds <= table.truth.size:
        raise BenchsuiteError(
            f"{folds} folds of {table.truth.size} architectures; give at least 2 folds and at most one per architecture"
        )
    fold = np.random.default_rng(seed).permutation(table.truth.size) % folds
    rows = []
    for size in range(1, min(largest, len(table.names)) + 1):
        subsets = np.array(list(itertools.combinations(range(len(table.names)), size)))
        chosen, tau = _best(table, subsets, fold >= 0)
        by_fold = [_best(table, subsets, fold != part)[0] for part in range(folds)]
        held_out = [
            tau_b_without_each(concordance(*_combined(table, best, fold == part))) for part, best in enumerate(by_fold)
        ]
        taus = [each.value for each in held_out]
        ends = correlation_interval(_mean_of_parts(held_out), confidence)
        names = " + ".join(table.names[member] for member in chosen)
        same = sum(np.array_equal(best, chosen) for best in by_fold)
        rows.append((size, names, np.mean(taus), *ends, np.std(taus, ddof=1), tau, same))
    return pd.DataFrame(
        rows, columns=["size", "estimators", "held_out", "low", "high", "standard_deviation", "all", "folds_agreeing"]
    )


def _best(table: RankedRuns, subsets: Integers, inside: Booleans) -> tuple[Integers, float]:
    """The subset whose mean rank has the highest tau-b on some architectures, and that tau-b."""
    covariance = np.cov(np.vstack([table.ranks, table.truth])[:, inside])
    # r(sum of ranks, truth) up to the deviation of the truth: sum of cov(rank, truth) / sqrt(sum of cov(rank, rank'))
    among = covariance[subsets[:, :, None], subsets[:, None, :]].sum(axis=(1, 2))
    with_truth = covariance[subsets, -1].sum(axis=1)
    correlation = np.divide(with_truth, np.sqrt(among), out=np.full(len(subsets), -np.inf), where=among > ROUNDING)
    candidates = subsets[np.argsort(-correlation, kind="stable")[:SCREENED]]
    taus = [kendall_tau(*_combined(table, subset, inside)) for subset in candidates]
    best = int(np.nanargmax(np.nan_to_num(taus, nan=-2)))
    return candidates[best], taus[best]


def _combined(table: RankedRuns, members: Integers, inside: Booleans) -> tuple[Floats, Floats]:
    """Combined score of some estimators and ground truth on some architectures."""
    return table.ranks[members].sum(axis=0)[inside], table.truth[inside]  # a sum ties exactly, a mean may not


def _mean_of_parts(statistics: Sequence[LeaveOneOut]) -> LeaveOneOut:
    """Mean of a statistic over disjoint parts of the items: leaving an item out changes it in its own part."""
    mean = float(np.mean([each.value for each in statistics]))
    changes = np.concatenate([each.without - each.value for each in statistics])
    return LeaveOneOut(mean, mean + changes / len(statistics))
