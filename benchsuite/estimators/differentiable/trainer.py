"""The training of a supernet of mixed operations: weights on one half of the images, alpha on the other."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch

from benchsuite.core.errors import SuiteError
from benchsuite.core.identity import seed_of
from benchsuite.estimators.differentiable.updates import Updates
from benchsuite.estimators.supernets.building import build_seeded
from benchsuite.estimators.supernets.epoch import Epoch
from benchsuite.estimators.supernets.protocols import SHARED
from benchsuite.estimators.supernets.split import Split, augmented
from benchsuite.estimators.torchtools.memory import forget_peak, peak_memory
from benchsuite.estimators.torchtools.preserve import seeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from benchsuite.core.space import Space
    from benchsuite.core.supernet import EdgeChoices, MixedSupernet
    from benchsuite.data.images.minibatches import Images
    from benchsuite.estimators.differentiable.settings import MixedSettings
    from benchsuite.estimators.differentiable.updates import Batch, Seen

RELAXATION = "relaxation"  # name of the architecture parameters in a checkpoint; the weights are under SHARED
_TIMED = 2  # updates from which the time of an epoch is estimated


@dataclass(frozen=True, slots=True)
class Derived:
    """What the architecture parameters prefer after an epoch.

    Attributes
    ----------
    epoch
        Number of the epoch, counted from 1.
    architecture
        The one that the method would choose.
    skips
        Number of its skip connections.
    alignment
        Mean layer alignment ("corr") over the epoch's updates, of the supernet's aligned cells; NaN if there is one.
    strength
        Factor lambda of the alignment in the weights' loss.
    """

    epoch: int
    architecture: str
    skips: int
    alignment: float
    strength: float


def count_skips(space: Space, supernet: MixedSupernet, architecture: str) -> int:
    """Return the number of an architecture's skip connections.

    Parameters
    ----------
    space
        Search space.
    supernet
        The supernet that derived the architecture.
    architecture
        A string; it may have operations that only the supernet's operation set has.

    Returns
    -------
    int
        Operations that are the identity wherever the shape is kept.
    """
    return sum(name in space.skips for name in supernet.operations(architecture))


class MixedTrainer:
    """A supernet of mixed operations in training: an epoch at a time, its whole state between two in `state_dict`.

    All that is random in an epoch depends on the seed and the epoch's number, so that a training that goes on from
    its state gives the weights and the architecture parameters of one that was never stopped, bit for bit.

    Parameters
    ----------
    space
        Search space.
    images
        Training images.
    training
        Hyperparameters.
    seed
        Seed of the training.
    device
        Where the supernet is trained.

    Raises
    ------
    SuiteError
        If there are too few images for a batch, or hyperparameters do not make a training.
    UnsupportedError
        If the space lacks what the training needs.
    """

    def __init__(self, space: Space, images: Images, training: MixedSettings, seed: int, device: str = "cpu") -> None:
        training.check()
        self.training, self.seed, self._space = training, seed, space
        every = Split.training(images, training.images, training.shrink, device)
        self._weight_images, self._alpha_images = _halves(every)
        if len(self._weight_images) < training.batch:
            raise SuiteError(
                f"training: batch = {training.batch}, but only {len(self._weight_images)} images (one half) train the "
                "weights; choose a smaller batch"
            )
        self.supernet = build_seeded(lambda: training.supernet(space, images.dataset), seed, device)
        with seeded(seed_of("alpha", seed), torch.device("cpu")):
            self.relaxation = training.relaxation(self.supernet)
        self.relaxation.to(device)
        self._updates = Updates(self.supernet, self.relaxation, training)
        self.curve: list[Epoch] = []
        self.derived: list[Derived] = []
        self._trajectory: list[dict[str, Tensor]] = []

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.curve)

    def run_epoch(self) -> Epoch:
        """Train for one pass over the images that train weights, and return what it left behind."""
        start, number, device = time.process_time(), self.epoch, self._weight_images.device
        held = forget_peak(device)
        self._begin_epoch(number)
        with seeded(seed_of("epoch", self.seed, number), device):
            seen = [self._update(number, *drawn) for drawn in enumerate(self._batches(number))]
        loss, right, aligned = (math.fsum(values) / len(seen) for values in zip(*seen, strict=True))
        self.derived.append(self._derive(number, aligned))
        self._trajectory.append({name: value.cpu() for name, value in self._probabilities().items()})
        seconds, lr = time.process_time() - start, self.training.lr_of(number)
        self.curve.append(Epoch(number + 1, loss, 100 * right, lr, seconds, peak_memory(device) - held))
        return self.curve[-1]

    def checkpoint(self) -> dict[str, dict[str, Tensor]]:
        """Return the weights and the architecture parameters, as they are read."""
        return {SHARED: self.supernet.state_dict(), RELAXATION: self.relaxation.state_dict()}

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return what each epoch left behind: curve, derived architecture, probabilities of operations and edges."""
        trajectory = enumerate(self._trajectory, 1)
        return {
            "curve": [asdict(point) for point in self.curve],
            "derived": [asdict(point) for point in self.derived],
            "alpha": [row for epoch, found in trajectory for row in self._rows(epoch, found)],
        }

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next epoch depends on, and what each epoch left behind so far."""
        return {
            **self.checkpoint(),
            "optimiser": self._updates.optimiser.state_dict(),
            "adam": self._updates.adam.state_dict(),
            "curve": [asdict(point) for point in self.curve],
            "derived": [asdict(point) for point in self.derived],
            "trajectory": self._trajectory,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Parameters
        ----------
        state
            What `state_dict` returned.
        """
        self.supernet.load_state_dict(state[SHARED])
        self.relaxation.load_state_dict(state[RELAXATION])
        self._updates.optimiser.load_state_dict(state["optimiser"])
        self._updates.adam.load_state_dict(state["adam"])
        self.curve = [Epoch(**point) for point in state["curve"]]
        self.derived = [Derived(**point) for point in state["derived"]]
        self._trajectory = list(state["trajectory"])

    def seconds_to_go(self, done: int) -> float:
        """Return the CPU seconds of the epochs to come, from a few updates; then the trainer is of no other use.

        The updates that are timed are those of the last epoch, in which all parts of the method are active.

        Parameters
        ----------
        done
            Number of epochs that have been trained.

        Returns
        -------
        float
            An estimate.
        """
        last, updates = self.training.epochs - 1, len(self._weight_images) // self.training.batch
        self._begin_epoch(last)
        start = time.process_time()
        timed = [self._update(last, *drawn) for drawn in islice(enumerate(self._batches(last)), _TIMED)]
        seconds = (time.process_time() - start) / len(timed)
        return seconds * updates * max(self.training.epochs - done, 0)

    def _begin_epoch(self, number: int) -> None:
        self.supernet.train()
        self._updates.lr = self.training.lr_of(number)
        self._updates.strength = self.training.strength_of(number)

    def _batches(self, number: int) -> Iterator[tuple[Batch, Batch]]:
        """Yield augmented batches for the weights and for the architecture parameters."""
        size, vary = self.training.batch, self.training.augmentation
        first = self._weight_images.batches(size, seed_of("images", self.seed, number))
        second = self._alpha_images.batches(size, seed_of("alpha images", self.seed, number))
        for (inputs, targets), (others, labels) in zip(first, second, strict=False):
            yield (augmented(inputs, vary), targets), (augmented(others, vary), labels)

    def _update(self, number: int, step: int, batches: tuple[Batch, Batch]) -> Seen:
        """Make one update, of the architecture parameters, unless frozen, then of the weights; return what it saw."""
        self._updates.seed = seed_of("update", self.seed, number, step)
        if number >= self.training.frozen_epochs:
            self._updates.parameters_step(*batches)
        return self._updates.weights_step(batches[0])

    @torch.no_grad()
    def _derive(self, number: int, aligned: float) -> Derived:
        architecture = self.supernet.derive(self.relaxation.operations(), self.relaxation.edges())
        skips = count_skips(self._space, self.supernet, architecture)
        return Derived(number + 1, architecture, skips, aligned, self.training.strength_of(number))

    @torch.no_grad()
    def _probabilities(self) -> dict[str, Tensor]:
        """Return the probabilities of operations, and shares of edges in a last column, by table."""
        operations, edges = self.relaxation.operations(), self.relaxation.edges()
        if edges is None:
            return operations
        return {name: torch.column_stack([value, edges[name]]) for name, value in operations.items()}

    def _rows(self, epoch: int, found: Mapping[str, Tensor]) -> Iterator[dict[str, Any]]:
        for table, values in found.items():
            for edge, row in zip(self.supernet.tables[table], values.tolist(), strict=True):
                for operation, value in zip(_columns(edge, len(row)), row, strict=True):
                    place = {"epoch": epoch, "table": table, "source": edge.source, "target": edge.target}
                    yield {**place, "operation": operation, "probability": value}


def _columns(edge: EdgeChoices, number: int) -> tuple[str, ...]:
    """Return the names of the columns of an edge's row: its operations, then the edge itself if it has a share."""
    return (*edge.operations, "edge")[:number]


def _halves(split: Split) -> tuple[Split, Split]:
    """Return the first and the second half of the images; the middle one of an odd number belongs to the second."""
    half = len(split) // 2
    return split.head(half), replace(split, inputs=split.inputs[half:], targets=split.targets[half:])
