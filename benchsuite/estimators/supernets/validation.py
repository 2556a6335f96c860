"""Estimators that validate sub-networks with the weights that a supernet lends."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal, Self

from annotated_types import Ge
from typing_extensions import override

from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.supernets.family import OneShotEstimator
from benchsuite.estimators.supernets.readouts import STATISTICS, Evaluation, ValidationReadout
from benchsuite.estimators.supernets.split import Split

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.estimators.supernets.task import TrainingTask

_READOUTS = ("accuracy", "loss")


@dataclass(frozen=True, slots=True)
class ValidationEstimator(OneShotEstimator):
    """An architecture's score is what validation images say of its sub-network, whose weights a supernet lends.

    Attributes
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

    readout: Literal["accuracy", "loss"] = "accuracy"
    images: Annotated[int, Ge(0)] = 1000
    batch: Annotated[int, Ge(2)] = 100
    statistics: Literal["batch", "running", "recalibrated"] = "batch"

    @property
    def validating(self) -> int:
        """Number of images on which an architecture is validated."""
        return self.images

    @override
    def check_readout(self) -> None:
        if self.readout not in _READOUTS:
            raise UnknownNameError("readout", self.readout, _READOUTS)
        if self.statistics not in STATISTICS:
            raise UnknownNameError("statistics", self.statistics, STATISTICS)
        if self.batch < 2 or self.images < 0:
            raise SuiteError(
                f"images = {self.images}, batch = {self.batch}; images must be at least 0 (all) and batch at least 2"
            )

    @override
    def cheapened(self) -> Self:
        return replace(OneShotEstimator.cheapened(self), images=40, batch=20)

    @override
    def readout_key(self) -> Hashable:
        return "validation", self.images, self.batch, self.statistics, self.members, self.epochs()

    @override
    def readout_words(self, images: int) -> str:
        return (
            f"{self.readout} on {self.images or images:,} validation images in batches of {self.batch}, "
            f"{self.statistics} statistics"
        )

    @override
    def reader(self, source: TrainingTask, states: Sequence[Mapping[str, Tensor]], device: str) -> Evaluation:
        images, training = load_images(source.images), source.training
        return Evaluation(
            source.supernet(states, device),
            Split.validation(images, self.images, training.shrink, device),
            Split.training(images, training.images, training.shrink, device),
            batch=self.batch,
            statistics=self.statistics,
        )

    @override
    def score(self, readout: ValidationReadout) -> float:
        if self.readout == "accuracy":
            return readout.accuracy
        return -readout.loss if math.isfinite(readout.loss) else math.nan
