"""Readouts of a trained supernet: validation accuracy and loss of many sub-networks with inherited weights."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.nn import functional

from benchsuite.core.errors import UnknownNameError
from benchsuite.estimators.torchtools.instruments import batch_norms

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from torch import Tensor

    from benchsuite.core.supernet import Step, Supernet
    from benchsuite.estimators.supernets.split import Split

STATISTICS = ("batch", "running", "recalibrated")
_RECALIBRATING = 4  # batches of training images from which statistics are taken anew


class Measured(NamedTuple):
    """What a sub-network does on one batch.

    Attributes
    ----------
    images
        Number of images.
    right
        Number of them that it classifies correctly.
    loss
        Mean loss.
    """

    images: int
    right: int
    loss: float


@dataclass(frozen=True, slots=True)
class ValidationReadout:
    """How one sub-network performs on validation images.

    Attributes
    ----------
    batches
        What it does on each batch.
    cpu_seconds
        CPU time of the validation.
    """

    batches: tuple[Measured, ...]
    cpu_seconds: float

    @property
    def accuracy(self) -> float:
        """Percent of all images that the sub-network classifies correctly."""
        return 100 * sum(batch.right for batch in self.batches) / sum(batch.images for batch in self.batches)

    @property
    def loss(self) -> float:
        """Mean loss of all images."""
        total = math.fsum(batch.loss * batch.images for batch in self.batches)
        return total / sum(batch.images for batch in self.batches)


class Evaluation:
    """Validation of sub-networks of one trained supernet.

    Parameters
    ----------
    supernet
        With its trained weights, which stay as they are.
    validation
        Images on which accuracy and loss are measured.
    training
        Images from which "recalibrated" statistics are taken.
    batch
        Images in a batch. With batch statistics the logits of an image depend on the others in its batch.
    statistics
        Which statistics batch normalisation uses: "batch", those of the batch; "running", averages over the training,
        in which all architectures are mixed; "recalibrated", averages over some training batches of each architecture.

    Raises
    ------
    UnknownNameError
        If `statistics` is another word.
    """

    def __init__(
        self, supernet: Supernet, validation: Split, training: Split, *, batch: int, statistics: str = "batch"
    ) -> None:
        if statistics not in STATISTICS:
            raise UnknownNameError("statistics", statistics, STATISTICS)
        self._supernet = supernet
        self._batches = list(validation.in_order(batch))
        self._recalibrating = [inputs for inputs, _ in training.head(_RECALIBRATING * batch).in_order(batch)]
        self._statistics = statistics

    @torch.no_grad()
    def readouts(self, architectures: Sequence[str]) -> list[ValidationReadout]:
        """Validate architectures; those that agree in their first steps share the values of these.

        Parameters
        ----------
        architectures
            Strings of the space.

        Returns
        -------
        list
            In the order of the architectures; CPU seconds are the mean over them.
        """
        start = time.process_time()
        measure = self._recalibrated if self._statistics == "recalibrated" else self._shared
        measured = measure(architectures)
        seconds = (time.process_time() - start) / max(len(architectures), 1)
        return [ValidationReadout(tuple(measured[architecture]), seconds) for architecture in architectures]

    def _shared(self, architectures: Sequence[str]) -> dict[str, list[Measured]]:
        """Return what each architecture does; batches come one by one, so that few values are held at a time."""
        self._supernet.train(self._statistics == "batch")
        for layer in batch_norms(self._supernet):
            layer.momentum = 0.0  # running statistics stay those of the training
        ordered = sorted(set(architectures), key=self._keys)
        found: dict[str, list[Measured]] = {architecture: [] for architecture in ordered}
        for inputs, targets in self._batches:
            held = _Held(inputs)
            for architecture in ordered:
                self._supernet.activate(architecture)
                found[architecture].append(_measured(held.through(self._supernet.steps()), targets))
        return found

    def _keys(self, architecture: str) -> tuple[str, ...]:
        self._supernet.activate(architecture)
        return tuple(str(step.key) for step in self._supernet.steps())

    def _recalibrated(self, architectures: Sequence[str]) -> dict[str, list[Measured]]:
        """Return what each architecture does with statistics of its own."""
        layers = batch_norms(self._supernet)
        found = {}
        for architecture in set(architectures):
            self._supernet.activate(architecture)
            self._supernet.train()
            for layer in layers:
                layer.reset_running_stats()
                layer.momentum = None  # the plain mean over the batches
            for inputs in self._recalibrating:
                self._supernet(inputs)
            self._supernet.eval()
            found[architecture] = [_measured(self._supernet(inputs), targets) for inputs, targets in self._batches]
        return found


class _Held:
    """The values of the steps of the last architecture, for one batch."""

    def __init__(self, inputs: Tensor) -> None:
        self._inputs = inputs
        self._values: list[tuple[Hashable, Any]] = []

    def through(self, steps: Sequence[Step]) -> Tensor:
        """Return the result of the last step; first steps that the previous architecture had too are not repeated."""
        same = 0
        for (key, _), step in zip(self._values, steps, strict=False):
            if key != step.key:
                break
            same += 1
        del self._values[same:]
        for step in steps[same:]:
            before = self._values[-1][1] if self._values else self._inputs
            self._values.append((step.key, step.run(before)))
        logits: Tensor = self._values[-1][1]
        return logits


def _measured(logits: Tensor, targets: Tensor) -> Measured:
    right = int((logits.argmax(1) == targets).sum())
    return Measured(len(targets), right, float(functional.cross_entropy(logits, targets)))
