"""From the store to the tables that a report is made of; nothing is scored and no plug-in is run."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.analysis.standing import percentile, true_accuracies
from benchsuite.benchmark import Benchmark, load_benchmark
from benchsuite.core import registry
from benchsuite.core.types import ARCHITECTURE
from benchsuite.data.home import shipped
from benchsuite.report.render.words import hours
from benchsuite.report.results import (
    COURSE_COLUMNS,
    PROBABILITY_COLUMNS,
    PUBLISHED_COLUMNS,
    SCORE_COLUMNS,
    TRAINING_COLUMNS,
    BenchmarkResults,
    Results,
    Traits,
    recorded_before,
    searched_before,
)
from benchsuite.report.trainings import read_trainings, table_of
from benchsuite.running.score_files import FAMILY as IMPORTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchsuite.core.space import Space
    from benchsuite.report.trainings import ReadTraining
    from benchsuite.running.store import Store
    from benchsuite.suites.stored import StoredBenchmark, StoredSuite, StoredTrial


def collect(store: Store, suite: str) -> Results:
    """Return the results of the last run of a suite that the store holds.

    Parameters
    ----------
    store
        Finished scores.
    suite
        Name of the suite.

    Raises
    ------
    StoreError
        If the suite has not been run in this store.
    DataMissingError
        If the ground truth is no longer on this machine.
    """
    plan = store.suite(suite)
    benchmarks = tuple(_benchmark(store, entry) for entry in plan.benchmarks)
    return Results(
        suite=suite,
        description=plan.description,
        benchmarks=benchmarks,
        provenance=_provenance(store, plan, benchmarks),
        published=_published({item.benchmark for item in benchmarks}),
    )


def score_table(results: Results) -> pd.DataFrame:
    """Return all scores, one row a score: benchmark, then the columns SCORE_COLUMNS.

    Parameters
    ----------
    results
        Results of a suite.
    """
    parts = {item.benchmark: item.scores for item in results.benchmarks}
    return pd.concat(parts, names=["benchmark", None]).reset_index("benchmark").reset_index(drop=True)


def _benchmark(store: Store, entry: StoredBenchmark) -> BenchmarkResults:
    choice = entry.truth
    benchmark = load_benchmark(entry.space, entry.dataset, table=choice.table, source=choice.source)
    space = registry.make_space(entry.space, entry.sizes)
    selection: dict[str, Any] = {"epochs": choice.epochs, "split": choice.split, "pool": entry.pool}
    architectures, scores = entry.architectures, _scores(store, entry)
    unscored = {trial.estimator for trial in entry.trials} - set(scores["estimator"])
    unscored |= {each.title for each in entry.combinations if unscored.intersection(each.of)}
    return BenchmarkResults(
        benchmark=f"{entry.space}/{entry.dataset}",
        population=entry.sample,
        caption=entry.caption,
        truth=benchmark.truth(**selection).reindex(architectures),
        trials=benchmark.trials(**selection).reindex(architectures),
        complexity=_complexity(space, benchmark, entry),
        scores=scores,
        protocol=entry.protocol,
        skipped={**entry.skipped, **dict.fromkeys(sorted(unscored), "not scored yet")},
        traits={trial.estimator: _traits(trial) for trial in entry.trials},
        asked=Counter(trial.estimator for trial in entry.trials),
        combinations=tuple(each for each in entry.combinations if each.title not in unscored),
        card=benchmark.card,
        operations={name: space.operations(name) for name in architectures},
        draw=space.drawing,
        elsewhere={name: _elsewhere(entry, name) for name in entry.transfer},
        **_trained(store, entry, benchmark, selection),
    )


def _traits(trial: StoredTrial) -> Traits:
    """Return what the store has recorded of an estimator."""
    known = recorded_before(trial.estimator, trial.family)
    return replace(known, reference=trial.reference, trained=bool(trial.trainings))


def _elsewhere(entry: StoredBenchmark, dataset: str) -> pd.Series:
    """Return the accuracies of the sample on another data set, of the longest trainings."""
    known = load_benchmark(entry.space, dataset).truth(pool=entry.pool)
    return known.reindex(entry.architectures).dropna()


def _complexity(space: Space, benchmark: Benchmark, entry: StoredBenchmark) -> pd.DataFrame:
    rows = [asdict(space.complexity(name, benchmark.image_dataset)) for name in entry.architectures]
    return pd.DataFrame(rows, index=pd.Index(entry.architectures, name=ARCHITECTURE))


def _scores(store: Store, entry: StoredBenchmark) -> pd.DataFrame:
    trials = pd.DataFrame([asdict(trial) for trial in entry.trials]).rename(columns={"key": "recipe"})
    held = store.scores(sorted(set(trials["recipe"])))
    wanted = held[held[ARCHITECTURE].isin(entry.architectures)]
    scores = trials.merge(wanted, on="recipe")[list(SCORE_COLUMNS)]
    return scores.assign(cpu_seconds=scores["cpu_seconds"].mask(scores["family"] == IMPORTED))  # nobody timed these


def _trained(
    store: Store, entry: StoredBenchmark, benchmark: Benchmark, selection: Mapping[str, Any]
) -> dict[str, Any]:
    """What is known of the supernets that were read: curves, hyperparameters, and what methods chose by themselves."""
    trainings = read_trainings(store.trainings, entry.trials)
    curves = table_of(trainings, "curve", TRAINING_COLUMNS)
    return {
        "trainings": None if curves.empty else curves,
        "searches": {each.key: searched_before(each.parameters) for each in trainings},
        "courses": _courses(benchmark, selection, trainings),
        "probabilities": table_of(trainings, "alpha", PROBABILITY_COLUMNS),
    }


def _courses(benchmark: Benchmark, selection: Mapping[str, Any], trainings: Sequence[ReadTraining]) -> pd.DataFrame:
    """What methods with a rule of their own would have chosen by epoch, judged by the string's truth or its class's."""
    found = table_of(trainings, "derived", COURSE_COLUMNS)
    if found.empty:
        return found
    own, classes = (benchmark.truth(**{**selection, "pool": pool}) for pool in ("none", "class"))
    truth = true_accuracies(found["architecture"], benchmark.space, own, classes)
    placed = truth.map(partial(percentile, known=own))
    return found.assign(truth=truth, percentile=placed, regret=own.max() - truth)


def _provenance(store: Store, plan: StoredSuite, benchmarks: Sequence[BenchmarkResults]) -> dict[str, str]:
    """Where the scores come from and what they cost; several machines are all named."""
    keys = {trial.key for entry in plan.benchmarks for trial in entry.trials}
    scores = store.scores(sorted(keys))
    machines = [json.loads(text) for text in scores["provenance"].unique()]
    names = dict.fromkeys(name for machine in machines for name in machine)
    joined = {name: ", ".join(sorted({machine[name] for machine in machines if name in machine})) for name in names}
    epochs = [each.trainings for each in benchmarks if each.trainings is not None]
    trained = pd.concat(epochs).drop_duplicates(["training", "epoch"])["cpu_seconds"].sum() if epochs else 0.0
    return {
        **joined,
        "CPU time of all scores": f"{hours(scores['cpu_seconds'].sum() or math.nan)}, each counted as if scored alone",
        "CPU time of all trainings": hours(trained) if epochs else "no supernet was trained",
        "report made with": ", ".join(f"{name} {version(name)}" for name in ("benchsuite", "numpy", "pandas", "scipy")),
        "date": datetime.now(UTC).date().isoformat(),
        "command": plan.command,
    }


def _published(benchmarks: set[str]) -> pd.DataFrame | None:
    figures = pd.read_csv(shipped("data", "published.csv"), usecols=list(PUBLISHED_COLUMNS))
    wanted = figures[figures["benchmark"].isin(benchmarks)]
    return None if wanted.empty else wanted
