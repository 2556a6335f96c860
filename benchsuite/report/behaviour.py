"""How estimators behave on one benchmark: from seed to seed, and among the best; how sure the truth is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.correlation import kendall_tau, spearman_rho
from benchsuite.analysis.groups import tau_within_ends
from benchsuite.analysis.ranking import average_ranks
from benchsuite.analysis.reliability import ceiling, seed_reliability
from benchsuite.analysis.top_k import precision_at_top
from benchsuite.analysis.variance import (
    between_pairs,
    crossed_factors,
    mean_of_trials,
    rank_deviation,
    ranking_stability,
)
from benchsuite.report.bias import size_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

_RELIABLE: dict[str, Callable[..., float]] = {
    "kendall_tau": kendall_tau,
    "spearman_rho": spearman_rho,
    "precision_at_top@0.05": partial(precision_at_top, fraction=0.05),
}


def variance_table(trials: Mapping[str, Sequence[pd.Series]]) -> pd.DataFrame:
    """How far the scores of different trials agree, a row per estimator with at least two, the most stable first.

    Estimators whose trials have no two architectures in common, as in a run that was stopped, have no row.

    Columns: estimator, trials, tau_between_seeds (mean over pairs of trials), tau_low, tau_high (least and greatest
    pair), rank_deviation (of an architecture over trials, mean over architectures, in percent of them).
    """
    common = {name: _in_common(each) for name, each in trials.items() if len(each) > 1}
    rows = [_variance_of(name, scores) for name, scores in common.items() if len(scores) > 1]
    columns = ["estimator", "trials", "tau_between_seeds", "tau_low", "tau_high", "rank_deviation"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("tau_between_seeds", ascending=False, kind="stable", ignore_index=True)


def _in_common(trials: Sequence[pd.Series]) -> pd.DataFrame:
    """Scores of the architectures that all trials have scored, a column for each trial."""
    return pd.concat(trials, axis=1, join="inner", keys=range(len(trials)))


def _variance_of(name: str, scores: pd.DataFrame) -> tuple[str, int, float, float, float, float]:
    """One row of the table."""
    taus = between_pairs(ranking_stability(scores))
    deviation = 100 * float(rank_deviation(scores).mean())
    return name, scores.shape[1], float(taus.mean()), float(taus.min()), float(taus.max()), deviation


def factors_table(trials: Mapping[str, Sequence[pd.Series]]) -> pd.DataFrame:
    """Initialisation against minibatch, by every estimator that has several trials; empty where none crosses the two.

    Columns: estimator, figure (as `benchsuite.analysis.variance.crossed_factors` names them), value, low, high. A
    figure that a score cannot have, because it depends on one factor only, is NaN.
    """
    tables = [pd.DataFrame(columns=["estimator", "figure", "value", "low", "high"])]
    if any(_crossed(each) for each in trials.values()):
        tables = [_factors_of(name, each) for name, each in trials.items() if len(each) > 1]
    return pd.concat(tables, ignore_index=True)


def _crossed(trials: Sequence[pd.Series]) -> bool:
    """Whether trials differ in both their seeds and their batch seeds."""
    factors = zip(*(each.name for each in trials), strict=True)
    return all(len(pd.Series(seeds).dropna().unique()) > 1 for seeds in factors)


def _factors_of(name: str, trials: Sequence[pd.Series]) -> pd.DataFrame:
    """Rows of the table, from the architectures that all trials have scored."""
    figures = crossed_factors(pd.concat(trials, axis=1, join="inner")).rename_axis("figure").reset_index()
    figures.insert(0, "estimator", name)
    return figures


def within_ends_table(trials: Mapping[str, Sequence[pd.Series]], truth: pd.Series) -> pd.DataFrame:
    """Tau among the best and the worst by score and by truth, averaged over trials.

    Columns: estimator, by, end, k, n, value, low, high (as `benchsuite.analysis.groups.tau_within_ends` says them).
    """
    frames = [tau_within_ends(values, truth).assign(estimator=name) for name, each in trials.items() for values in each]
    ends = {"kendall_tau": ("tau_low", "tau_high")}
    means = mean_of_trials(pd.concat(frames), ["estimator", "by", "end", "k"], ends).reset_index()
    return means.rename(columns={"kendall_tau": "value", "tau_low": "low", "tau_high": "high"})


def reliability_table(trials: pd.DataFrame) -> pd.DataFrame:
    """Seed reliability and ceiling of the truth by criterion; empty where no architecture was trained twice."""
    rows = []
    if repeated_trainings(trials):
        for name, criterion in _RELIABLE.items():
            limit = ceiling(trials, criterion)
            rows.append((name, seed_reliability(trials, criterion).value, limit.value, limit.n))
    return pd.DataFrame(rows, columns=["criterion", "seed_reliability", "ceiling", "n"])


def repeated_trainings(trials: pd.DataFrame) -> int:
    """Number of architectures that were trained at least twice."""
    return int((trials.notna().sum(axis=1) > 1).sum())


def ranks_table(trials: Mapping[str, Sequence[pd.Series]], truth: pd.Series, params: pd.Series) -> pd.DataFrame:
    """Rank by truth and by the first trial's score (1 = best) with the parameter group, of all architectures.

    Columns: estimator, architecture, truth, score, group.
    """
    frames, groups = [], size_groups(params)["group"]
    for name, each in trials.items():
        values = each[0][each[0].index.isin(truth.index)]
        known = truth.reindex(values.index)
        frame = {"estimator": name, "architecture": values.index, "truth": ranks(known), "score": ranks(values)}
        frames.append(pd.DataFrame(frame).assign(group=groups.reindex(values.index).array))
    return pd.concat(frames, ignore_index=True)


def ranks(values: pd.Series) -> np.ndarray:
    """Rank of each value from 1 = highest; equal values share the mean of their ranks, NaN ranks lowest.

    >>> ranks(pd.Series([0.5, float("nan"), 0.9])).tolist()
    [2.0, 3.0, 1.0]
    """
    upward: np.ndarray = len(values) + 1 - average_ranks(values)
    return upward
