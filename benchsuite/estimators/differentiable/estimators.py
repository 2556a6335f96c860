"""Estimators that read a differentiable search: the probability of an architecture, or its inherited weights."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from benchsuite.estimators.differentiable.trainer import RELAXATION
from benchsuite.estimators.differentiable.training import DARTS, LAMBDA_DARTS, PC_DARTS, MixedTraining
from benchsuite.estimators.supernets.family import OneShotEstimator
from benchsuite.estimators.supernets.task import mean_state
from benchsuite.estimators.supernets.validation import ValidationEstimator

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.space import Space
    from benchsuite.core.supernet import MixedSupernet
    from benchsuite.core.types import Dataset
    from benchsuite.estimators.differentiable.relaxation import Relaxation
    from benchsuite.estimators.supernets.task import TrainingTask


@dataclass(frozen=True, slots=True)
class LogLikelihood:
    """Logarithm of the probability of an architecture's choices."""

    value: float
    cpu_seconds: float


class LikelihoodReader:
    """How likely architecture parameters make architectures of a supernet.

    Parameters
    ----------
    supernet
        Mixed supernet, whose table of choices is read.
    relaxation
        Architecture parameters.
    """

    def __init__(self, supernet: MixedSupernet, relaxation: Relaxation) -> None:
        self._supernet, self._relaxation = supernet, relaxation

    def readouts(self, architectures: Sequence[str]) -> list[LogLikelihood]:
        """Return the log-likelihood of each architecture; CPU seconds are the mean over them.

        Parameters
        ----------
        architectures
            Strings of the space.
        """
        start = time.process_time()
        found = [self._relaxation.log_likelihood(self._supernet.choices(name)) for name in architectures]
        seconds = (time.process_time() - start) / max(len(found), 1)
        return [LogLikelihood(value, seconds) for value in found]


@dataclass(frozen=True, slots=True)
class LikelihoodEstimator(OneShotEstimator):
    """An architecture's score is the logarithm of the probability that a differentiable search gives its choices.

    That is the sum of log softmax(alpha) over its edges, and with edge normalisation of log softmax(beta) over those
    that it keeps. No image is read. Strings of one class can differ: choose members = "all" for their mean.

    Attributes
    ----------
    training, epoch, averaged, supernets, members
        As of every one-shot estimator.
    """

    training: MixedTraining = DARTS

    @override
    def readout_key(self) -> Hashable:
        return "likelihood", self.members, self.epochs()

    @override
    def copy_of(self, space: Space, architecture: str) -> str:
        return RELAXATION

    @override
    def check_space(self, space: Space, dataset: Dataset, architecture: str) -> None:
        OneShotEstimator.check_space(self, space, dataset, architecture)
        self.training.supernet(space, dataset).choices(architecture)

    @override
    def readout_words(self, images: int) -> str:
        return "log-likelihood of the choices"

    @override
    def reader(self, source: TrainingTask, states: Sequence[Mapping[str, Tensor]], device: str) -> LikelihoodReader:
        supernet = self.training.supernet(source.space, source.dataset)
        relaxation = self.training.relaxation(supernet)
        if states:
            relaxation.load_state_dict(mean_state(states))
        return LikelihoodReader(supernet, relaxation.to(device))

    @override
    def score(self, readout: LogLikelihood) -> float:
        return readout.value


@dataclass(frozen=True, slots=True)
class DARTSLikelihood(LikelihoodEstimator):
    """Probability of an architecture's choices after a search by DARTS (Liu et al., ICLR 2019)."""

    name: ClassVar[str] = "darts_likelihood"


@dataclass(frozen=True, slots=True)
class PCDARTSLikelihood(LikelihoodEstimator):
    """Probability of an architecture's choices and edges after a search by PC-DARTS (Xu et al., ICLR 2020)."""

    name: ClassVar[str] = "pc_darts_likelihood"
    training: MixedTraining = PC_DARTS


@dataclass(frozen=True, slots=True)
class LambdaDARTSLikelihood(LikelihoodEstimator):
    """Probability of an architecture's choices after a search by Lambda-DARTS (Movahedi et al., ICLR 2023)."""

    name: ClassVar[str] = "lambda_darts_likelihood"
    training: MixedTraining = LAMBDA_DARTS


@dataclass(frozen=True, slots=True)
class DARTSWeights(ValidationEstimator):
    """Validation with the weights that DARTS trained while all operations were mixed (Liu et al., ICLR 2019).

    Each operation of the architecture counts fully, though it was trained with a share of its edge.
    """

    name: ClassVar[str] = "darts_weights"
    training: MixedTraining = DARTS


@dataclass(frozen=True, slots=True)
class PCDARTSWeights(ValidationEstimator):
    """Validation with the weights that PC-DARTS trained while all operations were mixed (Xu et al., ICLR 2020).

    Operations see the share of the channels with which they were trained. Edges count fully, those of "none" are
    dropped with the channels that pass by.
    """

    name: ClassVar[str] = "pc_darts_weights"
    training: MixedTraining = PC_DARTS


@dataclass(frozen=True, slots=True)
class LambdaDARTSWeights(ValidationEstimator):
    """Validation with the weights that Lambda-DARTS trained while all operations were mixed (Movahedi et al., 2023)."""

    name: ClassVar[str] = "lambda_darts_weights"
    training: MixedTraining = LAMBDA_DARTS
