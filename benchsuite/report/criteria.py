"""Every criterion of every estimator on one benchmark, seeds combined, and the leaderboard made of them.

Seeds are combined in one way everywhere: a criterion is computed for each trial (initialisation seed x minibatch seed);
its value is the mean over trials, its deviation the sample deviation over trials, and the ends of its interval over
architectures are the means of the trials' ends, so that the interval has the mean half-width of a single trial.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.combination import COMBINATIONS
from benchsuite.analysis.evaluate import evaluate
from benchsuite.analysis.variance import over_seeds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from benchsuite.report.results import BenchmarkResults
    from benchsuite.suites.schema import CombinationChoice

TRIAL_KEY = ["seed", "batch_seed"]
_TRIAL_TYPES = dict.fromkeys(TRIAL_KEY, "Int64")
# Families that say what an estimate must beat: what is known without one, or by training the architecture.
REFERENCE_FAMILIES = ("baseline", "curve")
COMBINATION = "combination"  # the family of what is made of other estimators' scores
SIZE_BASELINES = {"params": "params", "flops": "macs"}  # estimator -> column of the complexity table


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


TAU = CriterionAt("kendall_tau", None, "τ-b", "Kendall's tau-b between scores and truth")
HEADLINE = (
    TAU,
    CriterionAt("spearman_rho", None, "Spearman", "Spearman's rank correlation"),
    CriterionAt("precision_at_top", 0.05, "P@top 5%", "Share of the best 5 % that is found"),
    CriterionAt("precision_at_bottom", 0.05, "P@bottom 5%", "Share of the worst 5 % that is found"),
    CriterionAt("best_rank_at", 0.05, "BR@5%", "Best true rank among the best-scored 5 %, as a share; low is good", 4),
    CriterionAt("worst_rank_at", 0.05, "WR@5%", "Worst true rank among the best-scored 5 %, as a share; low is good"),
    CriterionAt("regret_at", 0.05, "Regret@5%", "Accuracy points between the best and the best found; low is good"),
)


def with_size_baselines(results: BenchmarkResults) -> pd.DataFrame:
    """The scores, with `params` and `flops` added from the complexity table where the suite did not ask for them."""
    known = set(results.scores["estimator"])
    sizes = results.complexity.reindex(results.truth.index)
    named = {"family": "baseline", "architecture": sizes.index, "status": "ok", "reason": ""}
    added = [
        pd.DataFrame({"estimator": name, "value": sizes[column], **named})
        for name, column in SIZE_BASELINES.items()
        if name not in known
    ]
    words = ("estimator", "family", "architecture", "status", "reason")
    scores = results.scores.astype({**dict.fromkeys(words, object), **_TRIAL_TYPES})
    return pd.concat([scores, *added], ignore_index=True)


def trials_of(scores: pd.DataFrame) -> dict[str, list[pd.Series]]:
    """Scores by architecture of every trial of an estimator; NaN where a score is undefined or failed.

    The name of each is the trial's (seed, batch seed).
    """
    trials: dict[str, list[pd.Series]] = {}
    for key, rows in scores.groupby(["estimator", *TRIAL_KEY], dropna=False, sort=False):
        values = rows["value"].where(rows["status"] == "ok").astype(float)
        trials.setdefault(str(key[0]), []).append(values.set_axis(pd.Index(rows["architecture"])).rename(key[1:]))
    return trials


def with_combinations(scores: pd.DataFrame, combinations: Iterable[CombinationChoice]) -> pd.DataFrame:
    """The scores, with those of combinations: on the architectures that all parts have scored.

    A combination has a trial for each of its parts' seeds; a part that depends on none is the same in every trial. It
    costs what its parts cost together, and is undefined where all of them are.
    """
    made = [frame for each in combinations for frame in _combined(scores, each)]
    return pd.concat([scores, *made], ignore_index=True)


def _combined(scores: pd.DataFrame, combination: CombinationChoice) -> Iterator[pd.DataFrame]:
    """The scores of each trial of a combination that all of its parts have."""
    parts = scores[scores["estimator"].isin(combination.of)]
    seeds, batch_seeds = (parts[key].dropna().unique().tolist() or [pd.NA] for key in TRIAL_KEY)
    for seed, batch_seed in itertools.product(seeds, batch_seeds):
        rows = parts[parts["seed"].isna() | (parts["seed"] == seed)]
        rows = rows[rows["batch_seed"].isna() | (rows["batch_seed"] == batch_seed)]
        columns = {name: trials[0] for name, trials in trials_of(rows).items()}
        if len(columns) == len(combination.of):
            table = pd.concat(columns, axis=1, join="inner")
            costs = rows.groupby("architecture")["cpu_seconds"].sum(min_count=1).reindex(table.index)
            yield _one_trial(combination, table, costs).assign(seed=seed, batch_seed=batch_seed).astype(_TRIAL_TYPES)


def _one_trial(combination: CombinationChoice, table: pd.DataFrame, costs: pd.Series) -> pd.DataFrame:
    """Rows of the score table from the scores of the parts, architectures x estimators."""
    defined = table.notna().any(axis=1)
    return pd.DataFrame(
        {
            "estimator": combination.title,
            "family": COMBINATION,
            "architecture": table.index,
            "value": COMBINATIONS[combination.name](table).where(defined).to_numpy(),
            "status": np.where(defined, "ok", "undefined"),
            "reason": np.where(defined, "", "all its parts are undefined"),
            "cpu_seconds": costs.to_numpy(),
        }
    )


def criteria_by_k(trials: Mapping[str, Sequence[pd.Series]], truth: pd.Series) -> pd.DataFrame:
    """Criteria at every K by estimator: the columns of `benchsuite.analysis.variance.over_seeds`."""
    frames = [
        over_seeds(evaluate(values, truth) for values in each).assign(estimator=name) for name, each in trials.items()
    ]
    return pd.concat(frames, ignore_index=True)


def at(criteria: pd.DataFrame, item: CriterionAt) -> pd.DataFrame:
    """The rows of one criterion at its K in a table with the columns criterion and k."""
    at_k = criteria["k"].isna() if item.k is None else np.isclose(criteria["k"].astype(float), item.k)
    return criteria[(criteria["criterion"] == item.criterion) & at_k]


def leaderboard_of(
    scores: pd.DataFrame, criteria: pd.DataFrame, places: pd.DataFrame, population: int, asked: Mapping[str, int]
) -> pd.DataFrame:
    """One row per estimator, the best tau first: headline criteria with intervals, places, counts and cost.

    `places` has the columns of `benchsuite.analysis.significance.rank_intervals`. Counts of size are references
    wherever their scores come from. `asked` is that of the results.
    """
    board = _counts(scores, population, asked).join(places.set_index("estimator"))
    for item in HEADLINE:
        rows = at(criteria, item).set_index("estimator")
        board[item.key] = rows["value"]
        for part in ("low", "high", "deviation"):
            board[f"{item.key}_{part}"] = rows[part]
    board["reference"] = board["family"].isin(REFERENCE_FAMILIES) | board.index.isin(list(SIZE_BASELINES))
    board["mark"] = board["family"].where(board["reference"] | (board["family"] == COMBINATION), "")
    return board.sort_values(TAU.key, ascending=False, kind="stable", na_position="last").reset_index()


def _counts(scores: pd.DataFrame, population: int, asked: Mapping[str, int]) -> pd.DataFrame:
    """Trials and scores of every estimator: judged, undefined, failed and missing, and the CPU seconds of one."""
    groups = scores.groupby("estimator", sort=False)
    board = groups.agg(family=("family", "first"), scored=("architecture", "size"))
    board["trials"] = scores.drop_duplicates(["estimator", *TRIAL_KEY]).groupby("estimator").size()
    board["n"] = groups["architecture"].nunique()
    for status in ("undefined", "failed"):
        board[f"n_{status}"] = (scores["status"] == status).groupby(scores["estimator"]).sum()
    board["n_missing"] = _expected_trials(scores, asked).reindex(board.index) * population - board["scored"]
    board["cpu_seconds"] = groups["cpu_seconds"].mean()
    return board


def _expected_trials(scores: pd.DataFrame, asked: Mapping[str, int]) -> pd.Series:
    """How many trials each estimator should have: those asked for.

    Where that is not known, as of combinations, as many as all estimators have that depend on the same seeds: an
    interrupted run has not begun some trials; the others tell that they were planned.
    """
    trials = scores.drop_duplicates(["estimator", *TRIAL_KEY])
    depends = trials["seed"].notna().astype(int) + 2 * trials["batch_seed"].notna().astype(int)
    planned = trials.assign(depends=depends).drop_duplicates(["depends", *TRIAL_KEY]).groupby("depends").size()
    by_estimator = trials.assign(depends=depends).groupby("estimator")["depends"].max()
    seen = by_estimator.map(planned)
    return pd.Series([asked.get(str(name), number) for name, number in seen.items()], seen.index)
