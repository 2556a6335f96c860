"""Suites: TOML files that say which estimators are judged on which benchmarks, with which seeds and minibatches."""

from __future__ import annotations

import itertools
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.data.home import shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SCHEMA = 1
# Published combinations that a suite names without their parts: the rule and the estimators.
PUBLISHED = {"az": ("rank_product", ("az_expressivity", "az_progressivity", "az_trainability", "flops"))}


@dataclass(frozen=True, slots=True)
class TruthChoice:
    """Which ground truth to judge against; None means most epochs, the preferred source, no table of the user's."""

    epochs: int | None = None
    split: str = "test"
    source: str | None = None
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Population:
    """Which architectures: a sample of `number` (None: all) of the classes, or of all strings with pool="none"."""

    number: int | None = None
    seed: int = 0
    pool: Literal["class", "none"] = "class"


@dataclass(frozen=True, slots=True)
class BatchChoice:
    """Which minibatches: `number` of them are averaged in a score; `images` None means those of the benchmark."""

    size: int = 64
    number: int = 1
    seeds: tuple[int, ...] = (0,)
    images: str | None = None


@dataclass(frozen=True, slots=True)
class BenchmarkChoice:
    """One `[[benchmark]]` of a suite.

    `transfer` names other data sets of the space whose ground truth judges the scores too.
    `initialisation` is "independent", weights drawn anew for each architecture, or "common", the same weights for the
    same operation at the same position.
    """

    space: str
    dataset: str
    seeds: tuple[int, ...]
    truth: TruthChoice = field(default_factory=TruthChoice)
    architectures: Population = field(default_factory=Population)
    batch: BatchChoice = field(default_factory=BatchChoice)
    sizes: Mapping[str, int] | None = None
    initialisation: str = "independent"
    transfer: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the benchmark, such as nasbench201/cifar10."""
        return f"{self.space}/{self.dataset}"


@dataclass(frozen=True, slots=True)
class EstimatorChoice:
    """One estimator with one setting of its hyperparameters.

    `benchmarks` are those on which it is judged, none named = all; `title` is how a report names it, instead of its
    name and hyperparameters.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    benchmarks: tuple[str, ...] = ()
    title: str = ""

    def asked_on(self, benchmark: str) -> bool:
        """Whether it is judged on the benchmark of that name."""
        return not self.benchmarks or benchmark in self.benchmarks


@dataclass(frozen=True, slots=True)
class CombinationChoice:
    """One `[[combination]]` of a suite: the rule that makes one ranking of the scores of some of its estimators.

    `title` is how a report names it.
    """

    name: str
    of: tuple[str, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Suite:
    """A list of trials: every estimator on every benchmark with every seed; and combinations of their scores."""

    name: str
    description: str
    benchmarks: tuple[BenchmarkChoice, ...]
    estimators: tuple[EstimatorChoice, ...]
    combinations: tuple[CombinationChoice, ...] = ()

    def with_estimators(self, names: Iterable[str]) -> Suite:
        """The suite with further estimators at their defaults, as --plugin adds them."""
        present = {choice.name for choice in self.estimators}
        added = tuple(EstimatorChoice(name) for name in names if name not in present)
        return replace(self, estimators=self.estimators + added)


def suites() -> list[str]:
    """Names of the suites that come with benchsuite."""
    return sorted(file.stem for file in shipped("benchmarks").glob("*.toml"))


def load_suite(name_or_path: str | Path) -> Suite:
    """The suite of a shipped name or of a TOML file.

    Raises UnknownNameError for a name that is not shipped, SuiteError for a file that says something not allowed.
    """
    file = Path(name_or_path)
    if file.suffix != ".toml":
        file = shipped("benchmarks", f"{name_or_path}.toml")
        if not file.is_file():
            raise UnknownNameError("suite", str(name_or_path), suites())
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SuiteError(f"no suite file at {file}; give a path, or one of: {', '.join(suites())}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SuiteError(f"{file} is not a TOML file: {error}") from error
    return parse_suite(document, file.stem, folder=file.parent)


def parse_suite(document: Mapping[str, Any], name: str, *, folder: Path) -> Suite:
    """The suite that a parsed TOML document describes; paths of tables are relative to `folder`."""
    known = ("schema", "description", "seeds", "benchmark", "estimator", "combination")
    _check_keys(document, known, f"suite {name}")
    if document.get("schema") != SCHEMA:
        raise SuiteError(f"suite {name}: schema = {document.get('schema')!r}; this version reads schema = {SCHEMA}")
    seeds = _integers(document.get("seeds", [0]), f"suite {name}: seeds")
    benchmarks = tuple(_benchmark(entry, seeds, folder) for entry in _entries(document, "benchmark", name))
    estimators = [choice for entry in _entries(document, "estimator", name) for choice in _estimators(entry)]
    repeated = [choice.name for i, choice in enumerate(estimators) if choice in estimators[:i]]
    if repeated:
        raise SuiteError(f"suite {name}: estimator {repeated[0]!r} stands twice with the same parameters; remove one")
    _check_benchmarks(estimators, [benchmark.name for benchmark in benchmarks])
    wanted = _entries(document, "combination", name) if "combination" in document else []
    combinations = tuple(_combination(entry) for entry in wanted)
    return Suite(name, str(document.get("description", "")), benchmarks, tuple(estimators), combinations)


def _entries(document: Mapping[str, Any], key: str, name: str) -> list[Mapping[str, Any]]:
    entries = document.get(key)
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise SuiteError(f"suite {name}: no [[{key}]]; a suite lists at least one")
    return entries


def _benchmark(entry: Mapping[str, Any], seeds: tuple[int, ...], folder: Path) -> BenchmarkChoice:
    where = "[[benchmark]]"
    _check_keys(entry, [item.name for item in fields(BenchmarkChoice)], where)
    for key in ("space", "dataset"):
        if not isinstance(entry.get(key), str):
            raise SuiteError(f"{where}: {key} = {entry.get(key)!r}; give a name in quotes")
    batch = dict(_table(entry, "batch", BatchChoice))
    if "seeds" in batch:
        batch["seeds"] = _integers(batch["seeds"], f"{where}: batch.seeds")
    truth = dict(_table(entry, "truth", TruthChoice))
    if truth.get("table") is not None:
        truth["table"] = str((folder / Path(str(truth["table"])).expanduser()).resolve())
    own = _integers(entry["seeds"], f"{where}: seeds") if "seeds" in entry else seeds
    choice = BenchmarkChoice(
        space=entry["space"],
        dataset=entry["dataset"],
        seeds=own,
        truth=TruthChoice(**truth),
        architectures=Population(**_table(entry, "architectures", Population)),
        batch=BatchChoice(**batch),
        sizes=entry.get("sizes"),
        initialisation=entry.get("initialisation", "independent"),
        transfer=_transfer(entry, where),
    )
    _check_values(choice, where)
    return choice


def _transfer(entry: Mapping[str, Any], where: str) -> tuple[str, ...]:
    wanted = entry.get("transfer", [])
    names = {name for name in wanted if isinstance(name, str)} - {entry["dataset"]} if isinstance(wanted, list) else ()
    if not isinstance(wanted, list) or len(names) < len(wanted):
        raise SuiteError(f"{where}: transfer = {wanted!r}; list names of other data sets of the space, each once")
    return tuple(wanted)


def _check_values(choice: BenchmarkChoice, where: str) -> None:
    positive = {
        "architectures.number": choice.architectures.number,
        "batch.size": choice.batch.size,
        "batch.number": choice.batch.number,
        "truth.epochs": choice.truth.epochs,
    }
    for key, value in positive.items():
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise SuiteError(f"{where}: {key} = {value!r}; give a whole number of at least 1")
    if choice.architectures.pool not in ("class", "none"):
        raise SuiteError(f'{where}: architectures.pool = {choice.architectures.pool!r}; allowed: "class", "none"')
    if choice.initialisation not in ("independent", "common"):
        raise SuiteError(f'{where}: initialisation = {choice.initialisation!r}; allowed: "independent", "common"')


def _estimators(entry: Mapping[str, Any]) -> list[EstimatorChoice]:
    _check_keys(entry, ("name", "title", "parameters", "grid", "benchmarks"), "[[estimator]]")
    name, title = entry.get("name"), entry.get("title", "")
    if not isinstance(name, str) or not isinstance(title, str):
        raise SuiteError(f"[[estimator]]: name = {name!r}, title = {title!r}; give names in quotes")
    where = f"[[estimator]] {name}"
    parameters, grid = entry.get("parameters", {}), entry.get("grid", {})
    if not isinstance(parameters, dict) or not isinstance(grid, dict):
        raise SuiteError(f"{where}: parameters and grid are tables, such as grid = {{log = [false, true]}}")
    benchmarks = entry.get("benchmarks", [])
    if not isinstance(benchmarks, list) or not all(isinstance(each, str) for each in benchmarks):
        raise SuiteError(f"{where}: benchmarks = {benchmarks!r}; list names such as 'nasbench201/cifar10'")
    return [EstimatorChoice(name, chosen, tuple(benchmarks), title) for chosen in _grid(parameters, grid, where)]


def _grid(parameters: Mapping[str, Any], grid: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """The parameters with every combination of the grid's values; tables inside, such as a training's, alike."""
    names = list(grid)
    choices: list[list[Any]] = []
    for key, values in grid.items():
        if isinstance(values, dict):
            choices.append(list(_grid(parameters.get(key, {}), values, f"{where}: grid.{key}")))
        elif isinstance(values, list) and values:
            choices.append(values)
        else:
            raise SuiteError(f"{where}: grid.{key} = {values!r}; give a list of values")
    return [{**parameters, **dict(zip(names, chosen, strict=True))} for chosen in itertools.product(*choices)]


def _check_benchmarks(estimators: Iterable[EstimatorChoice], known: Sequence[str]) -> None:
    for estimator in estimators:
        for name in estimator.benchmarks:
            if name not in known:
                raise SuiteError(
                    f"[[estimator]] {estimator.name}: {UnknownNameError('benchmark in the suite', name, known)}"
                )


def _combination(entry: Mapping[str, Any]) -> CombinationChoice:
    """The combination as it is asked for; whether its name and its parts exist is known when the suite is planned."""
    _check_keys(entry, [item.name for item in fields(CombinationChoice)], "[[combination]]")
    name, of = entry.get("name"), entry.get("of")
    if not isinstance(name, str) or not isinstance(entry.get("title", ""), str):
        raise SuiteError(f"[[combination]]: name = {name!r}, title = {entry.get('title')!r}; give names in quotes")
    where = f"[[combination]] {name}"
    if name in PUBLISHED:
        if of is not None:
            raise SuiteError(f"{where}: its parts are fixed; leave out 'of', or name the rule {PUBLISHED[name][0]!r}")
        rule, parts = PUBLISHED[name]
        return CombinationChoice(rule, parts, entry.get("title", name))
    strings = [part for part in of if isinstance(part, str)] if isinstance(of, list) else []
    if strings != of or len(set(strings)) < max(len(strings), 2):
        raise SuiteError(
            f"{where}: of = {of!r}; list at least two estimators of the suite, each once; "
            f"only {' and '.join(PUBLISHED)} has its own"
        )
    return CombinationChoice(name, tuple(strings), entry.get("title", f"{name}({', '.join(strings)})"))


def _table(entry: Mapping[str, Any], key: str, kind: type) -> Mapping[str, Any]:
    table = entry.get(key, {})
    if not isinstance(table, dict):
        raise SuiteError(f"[[benchmark]]: {key} = {table!r}; give a table, such as {key} = {{...}}")
    _check_keys(table, [item.name for item in fields(kind)], f"[[benchmark]] {key}")
    return table


def _check_keys(table: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    known = list(allowed)
    for key in table:
        if key not in known:
            raise SuiteError(f"{where}: {UnknownNameError('key', key, known)}")


def _integers(values: object, where: str) -> tuple[int, ...]:
    if not isinstance(values, list) or not values or any(type(value) is not int for value in values):
        raise SuiteError(f"{where} = {values!r}; give a list of whole numbers, such as [0, 1, 2]")
    if len(set(values)) < len(values):
        raise SuiteError(f"{where} = {values!r}; each number once")
    return tuple(values)
