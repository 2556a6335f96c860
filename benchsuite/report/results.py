"""What a report is made of: the long tables of one suite, read from the store by whoever asks for the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from benchsuite.suite import CombinationChoice

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

TRAINING_COLUMNS = ("estimator", "seed", "training", "epoch", "loss", "accuracy", "cpu_seconds")


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
    combinations: tuple[CombinationChoice, ...] = ()
    operations: Mapping[str, Sequence[str]] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: Mapping[str, pd.Series] = field(default_factory=dict)
    trainings: pd.DataFrame | None = None


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
