"""Plans: a suite made concrete on this machine's data, its runs with the recipes under which scores are stored."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.analysis.combination import COMBINATIONS
from benchsuite.benchmark import Benchmark, load_benchmark
from benchsuite.core import registry
from benchsuite.core.errors import SuiteError, UnknownNameError, UnsupportedError
from benchsuite.core.identity import label
from benchsuite.estimators.setting import Setting
from benchsuite.estimators.torchtools.devices import check_device
from benchsuite.suites.schema import PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchsuite.estimators.base import Estimator, Trial
    from benchsuite.suites.schema import BenchmarkChoice, CombinationChoice, EstimatorChoice, SampleChoice, Suite


@dataclass(frozen=True, slots=True)
class BenchmarkPlan:
    """One benchmark of a suite: what is judged, on which architectures, by which runs and combinations of them.

    Attributes
    ----------
    choice
        What the suite asks for.
    benchmark
        The benchmark with its ground truth.
    setting
        The benchmark as estimators see it.
    architectures
        The sample.
    sample
        The sample in words.
    trials
        The runs.
    combinations
        Combinations of estimators, which are named by their titles.
    skipped
        Reasons why estimators are left out, by title.
    """

    choice: BenchmarkChoice
    benchmark: Benchmark
    setting: Setting
    architectures: tuple[str, ...]
    sample: str
    trials: tuple[Trial, ...]
    combinations: tuple[CombinationChoice, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A suite made concrete.

    Attributes
    ----------
    suite
        The suite, estimators of plug-ins included.
    benchmarks
        Its benchmarks with their runs.
    plugins
        Absolute paths of the plug-in files.
    device
        Where networks run.
    """

    suite: Suite
    benchmarks: tuple[BenchmarkPlan, ...]
    plugins: tuple[str, ...] = ()
    device: str = "cpu"


def make_plan(
    suite: Suite, *, plugins: Sequence[str] = (), device: str = "cpu", limit: int | None = None, fast: bool = False
) -> Plan:
    """Return the plan of a suite; nothing is scored.

    Parameters
    ----------
    suite
        What is asked for.
    plugins
        Paths of plug-in files whose estimators join the suite with their defaults.
    device
        Where networks will run.
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
    benchmarks = [_plan_benchmark(choice, extended, limit, device, fast=fast) for choice in extended.benchmarks]
    files = tuple(str(Path(path).resolve()) for path in plugins)  # workers may run in another folder
    return Plan(extended, tuple(benchmarks), files, device)


def _plan_benchmark(
    choice: BenchmarkChoice, suite: Suite, limit: int | None, device: str, *, fast: bool
) -> BenchmarkPlan:
    benchmark = load_benchmark(choice.space, choice.dataset, table=choice.truth.table, source=choice.truth.source)
    if choice.sizes is not None:
        sizes = {**benchmark.space.sizes, **choice.sizes}
        benchmark = replace(benchmark, space=registry.make_space(choice.space, sizes))
    for dataset in choice.transfer:
        load_benchmark(choice.space, dataset)  # that it is there shows before the first score
    setting = setting_of(choice, benchmark, device, fast=fast)
    known = benchmark.truth(epochs=choice.truth.epochs, split=choice.truth.split, pool=choice.architectures.pool)
    architectures, sample = draw(list(known.index), choice.architectures, limit)
    asked = titled([entry for entry in suite.estimators if entry.asked_on(choice.name)])
    elsewhere = _asked_elsewhere([entry for entry in suite.estimators if not entry.asked_on(choice.name)])
    everywhere = {title: estimator for found in elsewhere.values() for title, estimator in found.items()} | asked
    combinations = _combinations(suite.combinations, everywhere)
    skipped = {
        title: f"the suite asks for it on {' and '.join(benchmarks)} alone"
        for benchmarks, found in elsewhere.items()
        for title in found
        if title not in asked
    }
    skipped |= unsupported(asked, setting, architectures[0])
    trials = trials_of({title: each for title, each in asked.items() if title not in skipped}, setting)
    lacking = {each.title: f"it needs {part}" for each in combinations for part in each.of if part in skipped}
    made = tuple(each for each in combinations if each.title not in lacking)
    return BenchmarkPlan(choice, benchmark, setting, architectures, sample, trials, made, {**skipped, **lacking})


def setting_of(choice: BenchmarkChoice, benchmark: Benchmark, device: str = "cpu", *, fast: bool = False) -> Setting:
    """Return a benchmark as estimators see it.

    Parameters
    ----------
    choice
        Seeds, minibatches and images that are asked for.
    benchmark
        The benchmark.
    device
        Where networks run.
    fast
        Whether networks and minibatches lie in memory channels last.
    """
    batch = choice.batch
    return Setting(
        space=benchmark.space,
        dataset=benchmark.image_dataset,
        images=batch.images or benchmark.images,
        truth=benchmark,
        seeds=choice.seeds,
        batch_size=batch.size,
        batch_number=batch.number,
        batch_seeds=batch.seeds,
        initialisation=choice.initialisation,
        fast=fast,
        device=device,
    )


def titled(entries: Sequence[EstimatorChoice]) -> dict[str, Estimator]:
    """Return the estimators of a benchmark by the names that a report gives them: their labels, or the suite's title.

    The names of estimators that are titled by differences, and of all with a title, leave out the hyperparameters in
    which those of the same title agree; the report's protocol has them. So an estimator that is trained longer on
    another benchmark, by an entry of its own, has the same name there.

    Parameters
    ----------
    entries
        What the suite asks for there.

    Raises
    ------
    BenchsuiteError
        If a name is unknown, a hyperparameter not allowed, or two estimators have the same name in reports.
    """
    estimators = [registry.make_estimator(entry.name, entry.parameters) for entry in entries]
    for estimator in estimators:
        estimator.check()
    titles = [entry.title or entry.name for entry in entries]
    found: dict[str, Estimator] = {}
    for entry, estimator, title in zip(entries, estimators, titles, strict=True):
        changed = estimator.changed()
        if entry.title or estimator.titled_by_differences:
            alike = [other.changed() for other, known in zip(estimators, titles, strict=True) if known == title]
            agreed = {key for key, value in changed.items() if all(other.get(key) == value for other in alike)}
            changed = {key: value for key, value in changed.items() if key not in agreed}
        named = label(title, changed)
        if named in found:
            raise SuiteError(f"estimator {named!r} stands twice; remove one, or give one of them another title")
        found[named] = estimator
    return found


def _combinations(wanted: Iterable[CombinationChoice], estimators: Mapping[str, Estimator]) -> list[CombinationChoice]:
    """Return the combinations with their parts named as scores are: by titles."""
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
    """Return the title of the estimator that a combination names, by its title or by a name that only one has."""
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
    """Return the sampled architectures and the sample in words; a smaller sample with the same seed is a prefix.

    Parameters
    ----------
    known
        Architectures with ground truth.
    population
        Which of them are asked for.
    limit
        Largest number of architectures; None: all.

    Examples
    --------
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
    """Return estimators that the suite wants on other benchmarks alone: by these, then by title."""
    places = dict.fromkeys(entry.benchmarks for entry in entries)
    return {place: titled([entry for entry in entries if entry.benchmarks == place]) for place in places}


def unsupported(estimators: Mapping[str, Estimator], setting: Setting, architecture: str) -> dict[str, str]:
    """Return the reasons why estimators cannot run on a benchmark, by title.

    Parameters
    ----------
    estimators
        Estimators by title.
    setting
        The benchmark as they see it.
    architecture
        One of its architectures, to try.
    """
    reasons = {}
    for title, estimator in estimators.items():
        try:
            estimator.check_benchmark(setting, architecture)
        except UnsupportedError as error:
            reasons[title] = str(error)
    return reasons


def trials_of(estimators: Mapping[str, Estimator], setting: Setting) -> tuple[Trial, ...]:
    """Return the runs of estimators on a benchmark: one for each seed and minibatch that a score depends on.

    Parameters
    ----------
    estimators
        Estimators by title.
    setting
        The benchmark as they see it.
    """
    trials = []
    for title, estimator in estimators.items():
        seeds = setting.seeds if estimator.seeded else (None,)
        batch_seeds = setting.batch_seeds if estimator.batched else (None,)
        trials += [estimator.trial(title, setting, *pair) for pair in itertools.product(seeds, batch_seeds)]
    return tuple(trials)
