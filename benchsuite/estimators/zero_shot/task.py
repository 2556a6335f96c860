"""What a worker runs for zero-shot estimators: one network for each architecture, probed by all of them together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import torch
from typing_extensions import override

from benchsuite.core.errors import SuiteError
from benchsuite.core.identity import seed_of
from benchsuite.estimators.outcomes import Outcome, free_memory
from benchsuite.estimators.task import Task
from benchsuite.estimators.torchtools.devices import one_thread
from benchsuite.estimators.torchtools.initialisation import with_common_weights
from benchsuite.estimators.torchtools.layout import lay_channels_last
from benchsuite.estimators.torchtools.preserve import seeded
from benchsuite.estimators.zero_shot.scoring import probe_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from benchsuite.core.space import Space
    from benchsuite.core.types import Dataset, Score
    from benchsuite.estimators.setting import Minibatch
    from benchsuite.estimators.zero_shot.scoring import ProbeReader


@dataclass(frozen=True, slots=True)
class ProbeTask(Task):
    """Scores of architectures by estimators that share networks and minibatches.

    Attributes
    ----------
    space
        Search space.
    dataset
        Classes and image shape for which networks are built.
    estimators
        Those that score.
    seed
        Seed of the initialisation.
    minibatches
        Inputs (n, channels, height, width) and classes (n,), over which scores are averaged.
    dtype, device
        In which, and where, networks are scored.
    fast
        Whether networks and minibatches lie in memory channels last: faster, and rounded otherwise.
    initialisation
        "independent", or "common": weights and the probe's seed do not depend on the architecture.
    """

    chunk: ClassVar[int] = 4  # architectures a job: a kill loses little, and the processes end together
    space: Space
    dataset: Dataset
    estimators: tuple[ProbeReader, ...]
    seed: int = 0
    minibatches: tuple[Minibatch, ...] = field(default=(), compare=False, repr=False)
    dtype: str = "float32"
    device: str = "cpu"
    fast: bool = False
    initialisation: str = "independent"

    @property
    def kind(self) -> str:
        """What tasks have in common that take about the same time for an architecture."""
        return repr((self.space, self.dataset, self.estimators))

    @override
    def work(self, architectures: Sequence[str]) -> float:
        macs = sum(self.space.complexity(name, self.dataset).live_macs for name in architectures)
        return 1.0 + macs * sum(len(targets) for _, targets in self.minibatches)

    @override
    def scores(self, architectures: Sequence[str]) -> list[tuple[int, Score]]:
        if not self.minibatches:
            raise SuiteError("zero-shot estimators need a minibatch; give the task one")
        batches = self._tensors()
        with one_thread():
            return [
                (index, outcome.score_of(architecture))
                for architecture in architectures
                for index, outcome in enumerate(self._outcomes(architecture, batches))
            ]

    def _tensors(self) -> list[tuple[Tensor, Tensor]]:
        dtype = getattr(torch, self.dtype, None)
        if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
            raise SuiteError(f"dtype = {self.dtype!r} is not a floating-point type; choose float32 or float64")
        layout = torch.channels_last if self.fast else torch.contiguous_format
        return [
            (
                torch.tensor(inputs, dtype=dtype, device=self.device).contiguous(memory_format=layout),
                torch.tensor(targets, device=self.device),
            )
            for inputs, targets in self.minibatches
        ]

    def _outcomes(self, architecture: str, batches: Sequence[tuple[Tensor, Tensor]]) -> list[Outcome]:
        """Return what each estimator gives for one architecture: the mean over minibatches.

        An estimator whose score depends on no minibatch has its shape from the first and is not averaged.
        """
        drawn = [architecture] if self.initialisation == "independent" else []
        gathered: list[list[Outcome]] = [[] for _ in self.estimators]
        try:
            network = self._build(architecture)
            for number, (inputs, targets) in enumerate(batches):
                chosen = [each for each, estimator in enumerate(self.estimators) if estimator.batched or number == 0]
                estimators = [self.estimators[each] for each in chosen]
                seed = seed_of("probe", self.seed, *drawn, number)
                outcomes = probe_network(network, inputs, targets, estimators, seed=seed)
                for each, outcome in zip(chosen, outcomes, strict=True):
                    gathered[each].append(outcome)
        except Exception as error:  # a space can be a user's code and raise anything; memory can end anywhere
            free_memory(error)
            return [Outcome(math.nan, 0.0, error) for _ in self.estimators]
        return [_mean(outcomes) for outcomes in gathered]

    def _build(self, architecture: str) -> nn.Module:
        """Return the network, whose weights depend on the seed and the architecture, or on the seed alone."""

        def build() -> nn.Module:
            with seeded(seed_of(self.seed, architecture), torch.device("cpu")):
                return self.space.build(architecture, self.dataset)

        network = build() if self.initialisation == "independent" else with_common_weights(build, self.seed)
        network = network.to(self.device, getattr(torch, self.dtype))
        if self.fast:
            lay_channels_last(network)
        return network


def _mean(outcomes: Sequence[Outcome]) -> Outcome:
    values, seconds, error = [], 0.0, None
    for outcome in outcomes:
        values.append(outcome.value)
        seconds += outcome.cpu_seconds
        error = error or outcome.error
    return Outcome(math.fsum(values) / len(values), seconds, error)
