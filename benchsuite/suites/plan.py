"""Plans: a suite made concrete on this machine's data, its trials with the recipes under which scores are stored."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchsuite.analysis.combination import COMBINATIONS
from benchsuite.benchmark import Benchmark, load_benchmark
from benchsuite.core import registry
from benchsuite.core.errors import SuiteError, UnknownNameError, UnsupportedError
from benchsuite.core.identity import digest, label
from benchsuite.data.images.minibatches import Images, load_images, minibatch, noise
from benchsuite.estimators.base import ArchitectureEstimator, CurveEstimator, Estimator, ZeroShotEstimator
from benchsuite.estimators.execute import check_device
from benchsuite.estimators.one_shot.estimators import OneShotEstimator
from benchsuite.estimators.supernets.execute import TrainingTask
from benchsuite.suites.schema import PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchsuite.core.types import Dataset
    from benchsuite.estimators.execute import Minibatch
    from benchsuite.suites.schema import (
        BatchChoice,
        BenchmarkChoice,
        CombinationChoice,
        EstimatorChoice,
        SampleChoice,
        Suite,
    )

NOISE = "noise"  # the image set that is made to the data set's shape


@dataclass(frozen=True, slots=True)
class Trial:
    """An estimator on a benchmark with one seed; under the recipe's key the store holds its scores.

    `title` is the name that reports give the estimator.
    `seed` and `batch_seed` are None where a score does not depend on them. `trainings` are those of the supernets over
    which scores are averaged; none where none is read.
    """

    title: str
    estimator: Estimator
    seed: int | None
    batch_seed: int | None
    recipe: dict[str, Any] = field(repr=False)
    key: str
    trainings: tuple[TrainingTask, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class BenchmarkPlan:
    """One benchmark of a suite: what is judged, on which architectures, by which trials and combinations of them.

    `fast` is whether networks and minibatches lie in memory channels last.
    """

    choice: BenchmarkChoice
    benchmark: Benchmark
    dataset: Dataset
    architectures: tuple[str, ...]
    population: str
    trials: tuple[Trial, ...]
    combinations: tuple[CombinationChoice, ...]
    skipped: dict[str, str]
    fast: bool = False

    @property
    def images(self) -> str:
        """Name of the image set from which minibatches are drawn and with which supernets are trained."""
        return self.choice.batch.images or self.benchmark.images

    def minibatches(self, seed: int) -> tuple[Minibatch, ...]:
        """The minibatches of a seed, over which scores are averaged."""
        batch = self.choice.batch
        return tuple(minibatch(_load(self.images, self.dataset), batch.size, seed, batch.number))


@dataclass(frozen=True, slots=True)
class Plan:
    """A suite made concrete: its benchmarks with their trials, the plug-in files and the device."""

    suite: Suite
    benchmarks: tuple[BenchmarkPlan, ...]
    plugins: tuple[str, ...] = ()
    device: str = "cpu"


def make_plan(
    suite: Suite, *, plugins: Sequence[str] = (), device: str = "cpu", limit: int | None = None, fast: bool = False
) -> Plan:
    """The plan of a suite; nothing is scored.

    Parameters
    ----------
    plugins
        Paths of plug-in files whose estimators join the suite with their defaults.
    limit
        Judge only the first `limit` architectures of each benchmark's sample.
    fast
        Keep networks and minibatches channels last: faster on most processors, with scores that differ by rounding
        and so have recipes of their own.

    Raises
    ------
    BenchsuiteError
        If a name is unknown, a parameter not allowed or the data of a benchmark absent.
    """
    check_device(device)
    added = [name for path in plugins for name in registry.load_plugin(path)["estimator"]]
    extended = suite.with_estimators(added)
    benchmarks = tuple(_plan_benchmark(choice, extended, limit, fast=fast) for choice in extended.benchmarks)
    files = tuple(str(Path(path).resolve()) for path in plugins)  # workers may run in another folder
    return Plan(extended, benchmarks, files, device)


def _plan_benchmark(choice: BenchmarkChoice, suite: Suite, limit: int | None, *, fast: bool) -> BenchmarkPlan:
    benchmark = load_benchmark(choice.space, choice.dataset, table=choice.truth.table, source=choice.truth.source)
    if choice.sizes is not None:
        sizes = {**benchmark.space.sizes, **choice.sizes}
        benchmark = replace(benchmark, space=registry.make_space(choice.space, sizes))
    for dataset in choice.transfer:
        load_benchmark(choice.space, dataset)  # that it is there shows before the first score
    known = benchmark.truth(epochs=choice.truth.epochs, split=choice.truth.split, pool=choice.architectures.pool)
    architectures, population = draw(list(known.index), choice.architectures, limit)
    asked = titled([entry for entry in suite.estimators if entry.asked_on(choice.name)])
    elsewhere = _asked_elsewhere([entry for entry in suite.estimators if not entry.asked_on(choice.name)])
    known_titles = {title: estimator for found in elsewhere.values() for title, estimator in found.items()} | asked
    combinations = _combinations(suite.combinations, known_titles)
    skipped = {
        title: f"the suite asks for it on {' and '.join(benchmarks)} alone"
        for benchmarks, found in elsewhere.items()
        for title in found
        if title not in asked
    }
    skipped |= unsupported(asked, benchmark, architectures[0], choice.batch.images or benchmark.images)
    supported = {title: estimator for title, estimator in asked.items() if title not in skipped}
    trials = tuple(trials_of(choice, benchmark, supported, fast=fast))
    lacking = {each.title: f"it needs {part}" for each in combinations for part in each.of if part in skipped}
    made = tuple(each for each in combinations if each.title not in lacking)
    return BenchmarkPlan(
        choice,
        benchmark,
        benchmark.image_dataset,
        architectures,
        population,
        trials,
        made,
        {**skipped, **lacking},
        fast,
    )


def titled(entries: Sequence[EstimatorChoice]) -> dict[str, Estimator]:
    """Estimators of a benchmark by the names that a report gives them: their labels, or the suite's title.

    The names of one-shot estimators, and of all with a title, leave out the hyperparameters in which those of the same
    title agree; the report's protocol has them. So an estimator that is trained longer on another benchmark, by an
    entry of its own, has the same name there. SuiteError if two are the same.
    """
    estimators = [registry.make_estimator(entry.name, entry.parameters) for entry in entries]
    titles = [entry.title or entry.name for entry in entries]
    found: dict[str, Estimator] = {}
    for entry, estimator, title in zip(entries, estimators, titles, strict=True):
        changed = estimator.changed()
        if entry.title or isinstance(estimator, OneShotEstimator):
            alike = [other.changed() for other, known in zip(estimators, titles, strict=True) if known == title]
            agreed = {key for key, value in changed.items() if all(other.get(key) == value for other in alike)}
            changed = {key: value for key, value in changed.items() if key not in agreed}
        named = label(title, changed)
        if named in found:
            raise SuiteError(f"estimator {named!r} stands twice; remove one, or give one of them another title")
        found[named] = estimator
    return found


def _combinations(wanted: Iterable[CombinationChoice], estimators: Mapping[str, Estimator]) -> list[CombinationChoice]:
    """The combinations with their parts named as scores are: by titles."""
    titles = list(estimators)
    found = []
    for each in wanted:
        if each.name not in COMBINATIONS:
            raise UnknownNameError("combination", each.name, [*COMBINATIONS, *PUBLISHED])
        if each.title in titles:
            raise SuiteError(f"[[combination]] {each.title}: the suite has that name already; give it another title")
        of = tuple(_part(part, each, estimators) for part in each.of)
        if len(set(of)) < len(of):
            raise SuiteError(f"[[combination]] {each.title}: of = {list(each.of)}, an estimator twice; name each once")
        titles.append(each.title)
        found.append(replace(each, of=of))
    return found


def _part(name: str, combination: CombinationChoice, estimators: Mapping[str, Estimator]) -> str:
    """The title of the estimator that a combination names, by its title or by a name that only one of them has."""
    where = f"[[combination]] {combination.title}"
    if name in estimators:
        return name
    named = [title for title, estimator in estimators.items() if estimator.name == name]
    if not named:
        raise SuiteError(f"{where}: {UnknownNameError('estimator in the suite', name, estimators)}")
    if len(named) > 1:
        raise SuiteError(f"{where}: which {name}? Name one of: {', '.join(named)}")
    return named[0]


def draw(known: Sequence[str], population: SampleChoice, limit: int | None) -> tuple[tuple[str, ...], str]:
    """The sampled architectures and the population in words; a smaller sample with the same seed is a prefix.

    >>> from benchsuite.suites.schema import SampleChoice
    >>> draw(["a", "b", "c"], SampleChoice(number=2), None)
    (('c', 'a'), '2 of 3 string classes, sampled with seed 0')
    """
    kind = "string classes" if population.pool == "class" else "architecture strings"
    number = population.number if population.number is not None else len(known)
    if number > len(known):
        raise SuiteError(
            f"architectures.number = {number}, but only {len(known)} {kind} have ground truth; ask for fewer"
        )
    order = np.random.default_rng(population.seed).permutation(len(known))
    number = min(number, limit) if limit is not None else number
    sample = tuple(known[position] for position in order[:number])
    if number == len(known):
        return sample, f"all {number:,} {kind} with ground truth"
    return sample, f"{number:,} of {len(known):,} {kind}, sampled with seed {population.seed}"


def _asked_elsewhere(entries: Sequence[EstimatorChoice]) -> dict[tuple[str, ...], dict[str, Estimator]]:
    """Estimators that the suite wants on other benchmarks alone: by these, then by title."""
    places = dict.fromkeys(entry.benchmarks for entry in entries)
    return {place: titled([entry for entry in entries if entry.benchmarks == place]) for place in places}


def unsupported(
    estimators: Mapping[str, Estimator], benchmark: Benchmark, architecture: str, images: str
) -> dict[str, str]:
    """Reasons why estimators cannot run on a benchmark, by title.

    Parameters
    ----------
    images
        Name of the image set with which supernets would be trained.
    """
    reasons = {}
    for title, estimator in estimators.items():
        try:
            _try(estimator, benchmark, architecture, images)
        except UnsupportedError as error:
            reasons[title] = str(error)
    return reasons


def _try(estimator: Estimator, benchmark: Benchmark, architecture: str, images: str) -> None:
    """Return nothing if an estimator works on a benchmark, as far as that can be said before the run."""
    if isinstance(estimator, CurveEstimator):
        estimator.score(benchmark.curve(architecture))
    elif isinstance(estimator, ArchitectureEstimator):
        estimator.score(benchmark.space, architecture, benchmark.image_dataset, np.random.default_rng(0))
    elif isinstance(estimator, OneShotEstimator):
        if images == NOISE:
            raise UnsupportedError("a supernet is trained on images, and the suite gives this benchmark noise")
        estimator.check_space(benchmark.space, benchmark.image_dataset, architecture)


def trials_of(
    choice: BenchmarkChoice, benchmark: Benchmark, estimators: Mapping[str, Estimator], *, fast: bool
) -> Iterable[Trial]:
    """The trials of estimators, by title, on a benchmark: one for each seed and minibatch that a score depends on."""
    for title, estimator in estimators.items():
        seeds = choice.seeds if estimator.seeded else (None,)
        batch_seeds = choice.batch.seeds if estimator.batched else (None,)
        for seed, batch_seed in itertools.product(seeds, batch_seeds):
            recipe = _recipe(choice, estimator, benchmark, fast=fast)
            if seed is not None:
                recipe["seed"] = seed
            if batch_seed is not None:
                images = _load(choice.batch.images or benchmark.images, benchmark.image_dataset)
                recipe["batch"] = _batch_recipe(choice.batch, batch_seed, images.digest)
            trainings: tuple[TrainingTask, ...] = ()
            if isinstance(estimator, OneShotEstimator) and seed is not None:
                trainings = _trainings(choice, estimator, benchmark, seed)
                recipe["sources"] = [training.key for training in trainings]
            yield Trial(title, estimator, seed, batch_seed, recipe, digest(recipe), trainings)


def _trainings(
    choice: BenchmarkChoice, estimator: OneShotEstimator, benchmark: Benchmark, seed: int
) -> tuple[TrainingTask, ...]:
    estimator.check()
    images, space = choice.batch.images or benchmark.images, benchmark.space
    return tuple(
        TrainingTask(space.name, dict(space.sizes), images, estimator.training, each) for each in estimator.seeds(seed)
    )


def _load(images: str, dataset: Dataset) -> Images:
    return noise(dataset) if images == NOISE else load_images(images)


def _recipe(choice: BenchmarkChoice, estimator: Estimator, benchmark: Benchmark, *, fast: bool) -> dict[str, Any]:
    dataset = benchmark.image_dataset
    recipe: dict[str, Any] = {
        "estimator": estimator.name,
        "version": estimator.version,
        "parameters": estimator.parameters(),
        "space": benchmark.space.name,
        "sizes": dict(benchmark.space.sizes),
        "dataset": [dataset.name, dataset.classes, *dataset.shape],
    }
    plugin = registry.plugin_digest("estimator", estimator.name)
    if plugin is not None:
        recipe["plugin"] = plugin
    if isinstance(estimator, CurveEstimator):
        recipe["truth"] = benchmark.digest()
    if isinstance(estimator, ZeroShotEstimator):
        recipe["dtype"] = "float32"
        if fast:  # only then, so that keys of the usual recipes stay what they were before there was a choice
            recipe["fast"] = True
        if estimator.seeded and choice.initialisation != "independent":  # as above
            recipe["initialisation"] = choice.initialisation
    return recipe


def _batch_recipe(batch: BatchChoice, seed: int, images: str) -> dict[str, Any]:
    return {"images": images, "size": batch.size, "number": batch.number, "seed": seed}
