"""What a report is made of: the long tables of one suite, read from the store by whoever asks for the report."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.core.identity import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchsuite.core.drawing import ArchitectureDrawing
    from benchsuite.suites.schema import CombinationChoice

# Columns of the long tables, with what each holds.
SCORE_COLUMNS = {
    "estimator": "Name of the estimator",
    "family": "Its family",
    "seed": "Seed of the run; missing where the score depends on none",
    "batch_seed": "Seed of the minibatch; missing where the score depends on none",
    "architecture": "The architecture",
    "value": "The score, higher is better; NaN where it is undefined or failed",
    "status": "ok, undefined or failed",
    "reason": "Why it is undefined or failed",
    "cpu_seconds": "CPU seconds that it took",
}
PUBLISHED_COLUMNS = {
    "benchmark": "The benchmark",
    "estimator": "Name of the estimator",
    "criterion": "Name of the criterion",
    "value": "Published value",
    "population": "The architectures on which it was published",
    "source": "Where",
}
_EPOCH = {
    "supernet": "What the supernet is called",
    "seed": "Seed of the training",
    "training": "Key of the training",
    "epoch": "Epoch, counted from 1",
}
TRAINING_COLUMNS = {
    **_EPOCH,
    "estimator": "An estimator that reads it",
    "loss": "Mean training loss of the epoch",
    "accuracy": "Mean training accuracy of the epoch, in percent",
    "cpu_seconds": "CPU seconds that the epoch took",
    "peak_memory": "Peak memory of the epoch in MiB, above the memory in use at its start",
}
COURSE_COLUMNS = {
    **_EPOCH,
    "architecture": "What the method would have chosen after the epoch",
    "skips": "Skip connections in it",
    "alignment": "Mean layer alignment over the updates of the epoch",
    "strength": "Factor of the regulariser",
    "truth": "Accuracy of the architecture in percent",
    "percentile": "Percentage of the known architectures that are worse",
    "regret": "Accuracy points to the best of these",
}
PROBABILITY_COLUMNS = {
    **_EPOCH,
    "table": "Which cell",
    "source": "Node at which the edge begins",
    "target": "Node at which it ends",
    "operation": "Operation on it, or edge: its share of the node",
    "probability": "Its probability after the epoch",
}


@dataclass(frozen=True, slots=True)
class Traits:
    """What is recorded of an estimator besides its scores.

    Attributes
    ----------
    reference
        Whether it says what others must beat: what is known without an estimator, or by training the architecture.
    seeds
        What differs between its runs, in the plural.
    reads_truth
        Whether it reads the very trainings that it is judged against.
    trained
        Whether it reads supernets, which cost a training.
    imported
        Whether its scores come from a file.
    line
        What it shares with those that differ from it in their epoch alone: its name without it.
    epoch
        The epoch of the weights that it reads, where one is chosen.
    """

    reference: bool = False
    seeds: str = "seeds"
    reads_truth: bool = False
    trained: bool = False
    imported: bool = False
    line: str = ""
    epoch: int | None = None


_TRAITS = {
    "baseline": Traits(reference=True),
    "curve": Traits(reference=True, reads_truth=True),
    "zero-shot": Traits(seeds="initialisations"),
    "one-shot": Traits(seeds="trainings", trained=True),
    "imported": Traits(imported=True),
}
_EPOCH_IN_NAME = re.compile(r"\bepoch=(\d+)(, )?")


def recorded_before(estimator: str, family: str) -> Traits:
    """Return what is known of an estimator whose record has its name and its family alone.

    So it is in stores of earlier versions, and in results made by hand.

    Parameters
    ----------
    estimator
        Its name, in which the epoch that it reads stood as one of its hyperparameters.
    family
        Its family.

    Examples
    --------
    >>> for name in ("uniform(epoch=40, readout=loss)", "uniform(epoch=40)", "snip"):
    ...     print(recorded_before(name, "one-shot").line, recorded_before(name, "one-shot").epoch)
    uniform(readout=loss) 40
    uniform 40
    snip None
    """
    known, found = _TRAITS.get(family, Traits()), _EPOCH_IN_NAME.search(estimator)
    if not found:
        return replace(known, line=estimator)
    line = _EPOCH_IN_NAME.sub("", estimator).replace(", )", ")").replace("()", "")
    return replace(known, line=line, epoch=int(found[1]))


@dataclass(frozen=True, slots=True)
class SearchTraits:
    """What is recorded of a search by a method's own rule, so that its result and cost can be compared.

    Attributes
    ----------
    role
        "darts" for DARTS of first order, with which others are compared; "regularised" for a search with a regulariser
        of layer alignments; else empty.
    twin
        What a search shares with those that differ from it in the regulariser alone.
    like_in_time
        What searches share whose seconds can be compared.
    like_in_memory
        What searches share whose memory can be compared.
    """

    role: str = ""
    twin: str = ""
    like_in_time: str = ""
    like_in_memory: str = ""


# What the hyperparameters of DARTS of first order are, and those of Lambda-DARTS's regulariser.
_DARTS = {"order": 1, "partial": 1, "edge_normalisation": False, "alignment": "none", "operations": "all"}
_REGULARISER = {"alignment", "strength", "epsilon"}


def searched_before(parameters: Mapping[str, Any]) -> SearchTraits:
    """Return what is known of a search of an earlier version's store, which kept its hyperparameters alone.

    Parameters
    ----------
    parameters
        Hyperparameters by name.
    """
    shared = {name: value for name, value in parameters.items() if name not in _REGULARISER}
    images = ["epochs" in parameters, parameters.get("images"), parameters.get("shrink")]
    regularised = parameters.get("alignment", "none") != "none"
    return SearchTraits(
        "darts" if _DARTS.items() <= parameters.items() else "regularised" if regularised else "",
        canonical_json(shared),
        canonical_json(images),
        canonical_json([*images, parameters.get("batch")]),
    )


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
    traits
        What is recorded of estimators; of others, what follows from their names and families is taken.
    asked
        Number of trials that each estimator should have, as far as that is known: a run that was stopped has fewer.
    combinations
        Rankings to be made of the scores of several estimators, which their parts name as `scores` does.
    operations
        Operations of each architecture, position by position.
    draw
        Draws an architecture, UnsupportedError where the space offers no drawings; None: nothing is drawn.
    card
        What is known of the truth's table: title, licence, digest, protocol.
    elsewhere
        Accuracy in percent on other data sets of the space, by data set and architecture.
    trainings
        Learning curves of supernets with the columns `TRAINING_COLUMNS`; None where none was trained.
    searches
        What is recorded of searches by a method's own rule, by the key of their training.
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
    traits: Mapping[str, Traits] = field(default_factory=dict)
    asked: Mapping[str, int] = field(default_factory=dict)
    combinations: tuple[CombinationChoice, ...] = ()
    operations: Mapping[str, Sequence[str]] = field(default_factory=dict)
    draw: Callable[[str], ArchitectureDrawing] | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: Mapping[str, pd.Series] = field(default_factory=dict)
    trainings: pd.DataFrame | None = None
    searches: Mapping[str, SearchTraits] = field(default_factory=dict)
    courses: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=list(COURSE_COLUMNS)))
    probabilities: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=list(PROBABILITY_COLUMNS)))

    def traits_of(self, estimator: str, family: str) -> Traits:
        """Return what is known of an estimator.

        Parameters
        ----------
        estimator
            Its name.
        family
            Its family.
        """
        return self.traits.get(estimator) or recorded_before(estimator, family)


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
