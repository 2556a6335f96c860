"""A search made concrete: the networks, the estimator's recipe, the algorithm, and the truth where it is known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from benchsuite.benchmark import Benchmark, load_benchmark
from benchsuite.core import registry
from benchsuite.core.errors import DataMissingError, SuiteError, UnknownNameError, UnsupportedError
from benchsuite.estimators.torchtools.devices import check_device
from benchsuite.search.algorithms import RandomSearch, RegularisedEvolution
from benchsuite.search.evaluated import Sizes
from benchsuite.search.nsga2 import NSGA2
from benchsuite.search.objectives import parse_objectives
from benchsuite.spaces.isomorphism import isomorphism_classes
from benchsuite.suites.plan import BenchmarkPlan, Plan, setting_of, trials_of, unsupported
from benchsuite.suites.schema import BatchChoice, BenchmarkChoice, EstimatorChoice, SampleChoice, Suite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchsuite.estimators.base import Estimator, Trial
    from benchsuite.estimators.setting import Setting
    from benchsuite.search.algorithms import Algorithm
    from benchsuite.search.objectives import Objective

OWN = "own"
ALGORITHMS = ("random", "evolution", "nsga2", OWN)
_LIKELIHOOD = "_likelihood"  # ending of the names of estimators that read a method's architecture parameters
NO_TRUTH = "no ground truth"


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched, by which algorithm, and by whose scores.

    Attributes
    ----------
    space
        Name of the search space.
    dataset
        Data set of a benchmark, or the name of an image set.
    estimator
        Name of the estimator, or of a method with a rule of its own.
    parameters
        Hyperparameters of the estimator.
    algorithm
        One of `ALGORITHMS`.
    objectives
        See `parse_objectives`.
    sizes
        Sizes of the networks that differ from the benchmark's, or from the space's own.
    images
        Image set of minibatches and supernets, if it is not the data set's own.
    budget
        Number of architectures to evaluate.
    population
        Population of evolution and NSGA-II.
    seed
        Seed of algorithm, initialisation and supernet.
    """

    space: str
    dataset: str
    estimator: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    algorithm: str = "nsga2"
    objectives: str = "score,-macs,params"
    sizes: Mapping[str, int] = field(default_factory=dict)
    images: str | None = None
    budget: int = 200
    population: int = 20
    seed: int = 0

    @property
    def name(self) -> str:
        """Name of the report's folder."""
        return f"search-{self.space}-{self.estimator}-{self.algorithm}"

    def goals(self) -> tuple[Objective, ...]:
        """Return the objectives; SuiteError says what is wrong with them."""
        return parse_objectives(self.objectives)

    def check(self) -> None:
        """Check that the search can begin; the error says what is wrong."""
        if self.algorithm not in ALGORITHMS:
            raise UnknownNameError("algorithm", self.algorithm, ALGORITHMS)
        if self.algorithm == OWN:
            return  # it has neither a budget nor objectives
        if self.population < 2 or self.budget < self.population:
            raise SuiteError(
                f"budget = {self.budget}, population = {self.population}; "
                "the population must be at least 2, and the budget at least the population"
            )
        self.goals()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A search with all that it needs.

    Attributes
    ----------
    search
        What is searched, and how.
    plan
        A plan of one benchmark and one trial, whose architectures are still to be chosen.
    truth
        Accuracy in percent by architecture; None if it is unknown, for the reason in `lacking`.
    lacking
        Why the ground truth is unknown; empty if it is known.
    rule
        How the method chooses an architecture by itself; empty if scores decide.
    """

    search: Search
    plan: Plan
    truth: pd.Series | None
    lacking: str
    rule: str = ""

    @property
    def part(self) -> BenchmarkPlan:
        """The plan's benchmark."""
        return self.plan.benchmarks[0]

    @property
    def trial(self) -> Trial:
        """The plan's trial."""
        return self.part.trials[0]

    @property
    def sizes(self) -> Sizes:
        """Size measures of architectures."""
        return Sizes(self.part.setting.space, self.part.setting.dataset)

    def algorithm(self) -> Algorithm:
        """Return what chooses the architectures."""
        population = self.search.population
        if self.search.algorithm == "random":
            return RandomSearch(population)
        if self.search.algorithm == "evolution":
            return RegularisedEvolution(population)
        return NSGA2(population, self.search.goals(), self.sizes.table)


def prepare(search: Search, *, plugins: Sequence[str] = (), device: str = "cpu") -> Prepared:
    """Check a search and make it concrete; nothing is trained or scored.

    Parameters
    ----------
    search
        What is searched, and how.
    plugins
        Plug-in files that define further estimators or spaces.
    device
        Where networks run.

    Raises
    ------
    BenchsuiteError
        If a name is unknown, a value is not allowed, images are missing, or the estimator does not support the space.
    """
    search.check()
    check_device(device)
    for plugin in plugins:
        registry.load_plugin(plugin)
    benchmark, truth, lacking = _grounds(search)
    estimator = registry.make_estimator(_estimator(search), search.parameters)
    if estimator.reads_truth:
        raise UnsupportedError(f"{estimator.name} reads the ground truth of trained architectures; choose another")
    batch, pool = BatchChoice(images=search.images), _pool(search)
    choice = BenchmarkChoice(
        search.space, search.dataset, (search.seed,), architectures=SampleChoice(pool=pool), batch=batch
    )
    setting = setting_of(choice, benchmark, device)
    rule = _rule(search, estimator, setting) if search.algorithm == OWN else ""
    estimator.check()
    if not rule:
        _check_scores(estimator, setting)
    part = BenchmarkPlan(choice, benchmark, setting, (), "", trials_of({estimator.label(): estimator}, setting))
    suite = Suite(search.name, "", (choice,), (EstimatorChoice(estimator.name, search.parameters),))
    files = tuple(str(Path(path).resolve()) for path in plugins)  # workers may run in another folder
    return Prepared(search, Plan(suite, (part,), files, device), truth, lacking, rule)


def _grounds(search: Search) -> tuple[Benchmark, pd.Series | None, str]:
    """Return the benchmark with the wanted sizes, its ground truth, and why that is missing."""
    registry.load("space", search.space)  # a wrong space is named before a wrong benchmark
    try:
        benchmark = load_benchmark(search.space, search.dataset)
    except (DataMissingError, UnknownNameError) as error:
        space = registry.make_space(search.space, search.sizes)
        classes = isomorphism_classes(space, pd.Index([], dtype="str"), NO_TRUTH)
        images = search.dataset
        return Benchmark(space, search.dataset, images, pd.DataFrame(), NO_TRUTH, {}, Path(), classes), None, str(error)
    sizes = {**benchmark.space.sizes, **search.sizes}
    known = benchmark.truth(pool=_pool(search))
    return replace(benchmark, space=registry.make_space(search.space, sizes)), known, ""


def _pool(search: Search) -> Literal["class", "none"]:
    """Return whether accuracies are class means; what a method itself chooses is a string with its own accuracy."""
    return "none" if search.algorithm == OWN else "class"


def _estimator(search: Search) -> str:
    """Return the name of the estimator; with its own rule, a method can be named, such as pc_darts."""
    likelihood = f"{search.estimator}{_LIKELIHOOD}"
    by_method = search.algorithm == OWN and likelihood in registry.names("estimator")
    return likelihood if by_method else search.estimator


def _check_scores(estimator: Estimator, setting: Setting) -> None:
    """Check that an estimator scores architectures of the space; the error says what is missing."""
    example = setting.space.sample(1, np.random.default_rng(0))[0]
    reasons = unsupported({estimator.name: estimator}, setting, example)
    if reasons:
        raise UnsupportedError("; ".join(reasons.values()))


def _rule(search: Search, estimator: Estimator, setting: Setting) -> str:
    """Return how a method chooses by itself.

    It need not be able to score architectures: a reduced set of operations has but few of the space.
    """
    rule = estimator.own_rule(setting)
    ignored = sorted(set(search.parameters) - {"training"})
    if ignored:
        raise SuiteError(f"with algorithm 'own' only training may be set; remove: {', '.join(ignored)}")
    return rule
