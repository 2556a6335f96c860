"""How estimators err on one benchmark: with the size of an architecture and from seed to seed; how sure the truth is."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd


from benchsuite.analysis.bias import bias_by_complexity
from benchsuite.analysis.correlation import kendall_tau
from benchsuite.analysis.ranking import average_ranks
from benchsuite.analysis.reliability import ceiling, seed_reliability

from benchsuite.report.words import large

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GROUPS = 5
_RELIABLE = ("kendall_tau", "spearman_rho")


def bias_table(trials: Mapping[str, Sequence[pd.Series]], truth: pd.Series, params: pd.Series) -> pd.DataFrame:
    """Mean rank difference by parameter group and estimator, in percent of the architectures, averaged over trials.

    Columns: estimator, group (1 = fewest parameters), label, n, rank_difference (positive = ranked too high), low,
    high, tau (inside the group).
    """
    frames = [
        bias_by_complexity(values, truth, params, groups=GROUPS).assign(estimator=name)
        for name, each in trials.items()
        for values in each
    ]
    means = pd.concat(frames).groupby(["estimator", "group"], sort=False).mean(numeric_only=True).reset_index()
    share = 100 / len(truth)
    return means.assign(
        group=means["group"] + 1,
        label=[f"{large(a)} to {large(b)}" for a, b in zip(means["smallest"], means["largest"], strict=True)],
        rank_difference=means["rank_difference"] * share,
        low=means["low"] * share,
        high=means["high"] * share,
    )


def parameter_groups(params: pd.Series) -> pd.Series:
    """Group of each architecture by parameters, 1 = fewest."""
    codes = pd.qcut(params, GROUPS, labels=False, duplicates="drop")
    return codes.rank(method="dense").astype(int)


def variance_table(trials: Mapping[str, Sequence[pd.Series]]) -> pd.DataFrame:
    """How far the scores of different trials agree, a row per estimator with at least two.

    Columns: estimator, trials, tau_between_seeds (mean over pairs of trials), tau_low, tau_high (least and greatest
    pair), rank_deviation (root mean variance of an architecture's rank over trials, in percent of the architectures).
    """
    rows = [_variance_of(name, pd.concat(each, axis=1)) for name, each in trials.items() if len(each) > 1]
    columns = ["estimator", "trials", "tau_between_seeds", "tau_low", "tau_high", "rank_deviation"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("tau_between_seeds", ascending=False, kind="stable", ignore_index=True)


def _variance_of(name: str, scores: pd.DataFrame) -> tuple[str, int, float, float, float, float]:
    taus = [kendall_tau(scores.iloc[:, i], scores.iloc[:, j]) for i, j in _pairs(scores.shape[1])]
    ranks = np.column_stack([average_ranks(scores.iloc[:, i]) for i in range(scores.shape[1])])
    deviation = 100 * float(np.sqrt(ranks.var(axis=1, ddof=1).mean())) / len(scores)
    return name, scores.shape[1], float(np.mean(taus)), min(taus), max(taus), deviation


def _pairs(n: int) -> list[tuple[int, int]]:
    return list(itertools.combinations(range(n), 2))


def reliability_table(trials: pd.DataFrame) -> pd.DataFrame:
    """Seed reliability and ceiling of the truth by criterion; empty where no architecture was trained twice."""
    rows = []
    if repeated_trainings(trials):
        rows = [(name, seed_reliability(trials, name), ceiling(trials, name)) for name in _RELIABLE]
    return pd.DataFrame(rows, columns=["criterion", "seed_reliability", "ceiling"])


def repeated_trainings(trials: pd.DataFrame) -> int:
    """Number of architectures that were trained at least twice."""
    return int((trials.notna().sum(axis=1) > 1).sum())


def ranks_table(trials: Mapping[str, Sequence[pd.Series]], truth: pd.Series, params: pd.Series) -> pd.DataFrame:
    """Rank by truth and by the first trial's score (1 = best) with the parameter group.

    Columns: estimator, architecture, truth, score, group.
    """
    frames = []
    for name, each in trials.items():
        values = each[0][each[0].index.isin(truth.index)]
        known = truth.reindex(values.index)
        frame = {"estimator": name, "architecture": values.index, "truth": ranks(known), "score": ranks(values)}
        frames.append(pd.DataFrame(frame).assign(group=parameter_groups(params.reindex(values.index)).to_numpy()))
    return pd.concat(frames, ignore_index=True)


def ranks(values: pd.Series) -> np.ndarray:
    """Rank of each value from 1 = highest; equal values share the mean of their ranks, NaN ranks lowest.

    >>> ranks(pd.Series([0.5, np.nan, 0.9])).tolist()
    [2.0, 3.0, 1.0]
    """
    upward: np.ndarray = len(values) + 1 - average_ranks(values)
    return upward
