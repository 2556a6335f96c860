"""The judgement of one benchmark: all tables from which the page, the Markdown and the verdict are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.analysis.comparison import compare
from benchsuite.analysis.complementarity import added_information, agreement, information
from benchsuite.analysis.search_value import search_value, trainings_needed
from benchsuite.analysis.significance import architectures_needed, rank_intervals
from benchsuite.report.behaviour import (
    factors_table,
    ranks_table,
    reliability_table,
    variance_table,
    within_ends_table,
)
from benchsuite.report.bias import bias_table, size_table, sizes_of
from benchsuite.report.choices import choices_table
from benchsuite.report.criteria import criteria_by_k, leaderboard_of, trials_of, with_combinations, with_size_baselines
from benchsuite.report.epochs import epoch_table, relative_table, stability_by_epoch, stability_by_trial
from benchsuite.report.exchanges import exchange_table
from benchsuite.report.mistakes import mistakes_table
from benchsuite.report.together import Beside, beside, subsets_table
from benchsuite.report.transfers import transfer_from

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
    comparisons: pd.DataFrame
    within_ends: pd.DataFrame
    mistakes: pd.DataFrame
    epochs: pd.DataFrame
    relative: pd.DataFrame
    exchanges: pd.DataFrame
    search: pd.DataFrame
    trainings_needed: pd.DataFrame
    beside: Beside
    agreement: pd.DataFrame
    added: pd.DataFrame
    information: pd.DataFrame
    subsets: pd.DataFrame
    transfer: pd.DataFrame
    choices: pd.DataFrame
    stability: dict[str, pd.DataFrame]
    stability_by_epoch: dict[str, pd.DataFrame]

    @property
    def ceiling(self) -> float | None:
        """Tau that a perfect estimator would reach against this truth; None where no training was repeated."""
        rows = self.reliability[self.reliability["criterion"] == "kendall_tau"]
        return float(rows["ceiling"].iloc[0]) if len(rows) else None

    @property
    def courses(self) -> pd.DataFrame:
        """What methods with a rule of their own would have chosen after each epoch."""
        return self.results.courses

    @property
    def probabilities(self) -> pd.DataFrame:
        """Those that such methods gave to operations, by edge and epoch."""
        return self.results.probabilities

    @property
    def sizes(self) -> dict[str, pd.Series]:
        """Counts of size of the architectures that are judged, by their column of the complexity table."""
        return sizes_of(self.results.complexity.reindex(self.truth.index))

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
    sizes = sizes_of(results.complexity.reindex(truth.index))
    criteria = criteria_by_k(trials, truth)
    comparisons = compare(trials, truth)
    comparisons["architectures_needed"] = architectures_needed(comparisons)
    leaderboard = leaderboard_of(scores, criteria, rank_intervals(comparisons), len(truth), results.asked)
    epochs = epoch_table(leaderboard)
    compared = beside(trials, truth)
    families = dict(zip(leaderboard["estimator"], leaderboard["family"], strict=True))
    return Judgement(
        results=results,
        truth=truth,
        scores=scores,
        leaderboard=leaderboard,
        criteria=criteria,
        bias=bias_table(trials, truth, sizes),
        size=size_table(trials, truth, sizes),
        variance=variance_table(trials),
        factors=factors_table(trials),
        reliability=reliability_table(results.trials),
        ranks=ranks_table(trials, truth, sizes["params"]),
        comparisons=comparisons,
        within_ends=within_ends_table(trials, truth),
        mistakes=mistakes_table(trials, truth),
        epochs=epochs,
        relative=relative_table(trials, epochs),
        exchanges=exchange_table(trials, truth, results.operations, sizes["params"]),
        search=search_value(trials, truth),
        trainings_needed=trainings_needed(trials, truth),
        beside=compared,
        agreement=agreement(compared.trials, truth),
        added=added_information(compared.trials, truth, sizes["params"]),
        information=information(compared.trials, truth, sizes["params"]),
        subsets=subsets_table(compared, truth, families),
        transfer=transfer_from(results, trials, truth),
        choices=choices_table(results),
        stability=stability_by_trial(trials),
        stability_by_epoch=stability_by_epoch(trials, epochs),
    )
