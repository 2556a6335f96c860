"""Measurement of the saliencies of operations in an untrained mixed supernet, run and stored like a training."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import torch
from annotated_types import Ge
from torch.nn.functional import cross_entropy

from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.core.identity import seed_of
from benchsuite.estimators.differentiable.saliency import SALIENCIES, pruned, rounds
from benchsuite.estimators.differentiable.trainer import Derived, count_skips
from benchsuite.estimators.supernets.building import build_seeded, shrunken
from benchsuite.estimators.supernets.epoch import Epoch
from benchsuite.estimators.supernets.split import Split
from benchsuite.estimators.torchtools.memory import forget_peak, peak_memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from benchsuite.core.space import Space
    from benchsuite.core.supernet import MixedSupernet
    from benchsuite.core.types import Dataset
    from benchsuite.data.images.minibatches import Images
    from benchsuite.estimators.differentiable.saliency import Table

SALIENCY = "saliency"  # name of the saliencies in a checkpoint
_ALPHAS = ("constant", "normal")
_PRUNINGS = ("one-shot", "iterative")
_DEVIATION = 1e-3  # of normal architecture parameters, as DARTS draws them


@dataclass(frozen=True, slots=True)
class SaliencyTraining:
    """How saliencies are measured in a mixed supernet at its initialisation, in place of a training.

    Attributes
    ----------
    saliency
        "snip", "grasp" or "synflow", see the module `saliency`.
    sign
        1, or -1 for grasp with the opposite of the published sign.
    alpha
        "constant": architecture parameters are 1. "normal": they are normal with standard deviation 0.001, as
        published; saliencies then mostly reflect the random sizes of alpha.
    draws
        Number of draws of normal architecture parameters, over which saliencies are averaged.
    pruning
        "one-shot", or "iterative": the operation of the lowest saliency is pruned and all others are measured again,
        until each edge has one; an operation's saliency is that of the last round in which it took part.
    images
        Training images from which the batch is drawn; 0 = four fifths of the image set's training split.
    batch
        Images in the one batch.
    shrink
        Images are averaged over squares of so many pixels a side before anything else.
    """

    saliency: Literal["snip", "grasp", "synflow"] = "snip"
    sign: Literal[1, -1] = 1
    alpha: Literal["constant", "normal"] = "constant"
    draws: Annotated[int, Ge(1)] = 1
    pruning: Literal["one-shot", "iterative"] = "one-shot"
    images: Annotated[int, Ge(0)] = 0
    batch: Annotated[int, Ge(1)] = 64
    shrink: Annotated[int, Ge(1)] = 1

    def check(self) -> None:
        """Raise SuiteError or UnknownNameError, with what is allowed, for values that do not make a measurement."""
        for kind, name, known in (
            ("saliency", self.saliency, SALIENCIES),
            ("alpha", self.alpha, _ALPHAS),
            ("pruning", self.pruning, _PRUNINGS),
        ):
            if name not in known:
                raise UnknownNameError(kind, name, known)
        if self.sign not in ({1, -1} if self.saliency == "grasp" else {1}):
            raise SuiteError(f"sign = {self.sign}; must be 1, or -1 with saliency = 'grasp'")
        for number in ("draws", "batch", "shrink"):
            if not getattr(self, number) > 0:
                raise SuiteError(f"{number} = {getattr(self, number)}; must be a positive integer")
        if self.draws > 1 and self.alpha == "constant":
            raise SuiteError(f"draws = {self.draws}; must be 1, or combined with alpha = 'normal'")

    @property
    def last_epoch(self) -> int:
        """Number of the only epoch, in which everything is measured."""
        return 1

    def kept_epochs(self) -> list[int]:
        """Return the only epoch."""
        return [1]

    @property
    def rule(self) -> str:
        """What the method chooses by itself, for a report."""
        kept = "remain after pruning" if self.pruning == "iterative" else "have the largest saliencies on their edges"
        return f"the architecture whose operations {kept} in the untrained supernet"

    def shared_stage(self) -> SaliencyTraining:
        """Return the training itself: it has one stage."""
        return self

    def copy_of(self, space: Space, architecture: str) -> str:
        """Return the name of the part of a checkpoint that is read for every architecture.

        Parameters
        ----------
        space
            Search space.
        architecture
            Any string of the space.

        Returns
        -------
        str
            The name of the saliencies.
        """
        return SALIENCY

    def check_space(self, space: Space, data: Dataset) -> None:
        """Raise UnsupportedError for a space without a mixed supernet.

        Parameters
        ----------
        space
            Search space.
        data
            Description of the data set, before images are shrunken.
        """
        self.supernet(space, data)

    def supernet(self, space: Space, data: Dataset) -> MixedSupernet:
        """Build the supernet, initialised from torch's current random state.

        Parameters
        ----------
        space
            Search space.
        data
            Description of the data set, before images are shrunken.

        Returns
        -------
        MixedSupernet
            It neither mixes nor has an active architecture yet.
        """
        return space.mixed(shrunken(data, self.shrink))

    def trainer(self, space: Space, images: Images, seed: int, device: str = "cpu") -> SaliencyTrainer:
        """Return what measures.

        Parameters
        ----------
        space
            Search space.
        images
            Training images.
        seed
            Seed of weights, images and architecture parameters.
        device
            Where the supernet runs.

        Returns
        -------
        SaliencyTrainer
            Before its measurement.
        """
        return SaliencyTrainer(space, images, self, seed, device)

    def words(self, images: int, side: int) -> str:
        """Describe the measurement, for a report.

        Parameters
        ----------
        images
            Number of images that may be used.
        side
            Their side in pixels, before they are shrunken.

        Returns
        -------
        str
            A clause without a full stop.
        """
        pixels = side // self.shrink
        alpha = "constant alpha" if self.alpha == "constant" else f"normal alpha ({self.draws} draws)"
        return (
            f"{self.saliency} of an untrained mixed supernet, measured on one batch of {self.batch} out of "
            f"{self.images or images:,} images ({pixels}x{pixels} pixels), {alpha}, {self.pruning} pruning"
            + (", opposite sign" if self.sign < 0 else "")
        )


class SaliencyTrainer:
    """Measures the saliencies of one supernet with one batch, which depend on nothing but the seed.

    Parameters
    ----------
    space
        Search space.
    images
        Training images.
    training
        Hyperparameters.
    seed
        Seed of weights, images and architecture parameters.
    device
        Where the supernet runs.

    Raises
    ------
    SuiteError
        If there are too few images for a batch, or hyperparameters do not make a measurement.
    """

    def __init__(
        self, space: Space, images: Images, training: SaliencyTraining, seed: int, device: str = "cpu"
    ) -> None:
        training.check()
        self.training = training
        self._space = space
        split = Split.training(images, training.images, training.shrink, device)
        if len(split) < training.batch:
            raise SuiteError(
                f"training: batch = {training.batch}, but there are only {len(split)} training images; choose a "
                "smaller batch"
            )
        self.batch = next(split.batches(training.batch, seed_of("images", seed)))
        self.supernet = build_seeded(lambda: training.supernet(space, images.dataset), seed, device)
        self.alphas = [self._alpha(seed_of("alpha", seed, number)) for number in range(training.draws)]
        self.saliencies: Table = {}
        self._derived: list[Derived] = []
        self._curve: list[Epoch] = []

    @property
    def epoch(self) -> int:
        """Number of finished epochs: 1 when everything has been measured."""
        return len(self._curve)

    def run_epoch(self) -> Epoch:
        """Measure all saliencies; loss and accuracy are those of the batch with the first architecture parameters."""
        start, device = time.process_time(), self.batch[0].device
        held = forget_peak(device)
        loss, accuracy = self._seen()
        ones = {name: torch.ones_like(values) for name, values in self.alphas[0].items()}
        if self.training.pruning == "iterative":
            self.saliencies, left = pruned(self.supernet.tables, self._measure)
            weights = {name: self.saliencies[name].masked_fill(mask == 0, -math.inf) for name, mask in left.items()}
        else:
            weights = self.saliencies = self._measure(ones)
        architecture = self.supernet.derive(weights)
        skips = count_skips(self._space, self.supernet, architecture)
        self._derived.append(Derived(1, architecture, skips, math.nan, 0.0))
        seconds = time.process_time() - start
        self._curve.append(Epoch(1, loss, accuracy, 0.0, seconds, peak_memory(device) - held))
        return self._curve[-1]

    def checkpoint(self) -> dict[str, Table]:
        """Return the saliencies by table, shape (edges, operations)."""
        return {SALIENCY: self.saliencies}

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return loss and accuracy, the architecture that the method chooses, and the saliency of each operation."""
        return {
            "curve": [asdict(point) for point in self._curve],
            "derived": [asdict(point) for point in self._derived],
            SALIENCY: [
                {"table": table, "source": edge.source, "target": edge.target, "operation": name, SALIENCY: value}
                for table, edges in self.supernet.tables.items()
                for edge, row in zip(edges, self.saliencies[table].tolist(), strict=True)
                for name, value in zip(edge.operations, row, strict=True)
            ],
        }

    def state_dict(self) -> dict[str, Any]:
        """Return everything that was measured."""
        return {
            SALIENCY: self.saliencies,
            "curve": [asdict(point) for point in self._curve],
            "derived": [asdict(point) for point in self._derived],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what was measured.

        Parameters
        ----------
        state
            What `state_dict` returned.
        """
        self.saliencies = state[SALIENCY]
        self._curve = [Epoch(**point) for point in state["curve"]]
        self._derived = [Derived(**point) for point in state["derived"]]

    def seconds_to_go(self, done: int) -> float:
        """Return the CPU seconds of the measurements to come, from one of them.

        Parameters
        ----------
        done
            1 if everything has been measured, 0 otherwise.

        Returns
        -------
        float
            An estimate.
        """
        start = time.process_time()
        SALIENCIES[self.training.saliency](self.supernet, self.alphas[0], self.batch)
        number = rounds(self.supernet.tables) if self.training.pruning == "iterative" else 1
        return (time.process_time() - start) * number * self.training.draws * (1 - done)

    def _alpha(self, seed: int) -> Table:
        sizes = {name: (len(edges), len(edges[0].operations)) for name, edges in self.supernet.tables.items()}
        if self.training.alpha == "constant":
            return {name: torch.ones(size).to(self.batch[0]) for name, size in sizes.items()}
        rng = torch.Generator().manual_seed(seed)
        return {name: _DEVIATION * torch.randn(size, generator=rng).to(self.batch[0]) for name, size in sizes.items()}

    def _measure(self, masks: Mapping[str, Tensor]) -> Table:
        """Return mean saliencies over the draws of architecture parameters; the masks let some operations take part."""
        measure = SALIENCIES[self.training.saliency]
        found = [
            measure(
                self.supernet, {name: values * masks[name].to(values) for name, values in alpha.items()}, self.batch
            )
            for alpha in self.alphas
        ]
        return {name: self.training.sign * torch.stack([each[name] for each in found]).mean(0) for name in masks}

    @torch.no_grad()
    def _seen(self) -> tuple[float, float]:
        """Return loss and accuracy (percent) of the batch."""
        inputs, targets = self.batch
        self.supernet.train()
        self.supernet.mix([self.alphas[0][name] for name in self.supernet.cells])
        logits = self.supernet(inputs)
        return float(cross_entropy(logits, targets)), 100 * float((logits.argmax(1) == targets).float().mean())
