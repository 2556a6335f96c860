"""Runs of estimators: scores by architecture of each, those of size baselines and combinations among them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from benchsuite.analysis.combination import COMBINATIONS
from benchsuite.analysis.ranking import average_ranks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchsuite.core.arrays import Floats
    from benchsuite.report.results import BenchmarkResults
    from benchsuite.suites.schema import CombinationChoice

Runs: TypeAlias = Mapping[str, Sequence[pd.Series]]  # scores by architecture of every run, by estimator

RUN_KEY = ["seed", "batch_seed"]
_KEY_TYPES = dict.fromkeys(RUN_KEY, "Int64")
COMBINATION = "combination"  # the family of what is made of other estimators' scores
SIZE_BASELINES = {"params": "params", "flops": "macs"}  # estimator -> column of the complexity table


def with_size_baselines(results: BenchmarkResults) -> pd.DataFrame:
    """Return the scores with those of `params` and `flops`, taken from the complexity table if the suite lacks them.

    Parameters
    ----------
    results
        Results of a benchmark.
    """
    known = set(results.scores["estimator"])
    sizes = results.complexity.reindex(results.truth.index)
    named = {"family": "baseline", "architecture": sizes.index, "status": "ok", "reason": ""}
    added = [
        pd.DataFrame({"estimator": name, "value": sizes[column], **named})
        for name, column in SIZE_BASELINES.items()
        if name not in known and column in sizes
    ]
    words = ("estimator", "family", "architecture", "status", "reason")
    scores = results.scores.astype({**dict.fromkeys(words, object), **_KEY_TYPES})
    return pd.concat([scores, *added], ignore_index=True)


def runs_of(scores: pd.DataFrame) -> dict[str, list[pd.Series]]:
    """Return scores by architecture of every run of an estimator; NaN where a score is undefined or failed.

    Parameters
    ----------
    scores
        The long table of scores.

    Returns
    -------
    dict
        A Series a run, by estimator; the name of each is the run's (seed, batch seed).
    """
    runs: dict[str, list[pd.Series]] = {}
    for key, rows in scores.groupby(["estimator", *RUN_KEY], dropna=False, sort=False):
        values = rows["value"].where(rows["status"] == "ok").astype(float)
        runs.setdefault(str(key[0]), []).append(values.set_axis(pd.Index(rows["architecture"])).rename(key[1:]))
    return runs


def with_combinations(scores: pd.DataFrame, combinations: Iterable[CombinationChoice]) -> pd.DataFrame:
    """Return the scores with those of combinations: on the architectures that all parts have scored.

    A combination has a run for each of its parts' seeds; a part that depends on none is the same in every run. It
    costs what its parts cost together, and is undefined where all of them are.

    Parameters
    ----------
    scores
        The long table of scores.
    combinations
        What is to be combined, and how.
    """
    made = [frame for each in combinations for frame in _combined(scores, each)]
    return pd.concat([scores, *made], ignore_index=True)


def _combined(scores: pd.DataFrame, combination: CombinationChoice) -> Iterator[pd.DataFrame]:
    """Yield the scores of each run of a combination that all of its parts have."""
    parts = scores[scores["estimator"].isin(combination.of)]
    seeds, batch_seeds = (parts[key].dropna().unique().tolist() or [pd.NA] for key in RUN_KEY)
    for seed, batch_seed in itertools.product(seeds, batch_seeds):
        rows = parts[parts["seed"].isna() | (parts["seed"] == seed)]
        rows = rows[rows["batch_seed"].isna() | (rows["batch_seed"] == batch_seed)]
        columns = {name: runs[0] for name, runs in runs_of(rows).items()}
        if len(columns) == len(combination.of):
            table = pd.concat(columns, axis=1, join="inner")
            costs = rows.groupby("architecture")["cpu_seconds"].sum(min_count=1).reindex(table.index)
            yield _one_run(combination, table, costs).assign(seed=seed, batch_seed=batch_seed).astype(_KEY_TYPES)


def _one_run(combination: CombinationChoice, table: pd.DataFrame, costs: pd.Series) -> pd.DataFrame:
    """Return rows of the score table from the scores of the parts, architectures x estimators."""
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


def in_common(runs: Sequence[pd.Series]) -> pd.DataFrame:
    """Return the scores of the architectures that all runs have scored, a column for each run.

    Parameters
    ----------
    runs
        Scores by architecture of each run.
    """
    return pd.concat(runs, axis=1, join="inner", keys=range(len(runs)))


def ranks(values: pd.Series) -> Floats:
    """Return the rank of each value from 1 = highest; equal values share the mean of their ranks, NaN ranks lowest.

    Parameters
    ----------
    values
        Scores or accuracies.

    Examples
    --------
    >>> ranks(pd.Series([0.5, float("nan"), 0.9])).tolist()
    [2.0, 3.0, 1.0]
    """
    upward: Floats = len(values) + 1 - average_ranks(values)
    return upward
