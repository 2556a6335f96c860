"""Suites: TOML files that say which estimators are judged on which benchmarks, with which seeds and minibatches."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from annotated_types import Ge, MinLen
from pydantic import AfterValidator, ConfigDict, Field, Strict, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.core.expected import line, shown, telling
from benchsuite.data.home import shipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Self

Made = TypeVar("Made")
SCHEMA = 1
# Published combinations that a suite names without their parts: the rule and the estimators.
PUBLISHED = {"az": ("rank_product", ("az_expressivity", "az_progressivity", "az_trainability", "flops"))}
_CONFIG = ConfigDict(extra="forbid")


def _each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values, a list of a suite in which none may be repeated."""
    if len(set(values)) < len(values):
        raise ValueError("must name each entry once")
    return values


def _of_63_bits(seed: int) -> int:
    """Return a seed, which must be small enough for a column of a table."""
    if seed >> 63:
        raise ValueError("must be less than 2^63")
    return seed


_Once = AfterValidator(_each_once), Field(json_schema_extra={"uniqueItems": True})
Positive = Annotated[int, Strict(), Ge(1)]
Seed = Annotated[int, Strict(), Ge(0), AfterValidator(_of_63_bits)]
Seeds = Annotated[tuple[Seed, ...], MinLen(1), *_Once]


@dataclass(frozen=True, slots=True, config=_CONFIG)
class TruthChoice:
    """The ground truth to judge against.

    Attributes
    ----------
    epochs
        Length of the trainings; left out: the longest.
    split
        Part of the data set on which the accuracies were measured.
    source
        A source that `benchsuite data list` names; left out: the preferred one on this machine.
    table
        CSV or Parquet file of your own ground truth, relative to the suite's folder.
    """

    epochs: Positive | None = None
    split: str = "test"
    source: str | None = None
    table: str | None = None


@dataclass(frozen=True, slots=True, config=_CONFIG)
class SampleChoice:
    """The architectures that are judged.

    Attributes
    ----------
    number
        How many are drawn at random; left out: all that have ground truth.
    seed
        Seed of the draw; a smaller number with the same seed gives a part of the same sample.
    pool
        "class": one string of each isomorphism class; "none": every string.
    """

    number: Positive | None = None
    seed: Seed = 0
    pool: Literal["class", "none"] = "class"


@dataclass(frozen=True, slots=True, config=_CONFIG)
class BatchChoice:
    """The minibatches that zero-shot estimators see.

    Attributes
    ----------
    size
        Images in a minibatch.
    number
        Minibatches over which a score is averaged.
    seeds
        Seeds of the draw; each gives a run of every estimator that sees a minibatch.
    images
        Image set, folder of images or .npz file; "noise" for random inputs; left out: the benchmark's own images.
    """

    size: Positive = 64
    number: Positive = 1
    seeds: Seeds = (0,)
    images: str | None = None


@dataclass(frozen=True, slots=True, config=_CONFIG)
class BenchmarkChoice:
    """One `[[benchmark]]` of a suite.

    Attributes
    ----------
    space
        Name of the search space, see `benchsuite list spaces`.
    dataset
        Name of the data set, see `benchsuite list benchmarks`.
    seeds
        Seeds of the weights; each gives a run of every estimator that draws weights; left out: those of the suite.
    truth
        The ground truth to judge against.
    architectures
        The architectures that are judged.
    batch
        The minibatches that zero-shot estimators see.
    sizes
        Network sizes of the space, such as {channels = 8, cells = 1}; left out: those of the ground truth.
    initialisation
        "independent": weights are drawn anew for each architecture; "common": the same operation at the same position
        has the same weights in every architecture.
    transfer
        Other data sets of the space, whose ground truth judges the scores too.
    """

    space: str
    dataset: str
    seeds: Seeds = (0,)
    truth: TruthChoice = field(default_factory=TruthChoice)
    architectures: SampleChoice = field(default_factory=SampleChoice)
    batch: BatchChoice = field(default_factory=BatchChoice)
    sizes: Mapping[str, Positive] | None = None
    initialisation: Literal["independent", "common"] = "independent"
    transfer: Annotated[tuple[str, ...], *_Once] = ()

    @property
    def name(self) -> str:
        """Name of the benchmark, such as nasbench201/cifar10."""
        return f"{self.space}/{self.dataset}"

    @model_validator(mode="after")
    def _transfers_elsewhere(self) -> Self:
        if self.dataset in self.transfer:
            raise ValueError(f"transfer = {shown(list(self.transfer))}; must name other data sets of the space")
        return self


@dataclass(frozen=True, slots=True, config=_CONFIG)
class EstimatorEntry:
    """One `[[estimator]]` of a suite, with one or several settings of its hyperparameters.

    Attributes
    ----------
    name
        Name of the estimator, see `benchsuite list estimators`.
    title
        How reports name it; left out: its name and the hyperparameters that are not at their defaults.
    parameters
        Hyperparameters that are not at their defaults, such as {log = true}.
    grid
        Hyperparameters with a list of values each; every combination of values is one estimator.
    benchmarks
        Benchmarks of the suite on which it is judged, such as "nasbench201/cifar10"; left out: all.
    """

    name: str
    title: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    grid: dict[str, Any] = field(default_factory=dict)
    benchmarks: tuple[str, ...] = ()

    def choices(self) -> list[EstimatorChoice]:
        """Return an estimator for each combination of the grid's values."""
        settings = _grid(self.parameters, self.grid, "grid")
        return [EstimatorChoice(self.name, setting, self.benchmarks, self.title) for setting in settings]


@dataclass(frozen=True, slots=True, config=_CONFIG)
class EstimatorChoice:
    """One estimator with one setting of its hyperparameters.

    Attributes
    ----------
    name
        Name under which the estimator is registered.
    parameters
        Hyperparameters that are not at their defaults.
    benchmarks
        Benchmarks on which it is judged; empty: all.
    title
        How reports name it; empty: its name and hyperparameters.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    benchmarks: tuple[str, ...] = ()
    title: str = ""

    def asked_on(self, benchmark: str) -> bool:
        """Return whether it is judged on a benchmark.

        Parameters
        ----------
        benchmark
            Name of the benchmark.
        """
        return not self.benchmarks or benchmark in self.benchmarks


@dataclass(frozen=True, slots=True, config=_CONFIG)
class CombinationEntry:
    """One `[[combination]]` of a suite: a rule that makes one ranking of the scores of several estimators.

    Attributes
    ----------
    name
        The rule: rank_mean, rank_product or vote; or a published combination, az, which names its own estimators.
    of
        The estimators, by their titles, or by names that only one of them has.
    title
        How reports name it; left out: the rule and its estimators.
    """

    name: str
    of: Annotated[tuple[str, ...], MinLen(2), *_Once] | None = None
    title: str | None = None

    def choice(self) -> CombinationChoice:
        """Return the combination with its rule, estimators and title.

        Raises
        ------
        SuiteError
            If it names no estimators, or names those of a published combination.
        """
        if self.name in PUBLISHED:
            rule, parts = PUBLISHED[self.name]
            if self.of is not None:
                raise SuiteError(f"of = {list(self.of)}; must be left out, its estimators are {', '.join(parts)}")
            return CombinationChoice(rule, parts, self.title or self.name)
        if self.of is None:
            raise SuiteError("of is missing; name at least two estimators of the suite")
        return CombinationChoice(self.name, self.of, self.title or f"{self.name}({', '.join(self.of)})")


@dataclass(frozen=True, slots=True, config=_CONFIG)
class CombinationChoice:
    """One ranking that is made of the scores of several estimators.

    Attributes
    ----------
    name
        The rule that makes it.
    of
        The estimators.
    title
        How reports name it.
    """

    name: str
    of: tuple[str, ...]
    title: str


@dataclass(frozen=True, slots=True, config=_CONFIG)
class SuiteDocument:
    """A suite as its TOML file says it.

    Attributes
    ----------
    schema
        Version of the file's form.
    description
        What the suite is for; it is shown at the head of the report.
    seeds
        Seeds of the weights, for the benchmarks that name none; each gives a run of every estimator that draws weights.
    benchmark
        The benchmarks on which estimators are judged.
    estimator
        The estimators that are judged.
    combination
        Rankings that are made of several estimators' scores.
    """

    schema: Literal[1]
    benchmark: Annotated[tuple[BenchmarkChoice, ...], MinLen(1)]
    estimator: Annotated[tuple[EstimatorEntry, ...], MinLen(1)]
    description: str = ""
    seeds: Seeds = (0,)
    combination: tuple[CombinationEntry, ...] = ()


_DOCUMENT = TypeAdapter(SuiteDocument)
_ENTRIES = {"benchmark": BenchmarkChoice, "estimator": EstimatorEntry, "combination": CombinationEntry}


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Suite:
    """Runs of estimators: each on every benchmark with every seed; and combinations of their scores.

    Attributes
    ----------
    name
        Name of the file without its ending.
    description
        What the suite is for.
    benchmarks
        The benchmarks on which estimators are judged.
    estimators
        The estimators, each with one setting of its hyperparameters.
    combinations
        Rankings that are made of several estimators' scores.
    """

    name: str
    description: str
    benchmarks: tuple[BenchmarkChoice, ...]
    estimators: tuple[EstimatorChoice, ...]
    combinations: tuple[CombinationChoice, ...] = ()

    def with_estimators(self, names: Iterable[str]) -> Suite:
        """Return the suite with further estimators at their defaults, as --plugin adds them.

        Parameters
        ----------
        names
            Names of the estimators; those that the suite has already are left as they are.
        """
        present = {choice.name for choice in self.estimators}
        added = tuple(EstimatorChoice(name) for name in names if name not in present)
        return replace(self, estimators=self.estimators + added)


def suites() -> list[str]:
    """Return the names of the suites that come with benchsuite."""
    return sorted(file.stem for file in shipped("benchmarks").glob("*.toml"))


def load_suite(name_or_path: str | Path) -> Suite:
    """Return the suite of a shipped name or of a TOML file.

    Parameters
    ----------
    name_or_path
        A name that `suites` lists, or the path of a file that ends in .toml.

    Raises
    ------
    UnknownNameError
        If no shipped suite has the name.
    SuiteError
        If the file does not exist, is not TOML, or says something that is not allowed.
    """
    file = Path(name_or_path)
    if file.suffix != ".toml":
        file = shipped("benchmarks", f"{name_or_path}.toml")
        if not file.is_file():
            raise UnknownNameError("suite", str(name_or_path), suites())
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(suites())
        raise SuiteError(f"{file} does not exist; give the path of a suite, or one of: {known}") from error
    except OSError as error:
        raise SuiteError(f"{file} cannot be read: {error.strerror}; give the path of a suite") from error
    except RecursionError as error:
        raise SuiteError(f"{file} has tables or lists that are nested too deeply; write them flatter") from error
    except ValueError as error:  # of TOML, of the encoding, or of a number of too many digits
        raise SuiteError(f"{file} is not valid TOML: {error}") from error
    return parse_suite(document, file.stem, folder=file.parent)


def parse_suite(document: Mapping[str, Any], name: str, *, folder: Path) -> Suite:
    """Return the suite that a parsed TOML document describes.

    Parameters
    ----------
    document
        The document.
    name
        What reports call the suite.
    folder
        Where paths of tables start from.

    Raises
    ------
    SuiteError
        If the document says something that is not allowed: one line that names the suite.
    """
    try:
        return _parsed(document, name, folder)
    except SuiteError as error:
        raise SuiteError(f"suite {name}: {error}") from error
    except RecursionError as error:
        raise SuiteError(f"suite {name} has tables or lists that are nested too deeply; write them flatter") from error


def _parsed(document: Mapping[str, Any], name: str, folder: Path) -> Suite:
    found = document.get("schema")
    if type(found) is not int or found != SCHEMA:
        said = "schema is missing" if found is None else f"schema = {shown(found)}"
        raise SuiteError(f"{said}; this version reads suites that say schema = {SCHEMA}")
    try:
        made = _DOCUMENT.validate_python(document)
    except ValidationError as error:
        raise SuiteError(_line(error, document)) from error
    benchmarks = tuple(
        _placed(choice if "seeds" in entry else replace(choice, seeds=made.seeds), folder)
        for choice, entry in zip(made.benchmark, document["benchmark"], strict=True)
    )
    estimators = tuple(each for entry in made.estimator for each in _within(entry, "estimator", entry.choices))
    _check_estimators(estimators, [benchmark.name for benchmark in benchmarks])
    combinations = tuple(_within(entry, "combination", entry.choice) for entry in made.combination)
    return Suite(name, made.description, benchmarks, estimators, combinations)


def _line(error: ValidationError, document: Mapping[str, Any]) -> str:
    """Return what is wrong with a document, with the entry in which it is as its author knows it."""
    found = telling(error)
    section, *inside = found["loc"]
    if section not in _ENTRIES:
        return line(found, SuiteDocument)
    if not inside:
        return f"[[{section}]] is missing; a suite lists at least one, each under its own heading [[{section}]]"
    number, *rest = inside
    where = _heading(str(section), document[str(section)][number], int(number))
    return f"{where}: {line({**found, 'loc': tuple(rest)}, _ENTRIES[str(section)])}"


def _heading(section: str, entry: Any, number: int) -> str:
    """Return the heading of an entry with its name, or with its number if it has none."""
    keys = ("space", "dataset") if section == "benchmark" else ("name",)
    names = [entry.get(key) for key in keys] if isinstance(entry, dict) else [None]
    words = [name for name in names if isinstance(name, str)]
    return f"[[{section}]] {'/'.join(words) if len(words) == len(keys) else f'number {number + 1}'}"


def _within(entry: EstimatorEntry | CombinationEntry, section: str, make: Callable[[], Made]) -> Made:
    """Return what is made of an entry; errors name the entry."""
    try:
        return make()
    except SuiteError as error:
        raise SuiteError(f"[[{section}]] {entry.name}: {error}") from error


def _placed(choice: BenchmarkChoice, folder: Path) -> BenchmarkChoice:
    """Return a benchmark whose table, if it has one, is named by its full path."""
    table = choice.truth.table
    if table is None:
        return choice
    try:
        found = str((folder / Path(table).expanduser()).resolve())
    except (OSError, RuntimeError, ValueError) as error:  # no such user, a circle of links, a zero byte
        raise SuiteError(f"[[benchmark]] {choice.name}: truth.table = {shown(table)}; {error}; give a path") from error
    return replace(choice, truth=replace(choice.truth, table=found))


def _grid(parameters: Mapping[str, Any], grid: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """Return the parameters with every combination of the grid's values, those of tables inside included."""
    names = list(grid)
    choices: list[list[Any]] = []
    for key, values in grid.items():
        if isinstance(values, dict):
            inside = parameters.get(key, {})
            if not isinstance(inside, dict):
                raise SuiteError(f"parameters.{key} = {shown(inside)}; must be a table, as {where}.{key} is")
            choices.append(list(_grid(inside, values, f"{where}.{key}")))
        elif isinstance(values, list) and values:
            choices.append(values)
        else:
            raise SuiteError(f"{where}.{key} = {shown(values)}; must be a list of values")
    return [{**parameters, **dict(zip(names, chosen, strict=True))} for chosen in itertools.product(*choices)]


def _check_estimators(estimators: Sequence[EstimatorChoice], benchmarks: Sequence[str]) -> None:
    for number, estimator in enumerate(estimators):
        if estimator in estimators[:number]:
            raise SuiteError(f"estimator {estimator.name!r} is listed twice with the same parameters; remove one")
        for name in estimator.benchmarks:
            if name not in benchmarks:
                unknown = UnknownNameError("benchmark in the suite", name, benchmarks)
                raise SuiteError(f"[[estimator]] {estimator.name}: {unknown}")
