"""Variance across the seeds of an estimator: of its ranking, of each criterion, and of each architecture's rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.correlation import kendall_tau
from benchsuite.analysis.ranking import average_ranks
from benchsuite.core import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Iterable


def ranking_stability(scores: pd.DataFrame) -> pd.DataFrame:
    """tau-b between the scores of every two seeds: a symmetric matrix labelled by seed.

    `scores` has one row per architecture and one column per seed; NaN = undefined, ranked worst.

    >>> ranking_stability(pd.DataFrame({0: [1.0, 2.0, 3.0], 1: [3.0, 2.0, 1.0]})).loc[0, 1].item()
    -1.0
    """
    columns = [scores[seed].to_numpy(dtype=np.float64) for seed in scores]
    taus = np.array(
        [[kendall_tau(x, y) if i < j else 0.0 for j, y in enumerate(columns)] for i, x in enumerate(columns)]
    )
    own = np.diag([kendall_tau(x, x) for x in columns])  # 1, but NaN for a constant
    return pd.DataFrame(taus + taus.T + own, index=scores.columns, columns=scores.columns)


def mean_stability(scores: pd.DataFrame) -> float:
    """Mean tau-b over all pairs of seeds: how far two runs of an estimator agree; NaN for a single seed.

    >>> mean_stability(pd.DataFrame({0: [1.0, 2.0, 3.0], 1: [1.0, 2.0, 3.0]}))
    1.0
    """
    taus = ranking_stability(scores).to_numpy()
    pairs = taus[np.triu_indices(len(taus), k=1)]
    return float(pairs.mean()) if pairs.size else float("nan")


def rank_deviation(scores: pd.DataFrame) -> pd.Series[float]:
    """Sample deviation over seeds of each architecture's rank, divided by their number; NaN for a single seed.

    >>> rank_deviation(pd.DataFrame({0: [1.0, 2.0], 1: [2.0, 1.0]}, index=["a", "b"])).round(3).to_dict()
    {'a': 0.354, 'b': 0.354}
    """
    ranks = scores.apply(average_ranks, raw=True) / max(len(scores), 1)
    return ranks.std(axis=1, ddof=1).rename("rank_deviation")


def over_seeds(evaluations: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Mean and sample deviation over seeds of every figure, from one table of `evaluate` per seed.

    Columns criterion, k, value (mean), deviation (NaN for one seed), low, high (means of the bounds: an interval over
    architectures, not over seeds), n, n_undefined (means), seeds (those in which the figure is defined). A mean leaves
    out seeds in which the figure is undefined. Raises BenchsuiteError if there is no table.

    >>> table = pd.DataFrame({"criterion": ["kendall_tau"], "k": [float("nan")], "value": [0.5], "low": [0.4],
    ...                       "high": [0.6], "n": [100], "n_undefined": [0]})
    >>> over_seeds([table, table.assign(value=0.7)])[["value", "deviation", "seeds"]].round(3).values.tolist()
    [[0.6, 0.141, 2.0]]
    """
    tables = list(evaluations)
    if not tables:
        raise BenchsuiteError("there is no seed to take a mean over; give one table of evaluate per seed")
    groups = pd.concat(tables).groupby(["criterion", "k"], sort=False, dropna=False)
    means = groups[["value", "low", "high", "n", "n_undefined"]].mean()
    spread = groups["value"].agg(deviation="std", seeds="count")
    columns = ["criterion", "k", "value", "deviation", "low", "high", "n", "n_undefined", "seeds"]
    return means.join(spread).reset_index()[columns]
