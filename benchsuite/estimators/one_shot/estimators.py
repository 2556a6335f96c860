"""One-shot estimators: how their supernet is trained, and what is read of an architecture."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.base import Estimator
from benchsuite.estimators.one_shot.training import Training
from benchsuite.estimators.supernets.readouts import STATISTICS, Evaluation, Reading
from benchsuite.estimators.supernets.split import Split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.space import Space
    from benchsuite.core.types import Dataset
    from benchsuite.estimators.supernets.execute import TrainingTask
    from benchsuite.estimators.supernets.protocols import Reader, SupernetTraining

_READOUTS = ("accuracy", "loss")
_MEMBERS = ("representative", "all")
_PATHS = Training()
_CLASSES = Training(sampling="class")
_ROUNDS = Training(sampling="fair", accumulation="sum")
_STABILISED = Training(sampling="fair", accumulation="sum", stabiliser="skip")


@dataclass(frozen=True, slots=True)
class OneShotEstimator(Estimator):
    """An architecture's score is read off a supernet that was trained once for all of them.

    Trainings are shared: estimators that differ in what they read of one do not train it anew.

    Parameters
    ----------
    training
        How the supernet is trained.
    epoch
        Epoch whose checkpoint is read; 0 = the last. It must be one that the training keeps.
    averaged
        Number of kept checkpoints, up to that epoch, whose weights are averaged.
    supernets
        Number n of supernets over which scores are averaged: a trial of seed s reads the trainings of the seeds
        s n to s n + n - 1, so that trials share none, and the suite's first seeds are those of n = 1 too.
    members
        "representative", or "all": the score of a class is the mean over its strings (post-de-isomorphic averaging).
    """

    training: SupernetTraining = _PATHS
    epoch: int = 0
    averaged: int = 1
    supernets: int = 1
    members: str = "representative"
    family: ClassVar[str] = "one-shot"

    @property
    def validating(self) -> int:
        """Number of images on which an architecture is validated."""
        return 0

    def check(self) -> None:
        """Return nothing for hyperparameters that say what to read; the error says what is wrong with others."""
        self.training.check()
        self.check_reading()
        if self.members not in _MEMBERS:
            raise UnknownNameError("choice of members", self.members, _MEMBERS)
        if self.supernets < 1:
            raise SuiteError(f"{self.name}: supernets = {self.supernets}; choose a positive number")
        self.epochs()

    def check_reading(self) -> None:
        """Return nothing if the hyperparameters of a derived class say what to read."""

    def epochs(self) -> tuple[int, ...]:
        """Epochs whose checkpoints are read, their weights averaged if there are several.

        Raises
        ------
        SuiteError
            If the training does not keep them.
        """
        kept = self.training.kept_epochs()
        last = self.epoch or kept[-1]
        if last not in kept or not 1 <= self.averaged <= kept.index(last) + 1:
            raise SuiteError(
                f"{self.name}: epoch = {self.epoch}, averaged = {self.averaged}, but the training keeps the epochs "
                f"{', '.join(map(str, kept))}; choose of them, or more with training.kept"
            )
        return tuple(kept[: kept.index(last) + 1][-self.averaged :])

    @abstractmethod
    def protocol(self) -> tuple[object, ...]:
        """What decides the readings of a training: estimators that agree in it share them."""

    def seeds(self, seed: int) -> range:
        """Seeds of the trainings that a trial reads.

        Examples
        --------
        >>> list(Uniform(supernets=3).seeds(1))
        [3, 4, 5]
        """
        return range(seed * self.supernets, (seed + 1) * self.supernets)

    def strings(self, space: Space, architecture: str) -> Sequence[str]:
        """The strings whose scores are averaged for an architecture."""
        return space.members(architecture) if self.members == "all" else (architecture,)

    def copy_of(self, space: Space, architecture: str) -> str:
        """Name of the part of a checkpoint that is read for an architecture."""
        return self.training.copy_of(space, architecture)

    def check_space(self, space: Space, dataset: Dataset, architecture: str) -> None:
        """Return nothing for a space on which the estimator works, as far as one architecture can tell.

        Raises
        ------
        UnsupportedError
            If the space lacks what is needed.
        SuiteError
            If it has other positions or operations than the training names.
        """
        self.check()
        self.training.check_space(space, dataset)
        self.strings(space, architecture)

    def words(self, images: int) -> str:
        """What is read, for a report; `images` there are to validate with."""
        epochs = " and ".join(map(str, self.epochs()))
        return (
            f"{self.reading_words(images)}, weights of epoch {epochs}"
            + (f"; mean over {self.supernets} supernets" if self.supernets > 1 else "")
            + ("; mean over the strings of a class" if self.members == "all" else "")
        )

    @abstractmethod
    def reading_words(self, images: int) -> str:
        """What is read of one supernet, for a report; `images` there are to validate with."""

    @abstractmethod
    def reader(self, source: TrainingTask, states: Sequence[Mapping[str, Tensor]], device: str) -> Reader:
        """What reads the mean of some states of a training, or the untrained supernet if there is none."""

    @abstractmethod
    def score(self, reading: Any) -> float:
        """Score of an architecture from what the estimator's reader gave; NaN = undefined."""


@dataclass(frozen=True, slots=True)
class ValidationEstimator(OneShotEstimator):
    """An architecture's score is what validation images say of its sub-network, whose weights a supernet lends.

    Parameters
    ----------
    readout
        "accuracy" on the validation images (percent), or minus their mean "loss".
    images
        Validation images; 0 = all, a fifth of the image set's training split.
    batch
        Images in a batch of the validation.
    statistics
        What batch normalisation divides by: "batch", "running" or "recalibrated", see `Evaluation`.
    training, epoch, averaged, supernets, members
        As of every one-shot estimator.
    """

    readout: str = "accuracy"
    images: int = 1000
    batch: int = 100
    statistics: str = "batch"

    @property
    def validating(self) -> int:
        """Number of images on which an architecture is validated."""
        return self.images

    def check_reading(self) -> None:
        """Return nothing if the hyperparameters say how to validate; the error says what is wrong with others."""
        if self.readout not in _READOUTS:
            raise UnknownNameError("readout", self.readout, _READOUTS)
        if self.statistics not in STATISTICS:
            raise UnknownNameError("statistics", self.statistics, STATISTICS)
        if self.batch < 2 or self.images < 0:
            raise SuiteError(f"{self.name}: images = {self.images}, batch = {self.batch}; choose batches of at least 2")

    def protocol(self) -> tuple[object, ...]:
        """What decides the readings of a training: estimators that agree in it share them."""
        return "validation", self.images, self.batch, self.statistics, self.members, *self.epochs()

    def reading_words(self, images: int) -> str:
        """What is read of one supernet, for a report; `images` there are to validate with."""
        return (
            f"{self.readout} on {self.images or images:,} validation images in batches of {self.batch}, "
            f"{self.statistics} statistics"
        )

    def reader(self, source: TrainingTask, states: Sequence[Mapping[str, Tensor]], device: str) -> Evaluation:
        """What validates sub-networks of a training."""
        images, training = load_images(source.images), source.training
        return Evaluation(
            source.supernet(states, device),
            Split.validation(images, self.images, training.shrink, device),
            Split.training(images, training.images, training.shrink, device),
            batch=self.batch,
            statistics=self.statistics,
        )

    def score(self, reading: Reading) -> float:
        """Accuracy or minus the loss; NaN where the loss is not finite."""
        if self.readout == "accuracy":
            return reading.accuracy
        return -reading.loss if math.isfinite(reading.loss) else math.nan


@dataclass(frozen=True, slots=True)
class Uniform(ValidationEstimator):
    """Validation by a supernet trained on architecture strings, all alike in probability (SPOS, Guo et al., 2020)."""

    name: ClassVar[str] = "uniform"


@dataclass(frozen=True, slots=True)
class Deisomorphic(ValidationEstimator):
    """Validation by a supernet trained on classes of isomorphic architectures, all alike (Ning et al., 2021)."""

    name: ClassVar[str] = "deiso"
    training: Training = _CLASSES


@dataclass(frozen=True, slots=True)
class Fair(ValidationEstimator):
    """Validation by a supernet whose updates use every operation of every position once (FairNAS, Chu et al., 2021).

    An update costs as many passes as there are operations.
    """

    name: ClassVar[str] = "fair"
    training: Training = _ROUNDS


@dataclass(frozen=True, slots=True)
class Scarlet(ValidationEstimator):
    """Validation by a fairly trained supernet whose skips are linear stabilisers (SCARLET, Chu et al., 2019).

    Each skip is a learnable 1x1 convolution while the supernet is trained and read; networks built of an architecture
    have plain skips. On spaces whose skips lead into a ReLU, such as NAS-Bench-201's, the two are not equivalent, and
    the stabiliser is a heuristic.
    """

    name: ClassVar[str] = "scarlet"
    training: Training = _STABILISED
