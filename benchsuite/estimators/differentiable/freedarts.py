"""FreeDARTS: scores of architectures from saliencies of operations in a mixed supernet before any training."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from typing_extensions import override

from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.estimators.differentiable.saliency_training import SALIENCY, SaliencyTraining
from benchsuite.estimators.supernets.family import OneShotEstimator
from benchsuite.estimators.supernets.task import mean_state

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.space import Space
    from benchsuite.core.supernet import MixedSupernet
    from benchsuite.core.types import Dataset
    from benchsuite.estimators.supernets.task import TrainingTask

_NORMALISATIONS = ("none", "edge")
_SNIP = SaliencyTraining()
_GRASP = SaliencyTraining(saliency="grasp")
_SYNFLOW = SaliencyTraining(saliency="synflow")


@dataclass(frozen=True, slots=True)
class SaliencySum:
    """Sum of the saliencies of an architecture's operations."""

    value: float
    cpu_seconds: float


class SaliencyReader:
    """Adds up the saliencies of architectures of a supernet.

    Parameters
    ----------
    supernet
        Mixed supernet, whose table of choices is read.
    saliencies
        Saliencies by table, shape (edges, operations).
    """

    def __init__(self, supernet: MixedSupernet, saliencies: Mapping[str, Tensor]) -> None:
        self._supernet = supernet
        self._saliencies = {name: values.tolist() for name, values in saliencies.items()}

    def readouts(self, architectures: Sequence[str]) -> list[SaliencySum]:
        """Return the sum for each architecture; CPU seconds are the mean over them.

        Parameters
        ----------
        architectures
            Strings of the space.
        """
        start = time.process_time()
        found = [self._sum(architecture) for architecture in architectures]
        seconds = (time.process_time() - start) / max(len(found), 1)
        return [SaliencySum(value, seconds) for value in found]

    def _sum(self, architecture: str) -> float:
        chosen = self._supernet.choices(architecture)
        return math.fsum(
            self._saliencies[name][edge][place] for name, places in chosen.items() for edge, place in places
        )


def edge_shares(values: Tensor) -> Tensor:
    """Return saliencies over the sum of their absolute values on each edge; zeros where all are zero.

    Parameters
    ----------
    values
        Saliencies, shape (edges, operations).

    Examples
    --------
    >>> edge_shares(torch.tensor([[0.0, 3.0, -1.0], [0.0, 0.0, 0.0]])).tolist()
    [[0.0, 0.75, -0.25], [0.0, 0.0, 0.0]]
    """
    totals = values.abs().sum(1, keepdim=True)
    return torch.where(totals > 0, values / totals, torch.zeros_like(values))


@dataclass(frozen=True, slots=True)
class FreeDARTS(OneShotEstimator):
    """An architecture's score is the sum of the saliencies of its operations in an untrained mixed supernet.

    FreeDARTS (Zhang et al., 2021) chooses an architecture by them; scores of all others are our extension. Operations
    that no path joins to the output count too, as strings have them: choose members = "all" for the mean over a class.

    Attributes
    ----------
    normalisation
        "none", or "edge": saliencies are divided by their edge's sum of absolute values, as sums of edges differ by
        orders of magnitude.
    training, epoch, averaged, supernets, members
        As of every one-shot estimator; there is one epoch, in which nothing is trained.
    """

    training: SaliencyTraining = _SNIP
    normalisation: Literal["none", "edge"] = "none"
    saliency: ClassVar[str]

    @override
    def check_readout(self) -> None:
        if self.normalisation not in _NORMALISATIONS:
            raise UnknownNameError("normalisation", self.normalisation, _NORMALISATIONS)
        if self.training.saliency != self.saliency:
            raise SuiteError(
                f"training.saliency = {self.training.saliency!r}; choose {self.saliency!r}, or another estimator"
            )

    @override
    def readout_key(self) -> Hashable:
        return SALIENCY, self.normalisation, self.members

    @override
    def check_space(self, space: Space, dataset: Dataset, architecture: str) -> None:
        OneShotEstimator.check_space(self, space, dataset, architecture)
        self.training.supernet(space, dataset).choices(architecture)

    @override
    def readout_words(self, images: int) -> str:
        shares = ", as shares of their edges" if self.normalisation == "edge" else ""
        return f"sum of the operations' saliencies{shares}"

    @override
    def reader(self, source: TrainingTask, states: Sequence[Mapping[str, Tensor]], device: str) -> SaliencyReader:
        supernet = self.training.supernet(source.space, source.dataset)
        zeros = {name: torch.zeros(len(edges), len(edges[0].operations)) for name, edges in supernet.tables.items()}
        values = mean_state(states) if states else zeros
        shares = {name: edge_shares(table) for name, table in values.items()}
        return SaliencyReader(supernet, shares if self.normalisation == "edge" else values)

    @override
    def score(self, readout: SaliencySum) -> float:
        return readout.value


@dataclass(frozen=True, slots=True)
class FreeDARTSSnip(FreeDARTS):
    """Sum of abs(alpha dL/dalpha) of an architecture's operations before any training (FreeDARTS with SNIP)."""

    name: ClassVar[str] = "freedarts_snip"
    saliency: ClassVar[str] = "snip"


@dataclass(frozen=True, slots=True)
class FreeDARTSGrasp(FreeDARTS):
    """Sum of -alpha (H g) of an architecture's operations before any training (FreeDARTS with GraSP)."""

    name: ClassVar[str] = "freedarts_grasp"
    training: SaliencyTraining = _GRASP
    saliency: ClassVar[str] = "grasp"


@dataclass(frozen=True, slots=True)
class FreeDARTSSynFlow(FreeDARTS):
    """Sum of abs(alpha dR/dalpha), R the linearised supernet's sum of logits (FreeDARTS with SynFlow): no data."""

    name: ClassVar[str] = "freedarts_synflow"
    training: SaliencyTraining = _SYNFLOW
    saliency: ClassVar[str] = "synflow"
