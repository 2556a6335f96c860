"""Evidence on one benchmark: scores, ground truth, sizes and runs, and the results that several sections share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.align import side_by_side
from benchsuite.analysis.comparison import compare
from benchsuite.analysis.correlation import kendall_tau, spearman_rho
from benchsuite.analysis.reliability import ceiling, seed_reliability
from benchsuite.analysis.significance import architectures_needed, rank_intervals
from benchsuite.analysis.top_k import precision_at_top
from benchsuite.report.criteria import criteria_by_k, leaderboard_of
from benchsuite.report.runs import RUN_KEY, runs_of, with_combinations, with_size_baselines
from benchsuite.report.sizes import sizes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchsuite.report.results import BenchmarkResults, Traits
    from benchsuite.report.runs import Runs


RELIABILITY = {
    "criterion": "Name of the criterion",
    "seed_reliability": "One training against the mean of the others",
    "ceiling": "A perfect estimator against this ground truth, mean of 200 simulated draws",
    "n": "Architectures trained more than once",
}
_RELIABLE: dict[str, Callable[..., float]] = {
    "kendall_tau": kendall_tau,
    "spearman_rho": spearman_rho,
    "precision_at_top@0.05": partial(precision_at_top, fraction=0.05),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """Estimators that have scored the same architectures.

    Attributes
    ----------
    runs
        Scores by architecture of every run, by estimator.
    n
        Number of the architectures that all of them have scored.
    left_out
        Number of architectures scored, by estimator that has too few in common with the others.
    """

    runs: Runs
    n: int
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class Evidence:
    """What is known of one benchmark: results as they were collected, and what follows from them for every section.

    Everything is computed when it is first asked for, and once.

    Attributes
    ----------
    results
        Results of the benchmark.
    published
        Results of others, with the columns PUBLISHED_COLUMNS, if there are any to compare with.
    """

    results: BenchmarkResults
    published: pd.DataFrame | None = None

    @cached_property
    def truth(self) -> pd.Series:
        """Accuracy in percent by architecture, of those that have ground truth."""
        return self.results.truth.dropna()

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The long table of scores, those of size baselines and combinations included."""
        scores = with_size_baselines(self.results)
        return with_combinations(scores[scores["architecture"].isin(self.truth.index)], self.results.combinations)

    @cached_property
    def runs(self) -> Runs:
        """Scores by architecture of every run, by estimator."""
        return runs_of(self.scores)

    @cached_property
    def sizes(self) -> dict[str, pd.Series]:
        """Size measures by architecture, by their column; none where sizes are not known."""
        return sizes_of(self.results.complexity.reindex(self.truth.index))

    @cached_property
    def traits(self) -> dict[str, Traits]:
        """What is recorded of each estimator."""
        families = self.scores.groupby("estimator", sort=False)["family"].first()
        return {str(name): self.results.traits_of(str(name), family) for name, family in families.items()}

    @cached_property
    def estimators(self) -> pd.DataFrame:
        """A row per estimator, the best tau first: what is recorded of it, and what its runs differ in."""
        runs = self.scores.drop_duplicates(["estimator", *RUN_KEY]).groupby("estimator")
        counts = runs.agg(runs=("estimator", "size"), seeds=("seed", "nunique"), batch_seeds=("batch_seed", "nunique"))
        board = self.leaderboard[["estimator", "family", "reference"]].join(counts, on="estimator")
        unseeded = set(self.scores.loc[self.scores["seed"].isna(), "estimator"])
        board["seeded"] = ~board["estimator"].isin(unseeded)
        traits = [self.traits[name] for name in board["estimator"]]
        for column in ("reads_truth", "trained", "imported", "line", "epoch"):
            board[column] = [getattr(each, column) for each in traits]
        return board.assign(seeds_are=[each.seeds for each in traits])

    @cached_property
    def criteria(self) -> pd.DataFrame:
        """Every criterion of every estimator at every K."""
        return criteria_by_k(self.runs, self.truth)

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        """Paired differences of tau-b between every two estimators."""
        found = compare(self.runs, self.truth)
        found["architectures_needed"] = architectures_needed(found)
        return found

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        """A row per estimator, the best tau first."""
        ranks = rank_intervals(self.comparisons)
        return leaderboard_of(self.scores, self.criteria, ranks, len(self.truth), self.results.asked, self.traits)

    @property
    def order(self) -> list[str]:
        """Estimators, the best tau first."""
        return self.leaderboard["estimator"].tolist()

    @cached_property
    def reliability(self) -> pd.DataFrame:
        """Seed reliability and ceiling of the ground truth by criterion."""
        return reliability(self.results.trials)

    @property
    def ceiling(self) -> float | None:
        """Tau that a perfect estimator would reach against this ground truth; None where no training was repeated."""
        rows = self.reliability[self.reliability["criterion"] == "kendall_tau"]
        return float(rows["ceiling"].iloc[0]) if len(rows) else None

    @cached_property
    def compared(self) -> Compared:
        """As many estimators as leave half of the architectures of the one that scored most in common."""
        table = side_by_side(self.runs, self.truth)
        by_number = sorted(table.scored, key=lambda name: -int(table.scored[name].sum()))
        common, chosen = np.ones(len(self.truth), dtype=bool), list[str]()
        for name in by_number:
            left = common & table.scored[name]
            if not chosen or 2 * left.sum() >= table.scored[by_number[0]].sum():
                common = left
                chosen.append(name)
        left_out = {name: int(table.scored[name].sum()) for name in self.runs if name not in chosen}
        return Compared({name: self.runs[name] for name in self.runs if name in chosen}, int(common.sum()), left_out)


def reliability(trainings: pd.DataFrame) -> pd.DataFrame:
    """Compute seed reliability and ceiling of the ground truth by criterion.

    Parameters
    ----------
    trainings
        Accuracy in percent, architecture x training.

    Returns
    -------
    DataFrame
        The columns RELIABILITY; empty where no architecture was trained twice.
    """
    rows = []
    if (trainings.notna().sum(axis=1) > 1).any():
        for name, criterion in _RELIABLE.items():
            limit = ceiling(trainings, criterion)
            rows.append((name, seed_reliability(trainings, criterion).value, limit.value, limit.n))
    return pd.DataFrame(rows, columns=list(RELIABILITY))
