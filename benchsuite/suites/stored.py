"""The record of a suite's run in the store: typed, numbered, and migrated where an earlier version wrote it."""

from __future__ import annotations

import json
from dataclasses import asdict, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from benchsuite.core.errors import DataCorruptError
from benchsuite.core.expected import problem
from benchsuite.core.identity import canonical_json
from benchsuite.suites.schema import CombinationChoice, TruthChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SCHEMA = 1
_REFERENCES = ("baseline", "curve")  # families of baselines, as versions before schema 1 knew them
_CONFIG = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True, slots=True, config=_CONFIG)
class StoredTrial:
    """One run of an estimator, under whose key the store holds the scores.

    Attributes
    ----------
    estimator
        What reports call it.
    family
        The estimator's family, or "imported".
    seed, batch_seed
        None where the scores do not depend on them.
    key
        Key of the recipe.
    trainings
        Seeds of the trainings that were read, by key.
    reference
        Whether other estimators must beat it: a baseline.
    """

    estimator: str
    family: str
    seed: int | None
    batch_seed: int | None
    key: str
    trainings: dict[str, int] = field(default_factory=dict)
    reference: bool = False


@dataclass(frozen=True, slots=True, config=_CONFIG)
class StoredBenchmark:
    """What was asked for on one benchmark.

    Attributes
    ----------
    space, dataset
        Names of the search space and of the data set.
    sizes
        Network sizes of the space.
    truth
        The ground truth to judge against.
    pool
        "class": one string of each isomorphism class is judged; "none": every string.
    transfer
        Other data sets of the space, whose ground truth judges the scores too.
    architectures
        The sample that is judged.
    sample
        The sample in words.
    caption
        Networks, minibatches and ground truth in one line.
    protocol
        The same at length, by topic.
    skipped
        Reasons why estimators were left out, by title.
    combinations
        Rankings that are made of several estimators' scores.
    trials
        The runs of the estimators.
    """

    space: str
    dataset: str
    sizes: dict[str, int]
    truth: TruthChoice
    pool: Literal["class", "none"]
    transfer: tuple[str, ...]
    architectures: tuple[str, ...]
    sample: str
    caption: str
    protocol: dict[str, str]
    skipped: dict[str, str]
    combinations: tuple[CombinationChoice, ...]
    trials: tuple[StoredTrial, ...]


@dataclass(frozen=True, slots=True, config=_CONFIG)
class StoredFile:
    """The file that imported scores come from.

    Attributes
    ----------
    file
        Its name without a folder.
    sha256
        Digest of its content.
    """

    file: str
    sha256: str


@dataclass(frozen=True, slots=True, config=_CONFIG)
class StoredSuite:
    """What the last run of a suite asked for: all that a report must know besides the scores.

    Attributes
    ----------
    description
        What the suite says of itself.
    command
        The command that ran it.
    benchmarks
        What was asked for on each benchmark.
    imported
        Where the scores come from, if they were computed elsewhere.
    schema
        Version of the record's form.
    """

    description: str
    command: str
    benchmarks: tuple[StoredBenchmark, ...]
    imported: StoredFile | None = None
    schema: int = SCHEMA


_ADAPTER = TypeAdapter(StoredSuite)


def write_record(record: StoredSuite) -> str:
    """Return the JSON text of a record.

    Parameters
    ----------
    record
        What a suite's run asked for.
    """
    return canonical_json(asdict(record))


def read_record(text: str) -> StoredSuite:
    """Return the record that a JSON text holds, brought to the present form.

    Parameters
    ----------
    text
        What `write_record` of this version, or of an earlier one, has made.

    Raises
    ------
    DataCorruptError
        If the text is damaged or written by a later version; one line, without the name of the suite.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataCorruptError(f"the record is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise DataCorruptError("the record is not a JSON object")
    version = document.get("schema", 0)
    if not isinstance(version, int) or not 0 <= version <= SCHEMA:
        raise DataCorruptError(f"the record has schema = {version!r}; this version of benchsuite reads up to {SCHEMA}")
    try:
        for migrate in _MIGRATIONS[version:]:
            document = migrate(document)
        return _ADAPTER.validate_json(json.dumps(document))
    except ValidationError as error:
        raise DataCorruptError(f"the record is damaged: {problem(error, StoredSuite)}") from error


def _numbered(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record without a number in the form of schema 1.

    Earlier versions wrote neither combinations nor other data sets, nor trainings of what was imported, called the
    sample a population, and knew baselines by their families.
    """
    return {**document, "schema": 1, "benchmarks": _each(document.get("benchmarks"), _numbered_benchmark)}


def _numbered_benchmark(entry: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {"sample" if key == "population" else key: value for key, value in entry.items()}
    if "trials" in renamed:
        renamed["trials"] = _each(renamed["trials"], _numbered_trial)
    return {"transfer": [], "combinations": [], **renamed}


def _numbered_trial(trial: Mapping[str, Any]) -> dict[str, Any]:
    return {"reference": trial.get("family") in _REFERENCES, **trial}


def _each(entries: Any, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Any:
    """Return a list of changed tables; anything else stays as it is, for the check that follows to name it."""
    if isinstance(entries, list):
        return [change(entry) if isinstance(entry, dict) else entry for entry in entries]
    return entries


_MIGRATIONS: tuple[Callable[[Mapping[str, Any]], dict[str, Any]], ...] = (_numbered,)  # by the schema they start from
