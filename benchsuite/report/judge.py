"""The judgement of one benchmark: all tables from which the page, the Markdown and the verdict are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.report.behaviour import (
    bias_table,
    factors_table,
    ranks_table,
    reliability_table,
    size_table,
    variance_table,
)
from benchsuite.report.criteria import (
    criteria_by_k,
    leaderboard_of,
    trials_of,
    with_combinations,
    with_size_baselines,
)

if TYPE_CHECKING:
    import pandas as pd

    from benchsuite.report.results import BenchmarkResults


@dataclass(frozen=True, slots=True)
class Judgement:
    """Tables of one benchmark; the functions that make them say their columns."""

    results: BenchmarkResults
    truth: pd.Series
    scores: pd.DataFrame
    leaderboard: pd.DataFrame
    criteria: pd.DataFrame
    bias: pd.DataFrame
    size: pd.DataFrame
    variance: pd.DataFrame
    factors: pd.DataFrame
    reliability: pd.DataFrame
    ranks: pd.DataFrame

    @property
    def ceiling(self) -> float | None:
        """Tau that a perfect estimator would reach against this truth; None where no training was repeated."""
        rows = self.reliability[self.reliability["criterion"] == "kendall_tau"]
        return float(rows["ceiling"].iloc[0]) if len(rows) else None

    @property
    def order(self) -> list[str]:
        """Estimators, the best tau first."""
        return self.leaderboard["estimator"].tolist()


def judge(results: BenchmarkResults) -> Judgement:
    """The judgement of the scores that are there, be the run complete or not."""
    truth = results.truth.dropna()
    scores = with_size_baselines(results)
    scores = with_combinations(scores[scores["architecture"].isin(truth.index)], results.combinations)
    trials = trials_of(scores)
    params = results.complexity["params"].reindex(truth.index)
    criteria = criteria_by_k(trials, truth)
    return Judgement(
        results,
        truth,
        scores,
        leaderboard_of(scores, criteria, len(truth)),
        criteria,
        bias_table(trials, truth, params),
        size_table(trials, truth, params),
        variance_table(trials),
        factors_table(trials),
        reliability_table(results.trials),
        ranks_table(trials, truth, params),
    )
