"""Every criterion of every estimator on one benchmark, runs combined, and the leaderboard made of them.

Runs are combined in one way everywhere: a criterion is computed for each run (initialisation seed x minibatch seed);
its value is the mean over runs, its deviation the standard deviation over runs, and the ends of its interval over
architectures are the means of the runs' ends, so that the interval has the mean half-width of a single run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchsuite.analysis.evaluate import evaluate
from benchsuite.analysis.variance import over_seeds
from benchsuite.report.render.table import rows_of, with_interval
from benchsuite.report.runs import COMBINATION, RUN_KEY, SIZE_BASELINES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchsuite.report.render.table import Cell
    from benchsuite.report.results import Traits
    from benchsuite.report.runs import Runs


@dataclass(frozen=True, slots=True)
class CriterionAt:
    """A criterion at one K, with the words for its column."""

    criterion: str
    k: float | None
    title: str
    meaning: str
    digits: int = 3

    @property
    def key(self) -> str:
        """Name of its column in the leaderboard.

        >>> CriterionAt("regret_at", 0.05, "Regret", "").key
        'regret_at@0.05'
        """
        return self.criterion if self.k is None else f"{self.criterion}@{self.k:g}"


TAU = CriterionAt("kendall_tau", None, "τ-b", "Kendall's tau-b between scores and ground truth")
HEADLINE = (
    TAU,
    CriterionAt("spearman_rho", None, "Spearman", "Spearman's rank correlation"),
    CriterionAt("precision_at_top", 0.05, "P@top 5%", "Share of the best 5% that is among the best-scored 5%"),
    CriterionAt("precision_at_bottom", 0.05, "P@bottom 5%", "Share of the worst 5% that is among the worst-scored 5%"),
    CriterionAt("best_rank_at", 0.05, "BR@5%", "Best true rank among the best-scored 5%, as a share; low is good", 4),
    CriterionAt("worst_rank_at", 0.05, "WR@5%", "Worst true rank among the best-scored 5%, as a share; low is good"),
    CriterionAt("regret_at", 0.05, "Regret@5%", "Accuracy points between the best and the best found; low is good"),
)


def _leaderboard_columns() -> dict[str, str]:
    """Return what each column of the leaderboard holds."""
    columns = {
        "estimator": "Name of the estimator",
        "family": "Its family",
        "scored": "Number of scores, over all runs",
        "trials": "Number of runs",
        "n": "Architectures judged, those with undefined scores included",
        "n_undefined": "Scores that the definition leaves undefined, over all runs",
        "n_failed": "Scores that an error prevented, over all runs",
        "n_missing": "Scores asked for that are not there, over all runs",
        "cpu_seconds": "CPU seconds of a score, mean",
        "rank": "Rank by tau-b, 1 = best",
        "rank_low": "Best rank that paired differences allow",
        "rank_high": "Worst rank that paired differences allow",
    }
    for item in HEADLINE:
        columns |= {
            item.key: item.meaning,
            f"{item.key}_low": "Lower end of its 95% CI over architectures",
            f"{item.key}_high": "Upper end of it",
            f"{item.key}_standard_deviation": "Standard deviation over runs; NaN for one",
        }
    return columns | {
        "reference": "Whether the estimator says what others must beat",
        "mark": "Family of references and combinations, else empty",
    }


LEADERBOARD = _leaderboard_columns()
CRITERIA = {
    "criterion": "Name of the criterion",
    "k": "Fraction K of the architectures; NaN where the criterion has none",
    "value": "Mean over runs",
    "standard_deviation": "Standard deviation over runs; NaN for one",
    "low": "Lower end of its 95% CI over architectures, mean over runs",
    "high": "Upper end of it",
    "n": "Architectures judged",
    "n_undefined": "Undefined scores among them",
    "seeds": "Number of runs",
    "estimator": "Name of the estimator",
}


def criteria_by_k(runs: Runs, truth: pd.Series) -> pd.DataFrame:
    """Compute every criterion at every K.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.
    truth
        Accuracies by architecture.

    Returns
    -------
    DataFrame
        The columns of `benchsuite.analysis.variance.over_seeds`, and estimator.
    """
    frames = [
        over_seeds(evaluate(values, truth) for values in each).assign(estimator=name) for name, each in runs.items()
    ]
    return pd.concat(frames, ignore_index=True)


def at(criteria: pd.DataFrame, item: CriterionAt) -> pd.DataFrame:
    """Return the rows of one criterion at its K.

    Parameters
    ----------
    criteria
        A table with the columns criterion and k.
    item
        The criterion.
    """
    at_k = criteria["k"].isna() if item.k is None else np.isclose(criteria["k"].astype(float), item.k)
    return criteria[(criteria["criterion"] == item.criterion) & at_k]


def leaderboard_of(
    scores: pd.DataFrame,
    criteria: pd.DataFrame,
    ranks: pd.DataFrame,
    architectures: int,
    asked: Mapping[str, int],
    traits: Mapping[str, Traits],
) -> pd.DataFrame:
    """Make the leaderboard: a row per estimator, the best tau first.

    Parameters
    ----------
    scores
        The long table of scores, those of size baselines and combinations included.
    criteria
        The table of `criteria_by_k`.
    ranks
        Has the columns of `benchsuite.analysis.significance.rank_intervals`.
    architectures
        Number of architectures that are judged.
    asked
        Number of runs asked for, by estimator, as far as it is known.
    traits
        What is recorded of each estimator. Size baselines are references wherever their scores come from.

    Returns
    -------
    DataFrame
        The columns LEADERBOARD: headline criteria with intervals, ranks, counts and cost.
    """
    board = _counts(scores, architectures, asked).join(ranks.set_index("estimator"))
    for item in HEADLINE:
        rows = at(criteria, item).set_index("estimator")
        board[item.key] = rows["value"]
        for part in ("low", "high", "standard_deviation"):
            board[f"{item.key}_{part}"] = rows[part]
    recorded = [traits[name].reference for name in board.index]
    board["reference"] = np.array(recorded, dtype=bool) | board.index.isin(list(SIZE_BASELINES))
    board["mark"] = board["family"].where(board["reference"] | (board["family"] == COMBINATION), "")
    return board.sort_values(TAU.key, ascending=False, kind="stable", na_position="last").reset_index()


def _counts(scores: pd.DataFrame, architectures: int, asked: Mapping[str, int]) -> pd.DataFrame:
    """Return runs and scores of every estimator: judged, undefined, failed and missing, and the CPU seconds of one."""
    groups = scores.groupby("estimator", sort=False)
    board = groups.agg(family=("family", "first"), scored=("architecture", "size"))
    board["trials"] = scores.drop_duplicates(["estimator", *RUN_KEY]).groupby("estimator").size()
    board["n"] = groups["architecture"].nunique()
    for status in ("undefined", "failed"):
        board[f"n_{status}"] = (scores["status"] == status).groupby(scores["estimator"]).sum()
    board["n_missing"] = _expected_runs(scores, asked).reindex(board.index) * architectures - board["scored"]
    board["cpu_seconds"] = groups["cpu_seconds"].mean()
    return board


def _expected_runs(scores: pd.DataFrame, asked: Mapping[str, int]) -> pd.Series:
    """Return how many runs each estimator should have: those asked for.

    Where that is not known, as of combinations, as many as all estimators have that depend on the same seeds: an
    interrupted run of the suite has not begun some; the others tell that they were planned.
    """
    runs = scores.drop_duplicates(["estimator", *RUN_KEY])
    depends = runs["seed"].notna().astype(int) + 2 * runs["batch_seed"].notna().astype(int)
    planned = runs.assign(depends=depends).drop_duplicates(["depends", *RUN_KEY]).groupby("depends").size()
    by_estimator = runs.assign(depends=depends).groupby("estimator")["depends"].max()
    seen = by_estimator.map(planned)
    return pd.Series([asked.get(str(name), number) for name, number in seen.items()], seen.index)


def ranked(board: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of the leaderboard that are not references and have a tau, the best first.

    Parameters
    ----------
    board
        The leaderboard.
    """
    return rows_of(board[~board["reference"] & board["kendall_tau"].notna()])


def estimate(row: Mapping[str, Any], item: CriterionAt) -> Cell:
    """Return a criterion of the leaderboard above its interval.

    Parameters
    ----------
    row
        A row of the leaderboard.
    item
        The criterion.
    """
    return with_interval(row[item.key], row[f"{item.key}_low"], row[f"{item.key}_high"], item.digits)
