"""Variance across the runs of an estimator: of its ranking, of each criterion, and of each architecture's rank."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import kendall_tau, rho_without_each, tau_b_without_each
from benchsuite.analysis.ranking import average_ranks
from benchsuite.analysis.uncertainty import LeaveOneOut, correlation_interval, mean_interval
from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from benchsuite.analysis.concordance import Concordance
    from benchsuite.core.arrays import Floats

    WithoutEach = Floats  # a statistic of all n architectures, then without each of them: shape (1 + n,)
    Codes = NDArray[np.intp]
    Shared = tuple[bool, bool]  # whether two runs share the initialisation, and the minibatch
    Pair = tuple[Floats, Floats, Concordance]

_OTHER_SEED, _OTHER_BATCH, _OTHER_BOTH = (False, True), (True, False), (False, False)
_TAUS = {"tau_other_seed": _OTHER_SEED, "tau_other_batch": _OTHER_BATCH, "tau_other_both": _OTHER_BOTH}


def ranking_stability(scores: pd.DataFrame) -> pd.DataFrame:
    """Return tau-b between the scores of every two runs.

    Parameters
    ----------
    scores
        Scores, a row per architecture and a column per run, such as a seed; NaN = undefined, ranked worst.

    Returns
    -------
    DataFrame
        A symmetric matrix labelled by run; NaN for a constant.

    Examples
    --------
    >>> ranking_stability(pd.DataFrame({0: [1.0, 2.0, 3.0], 1: [3.0, 2.0, 1.0]})).loc[0, 1].item()
    -1.0
    """
    columns = [scores[seed].to_numpy(dtype=np.float64) for seed in scores]
    taus = np.array(
        [[kendall_tau(x, y) if i < j else 0.0 for j, y in enumerate(columns)] for i, x in enumerate(columns)]
    )
    with_itself = np.diag([kendall_tau(x, x) for x in columns])  # 1, but NaN for a constant
    return pd.DataFrame(taus + taus.T + with_itself, index=scores.columns, columns=scores.columns)


def between_pairs(stability: pd.DataFrame) -> Floats:
    """Return the values of every two different runs in a matrix of `ranking_stability`.

    Parameters
    ----------
    stability
        A symmetric matrix.

    Returns
    -------
    array
        Shape (pairs,).

    Examples
    --------
    >>> between_pairs(ranking_stability(pd.DataFrame({0: [1.0, 2.0], 1: [2.0, 1.0], 2: [1.0, 2.0]}))).tolist()
    [-1.0, 1.0, -1.0]
    """
    values: Floats = stability.to_numpy(dtype=np.float64)[np.triu_indices(len(stability), k=1)]
    return values


def rank_standard_deviation(scores: pd.DataFrame) -> pd.Series[float]:
    """Return the sample standard deviation over runs of each architecture's rank, divided by their number.

    Parameters
    ----------
    scores
        Scores, a row per architecture and a column per run, such as a seed; NaN = undefined, ranked worst.

    Returns
    -------
    Series
        Deviation by architecture, as a share of all ranks; NaN for a single run.

    Examples
    --------
    >>> rank_standard_deviation(pd.DataFrame({0: [1.0, 2.0], 1: [2.0, 1.0]}, index=["a", "b"])).round(3).to_dict()
    {'a': 0.354, 'b': 0.354}
    """
    ranks = scores.apply(average_ranks, raw=True) / max(len(scores), 1)
    return ranks.std(axis=1, ddof=1).rename("rank_standard_deviation")


def mean_over_runs(rows: pd.DataFrame, by: Sequence[str], ends: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return the means over runs of statistics and of the ends of their intervals.

    A mean leaves out runs in which its statistic is undefined. Ends are NaN if a run that counts in the mean of their
    statistic lacks any of them: they would be the ends of other runs.

    Parameters
    ----------
    rows
        Rows of all runs.
    by
        Columns that say which rows belong together.
    ends
        By statistic, the columns of the ends of its interval.

    Returns
    -------
    DataFrame
        Means of all other columns, indexed by those of `by`, in the order of the rows.

    Examples
    --------
    >>> rows = pd.DataFrame({"of": ["a", "a"], "value": [0.5, 1.0], "low": [0.4, float("nan")], "high": [0.6, 1.0]})
    >>> mean_over_runs(rows, ["of"], {"value": ("low", "high")}).values.tolist()
    [[0.75, nan, nan]]
    """
    means = rows.groupby(list(by), sort=False, dropna=False).mean()
    for statistic, columns in ends.items():
        lacks = rows[statistic].notna() & rows[list(columns)].isna().any(axis=1)
        lacking = rows.assign(lacks=lacks).groupby(list(by), sort=False, dropna=False)["lacks"].any()
        means.loc[lacking.to_numpy(), list(columns)] = np.nan
    return means


def over_seeds(evaluations: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the mean and the sample standard deviation over seeds of every criterion.

    Parameters
    ----------
    evaluations
        A table of `benchsuite.evaluate` per seed.

    Returns
    -------
    DataFrame
        Columns: criterion, k, value (mean), standard_deviation (over seeds, NaN for one), low, high (means
        of the ends: an interval over architectures, not over seeds), n, n_undefined (means), seeds (those in which the
        criterion is defined). Means are those of `mean_over_runs`.

    Raises
    ------
    BenchsuiteError
        If there is no table.

    Examples
    --------
    >>> table = pd.DataFrame({"criterion": ["kendall_tau"], "k": [float("nan")], "value": [0.5], "low": [0.4],
    ...                       "high": [0.6], "n": [100], "n_undefined": [0]})
    >>> over_seeds([table, table.assign(value=0.7)])[["value", "standard_deviation", "seeds"]].round(3).values.tolist()
    [[0.6, 0.141, 2.0]]
    """
    tables = list(evaluations)
    if not tables:
        raise BenchsuiteError("there is no seed to take a mean over; give one table of evaluate per seed")
    by, rows = ["criterion", "k"], pd.concat(tables)
    means = mean_over_runs(rows[[*by, "value", "low", "high", "n", "n_undefined"]], by, {"value": ("low", "high")})
    spread = rows.groupby(by, sort=False, dropna=False)["value"].agg(standard_deviation="std", seeds="count")
    columns = [*by, "value", "standard_deviation", "low", "high", "n", "n_undefined", "seeds"]
    return means.join(spread).reset_index()[columns]


def crossed_factors(scores: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """Return the shares of initialisation and minibatch in how ranks vary.

    Parameters
    ----------
    scores
        Scores, a row per architecture and a column per run, labelled by the two levels (seed, batch seed), of which
        one may be missing throughout; NaN = undefined, ranked worst.
    confidence
        Coverage of the intervals over architectures, for these seeds, by the jackknife.

    Returns
    -------
    DataFrame
        Columns: value, low, high. Rows: architecture, seed, batch, both (shares), tau_other_seed (mean tau-b of two
        runs that share the minibatch but not the initialisation), tau_other_batch, tau_other_both. With a single seed
        or batch seed the other factor takes what they would do together: its own share and that of both are NaN, as is
        what too few runs leave unknown.

    Raises
    ------
    BenchsuiteError
        If the columns do not have two levels, or repeat a label.

    Notes
    -----
    The ranks of each run, standardised, are taken as a sum of random effects: of the architecture, of the architecture
    under one initialisation, of the architecture on one minibatch, and of the architecture under both together, of
    which there is one value and so no further residual. (Effects of a seed on all architectures do not exist in ranks.)
    The components are the symmetric estimators of Koch (Technometrics 9, 1967): differences of mean products over pairs
    of runs that share a factor and pairs that do not. The mean product of two columns of standardised ranks is
    Spearman's rho, so that, for instance, the share of the initialisation is the mean rho between runs that share only
    it, less that between runs that share neither factor. In a complete grid of seeds these are the estimators of the
    analysis of variance (Searle, Casella, McCulloch, Variance Components, 1992, chapter 4) and sum to 1. They are
    unbiased, hence a component of 0 may be estimated below 0; it is left so.

    Examples
    --------
    >>> runs = pd.MultiIndex.from_product([[0, 1], [0, 1]])
    >>> scores = pd.DataFrame([[1, 1, 2, 2], [2, 2, 1, 1], [3, 3, 3, 3]], columns=runs)
    >>> crossed_factors(scores)["value"].round(3).tolist()
    [0.5, 0.5, 0.0, 0.0, 0.333, 1.0, 0.333]
    """
    if scores.columns.nlevels != 2 or not scores.columns.is_unique:
        raise BenchsuiteError(f"columns {scores.columns.tolist()}; label each run by its own (seed, batch seed)")
    # a missing seed is one level, too
    seeds, batch_seeds = (scores.columns.get_level_values(level).factorize()[0] for level in (0, 1))
    n, pairs = len(scores), _pairs(scores, seeds, batch_seeds)
    rhos = {shared: _mean(n, [rho_without_each(*pair) for pair in found]) for shared, found in pairs.items()}
    taus = {name: _mean(n, [tau_b_without_each(pair[2]) for pair in pairs[shared]]) for name, shared in _TAUS.items()}
    rows = {}
    for name, each in {**_shares(rhos, len(set(seeds)), len(set(batch_seeds))), **taus}.items():
        interval = correlation_interval if name in taus else mean_interval
        rows[name] = each[0], *interval(LeaveOneOut(float(each[0]), each[1:]), confidence)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])


def _pairs(scores: pd.DataFrame, seeds: Codes, batch_seeds: Codes) -> dict[Shared, list[Pair]]:
    """All pairs of runs that differ in a factor, by what they share."""
    columns = scores.to_numpy(dtype=np.float64).T
    pairs: dict[Shared, list[Pair]] = {shared: [] for shared in _TAUS.values()}
    for i, j in itertools.combinations(range(len(columns)), 2):
        shared = bool(seeds[i] == seeds[j]), bool(batch_seeds[i] == batch_seeds[j])
        pairs[shared].append((columns[i], columns[j], concordance(columns[i], columns[j])))
    return pairs


def _mean(n: int, statistics: Sequence[LeaveOneOut]) -> WithoutEach:
    """The mean of statistics on n architectures, and without each of them; NaN if there are none."""
    values = [np.concatenate([[each.value], each.without]) for each in statistics]
    return np.mean(values, axis=0) if values else np.full(1 + n, np.nan)


def _shares(rhos: Mapping[Shared, WithoutEach], seeds: int, batch_seeds: int) -> dict[str, WithoutEach]:
    """Components of the variance of standardised ranks, from the mean rho of each kind of pair of runs."""
    # With components A (architecture), S (initialisation), B (minibatch), I (both together), A + S + B + I = 1:
    # rho = A + B of pairs with another seed, A + S of pairs with another minibatch, A of pairs with both others.
    other_seed, other_batch, neither = (rhos[shared] for shared in (_OTHER_SEED, _OTHER_BATCH, _OTHER_BOTH))
    unknown = np.full_like(neither, np.nan)
    if batch_seeds == 1:
        return {"architecture": other_seed, "seed": 1 - other_seed, "batch": unknown, "both": unknown}
    if seeds == 1:
        return {"architecture": other_batch, "seed": unknown, "batch": 1 - other_batch, "both": unknown}
    return {
        "architecture": neither,
        "seed": other_batch - neither,
        "batch": other_seed - neither,
        "both": 1 - other_batch - other_seed + neither,
    }
