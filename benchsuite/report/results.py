"""What a report is made of: the long tables of one suite, read from the store by whoever asks for the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchsuite.suites.schema import CombinationChoice

SCORE_COLUMNS = (
    "estimator",
    "family",
    "seed",
    "batch_seed",
    "architecture",
    "value",
    "status",
    "reason",
    "cpu_seconds",
)
PUBLISHED_COLUMNS = ("benchmark", "estimator", "criterion", "value", "population", "source")

_EPOCH = ("supernet", "seed", "training", "epoch")
TRAINING_COLUMNS = (*_EPOCH, "estimator", "loss", "accuracy", "cpu_seconds", "peak_memory")
COURSE_COLUMNS = (*_EPOCH, "architecture", "skips", "alignment", "strength", "truth", "percentile", "regret")
PROBABILITY_COLUMNS = (*_EPOCH, "table", "source", "target", "operation", "probability")


@dataclass(frozen=True, slots=True)
class BenchmarkResults:
    """Scores of all estimators on one benchmark, with the truth that judges them.

    Attributes
    ----------
    benchmark
        Name such as "nasbench201/cifar10".
    population
        Which architectures are judged, in words: "500 of the 6,466 string classes, sampled with seed 0".
    caption
        Scale and data in words; stands under every figure.
    truth
        Accuracy in percent by architecture.
    trials
        Accuracy in percent, architecture x training. One column means that the truth has no known noise.
    complexity
        Columns params, macs, live_params, live_macs by architecture.
    scores
        Long table with the columns `SCORE_COLUMNS`; seeds are missing where a score depends on none.
    protocol
        Name of a part of the protocol -> words.
    skipped
        Estimator -> why it does not work on this benchmark.
    asked
        Number of trials that each estimator should have, as far as that is known: a run that was stopped has fewer.
    combinations
        Rankings to be made of the scores of several estimators, which their parts name as `scores` does.
    operations
        Operations of each architecture, position by position.
    card
        What is known of the truth's table: title, licence, digest, protocol.
    elsewhere
        Accuracy in percent on other data sets of the space, by data set and architecture.
    trainings
        Learning curves of supernets with the columns `TRAINING_COLUMNS`; None where none was trained.
    parameters
        Hyperparameters of those trainings by key.
    courses
        What methods with a rule of their own would have chosen after each epoch, with the columns `COURSE_COLUMNS`:
        `truth` is in percent, `percentile` the percentage of the known strings that are worse, `regret` the points to
        the best of them.
    probabilities
        Those that such methods gave to operations, by edge and epoch, with the columns `PROBABILITY_COLUMNS`.
    """

    benchmark: str
    population: str
    caption: str
    truth: pd.Series
    trials: pd.DataFrame
    complexity: pd.DataFrame
    scores: pd.DataFrame
    protocol: dict[str, str]
    skipped: dict[str, str]
    asked: Mapping[str, int] = field(default_factory=dict)
    combinations: tuple[CombinationChoice, ...] = ()
    operations: Mapping[str, Sequence[str]] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: Mapping[str, pd.Series] = field(default_factory=dict)
    trainings: pd.DataFrame | None = None
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    courses: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=list(COURSE_COLUMNS)))
    probabilities: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=list(PROBABILITY_COLUMNS)))


@dataclass(frozen=True, slots=True)
class Results:
    """Everything a report says: the benchmarks of a suite, and where the figures come from.

    `provenance` holds the benchsuite and torch versions, CPU, Python, date, and under "command" the command to repeat.
    `published` holds figures of others with the columns `PUBLISHED_COLUMNS`, if there are any to compare with.
    """

    suite: str
    description: str
    benchmarks: tuple[BenchmarkResults, ...]
    provenance: dict[str, str]
    published: pd.DataFrame | None = None
