"""What a worker process runs: it builds networks and scores them, one thread, seeded by seed and architecture alone."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchsuite.core import registry
from benchsuite.core.arrays import Integers, Singles
from benchsuite.core.errors import SuiteError, UnsupportedError
from benchsuite.core.identity import seed_of
from benchsuite.core.types import Dataset, Score, Status
from benchsuite.estimators.base import ArchitectureEstimator, CurveEstimator, Estimator, ZeroShotEstimator
from benchsuite.estimators.torchtools.initialisation import with_common_weights
from benchsuite.estimators.torchtools.layout import lay_channels_last
from benchsuite.estimators.torchtools.preserve import seeded
from benchsuite.estimators.zero_shot.scoring import Outcome, attempt, free_memory, probe_network

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd
    from torch import Tensor, nn

    from benchsuite.core.space import Space

Minibatch = tuple[Singles, Integers]  # inputs (n, channels, height, width), classes (n,)


@dataclass(frozen=True, slots=True)
class Task:
    """What a chunk of architectures shares: all that a worker must know.

    Attributes
    ----------
    space, sizes
        Registered name of the search space and the sizes of its networks.
    dataset
        Shape and classes for which networks are built.
    estimators
        Name and hyperparameters of each.
    seed
        Seed of the initialisation.
    minibatches
        Over which scores are averaged; none where no estimator reads one.
    dtype, device
        In which, and where, networks are scored.
    fast
        Whether networks and minibatches lie in memory channels last: faster, and rounded otherwise.
    initialisation
        "independent", or "common": weights and the probe's seed do not depend on the architecture.
    plugins
        Plug-in files to load first.
    curves
        Learning curve of each architecture, where an estimator reads it.
    """

    space: str
    sizes: Mapping[str, int]
    dataset: Dataset
    estimators: tuple[tuple[str, Mapping[str, Any]], ...]
    seed: int = 0
    minibatches: tuple[Minibatch, ...] = field(default=(), compare=False, repr=False)
    dtype: str = "float32"
    device: str = "cpu"
    fast: bool = False
    initialisation: str = "independent"
    plugins: tuple[str, ...] = ()
    curves: Mapping[str, pd.DataFrame] | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        """What tasks have in common that take about the same time for an architecture."""
        return repr((self.space, self.sizes, self.dataset, self.estimators))

    def scores(self, architectures: Sequence[str]) -> list[tuple[int, Score]]:
        """Scores with the positions of their estimators, see `score_architectures`."""
        return score_architectures(self, architectures)

    def for_one(self, architecture: str) -> Task:
        """The task without what other architectures need and takes time to send."""
        return replace(self, curves=self.curves and {architecture: self.curves[architecture]})


def score_architectures(task: Task, architectures: Iterable[str]) -> list[tuple[int, Score]]:
    """Scores with the positions of their estimators in `task.estimators`.

    An exception in an estimator or in the building of a network becomes a failed score with its reason. A score
    depends on its estimator, its architecture and the task's seeds, not on other estimators or architectures.

    Raises
    ------
    BenchsuiteError
        If no architecture can be scored: a plug-in, estimator, space or image set is missing or broken.
    """
    for plugin in task.plugins:
        registry.load_plugin(plugin)
    space = registry.make_space(task.space, task.sizes)
    estimators = [registry.make_estimator(name, parameters) for name, parameters in task.estimators]
    if not task.minibatches and any(isinstance(estimator, ZeroShotEstimator) for estimator in estimators):
        raise SuiteError("zero-shot estimators need a minibatch; give the task one")
    batches = _minibatches(task)
    with one_thread():
        return [
            (index, score_of(architecture, outcome))
            for architecture in architectures
            for index, outcome in enumerate(_outcomes(task, space, estimators, batches, architecture))
        ]


def check_device(name: str) -> None:
    """Return nothing for a device on which networks can run; SuiteError says what is wrong with another."""
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise SuiteError(
            f"device {name!r} cannot be used here: {reason}; choose cpu, or cuda with a CUDA build"
        ) from error


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _minibatches(task: Task) -> list[tuple[Tensor, Tensor]]:
    dtype = getattr(torch, task.dtype, None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise SuiteError(f"dtype = {task.dtype!r} is no floating-point type of torch; choose float32 or float64")
    layout = torch.channels_last if task.fast else torch.contiguous_format
    return [
        (
            torch.tensor(inputs, dtype=dtype, device=task.device).contiguous(memory_format=layout),
            torch.tensor(targets, device=task.device),
        )
        for inputs, targets in task.minibatches
    ]


def _outcomes(
    task: Task,
    space: Space,
    estimators: Sequence[Estimator],
    batches: Sequence[tuple[Tensor, Tensor]],
    architecture: str,
) -> list[Outcome]:
    """What each estimator gives for one architecture."""
    probed = [estimator for estimator in estimators if isinstance(estimator, ZeroShotEstimator)]
    try:
        shared = iter(_probed(task, space, probed, batches, architecture) if probed else [])
    except Exception as error:  # a space can be a user's code and raise anything; memory can end anywhere
        free_memory(error)
        shared = iter([Outcome(math.nan, 0.0, error) for _ in probed])
    return [
        next(shared)
        if isinstance(estimator, ZeroShotEstimator)
        else attempt(partial(_baseline, task, space, estimator, architecture))
        for estimator in estimators
    ]


def _baseline(task: Task, space: Space, estimator: Estimator, architecture: str) -> float:
    if isinstance(estimator, ArchitectureEstimator):
        rng = np.random.default_rng(seed_of(task.seed, architecture))
        return estimator.score(space, architecture, task.dataset, rng)
    if not isinstance(estimator, CurveEstimator):
        raise UnsupportedError(f"{estimator.name} ({estimator.family}) cannot be scored from an architecture alone")
    curve = (task.curves or {}).get(architecture)
    if curve is None:
        raise UnsupportedError(f"{estimator.name}: the ground truth has no learning curve of {architecture}")
    return estimator.score(curve)


def _probed(
    task: Task,
    space: Space,
    estimators: Sequence[ZeroShotEstimator],
    batches: Sequence[tuple[Tensor, Tensor]],
    architecture: str,
) -> list[Outcome]:
    """What zero-shot estimators give: one network, one probe for each minibatch, the mean over them.

    One whose score depends on no minibatch has its shape from the first and is not averaged.
    """
    network = _build(task, space, architecture)
    drawn = [architecture] if task.initialisation == "independent" else []
    gathered: list[list[Outcome]] = [[] for _ in estimators]
    for number, (inputs, targets) in enumerate(batches):
        chosen = [index for index, estimator in enumerate(estimators) if estimator.batched or number == 0]
        seed = seed_of("probe", task.seed, *drawn, number)
        outcomes = probe_network(network, inputs, targets, [estimators[index] for index in chosen], seed=seed)
        for index, outcome in zip(chosen, outcomes, strict=True):
            gathered[index].append(outcome)
    return [_mean(outcomes) for outcomes in gathered]


def _build(task: Task, space: Space, architecture: str) -> nn.Module:
    """The network, whose weights depend on the seed and the architecture, or common ones on the seed alone."""

    def build() -> nn.Module:
        with seeded(seed_of(task.seed, architecture), torch.device("cpu")):
            return space.build(architecture, task.dataset)

    network = build() if task.initialisation == "independent" else with_common_weights(build, task.seed)
    network = network.to(task.device, getattr(torch, task.dtype))
    if task.fast:
        lay_channels_last(network)
    return network


def _mean(outcomes: Sequence[Outcome]) -> Outcome:
    error = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
    value = math.fsum(outcome.value for outcome in outcomes) / len(outcomes)
    return Outcome(value, sum(outcome.cpu_seconds for outcome in outcomes), error)


def score_of(architecture: str, outcome: Outcome) -> Score:
    """The score that an outcome makes: ok, undefined, or failed with the reason."""
    if outcome.error is not None:
        reason = f"{type(outcome.error).__name__}: {outcome.error}".splitlines()[0].removesuffix(": ")
        return Score(architecture, math.nan, "failed", reason, outcome.cpu_seconds)
    status: Status = "undefined" if math.isnan(outcome.value) else "ok"
    return Score(architecture, outcome.value, status, cpu_seconds=outcome.cpu_seconds)
