"""How a supernet of mixed operations is trained: hyperparameters, of which DARTS and its kin are different values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.core.errors import SuiteError, UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.estimators.differentiable.alignment import MEASURES
from benchsuite.estimators.differentiable.relaxation import Relaxation
from benchsuite.estimators.differentiable.trainer import MixedTrainer
from benchsuite.estimators.one_shot.mitigations import SHARED

if TYPE_CHECKING:
    from benchsuite.core.space import Space
    from benchsuite.core.supernet import MixedSupernet
    from benchsuite.data.images.minibatches import Images

_ALIGNMENTS = ("none", *MEASURES)
_RANGES = (  # names, smallest and largest value
    (("epochs", "batch", "partial", "shrink", "kept"), 1, math.inf),
    (("lr", "alpha_lr", "epsilon"), 1e-12, math.inf),
    (("momentum", "alpha_momentum", "frozen"), 0, 0.9999),
    (("images", "lr_min", "weight_decay", "clip", "alpha_decay", "strength"), 0, math.inf),
)


@dataclass(frozen=True, slots=True)
class MixedTraining:
    """Hyperparameters of a differentiable search: weights and architecture parameters are trained in turn.

    One half of the training images trains the weights, the other the architecture parameters. Methods are values of
    these: DARTS (the defaults, Liu et al., ICLR 2019), PC-DARTS (`partial`, `edge_normalisation`, `frozen`; Xu et al.,
    ICLR 2020), Lambda-DARTS (`alignment`, `strength`; Movahedi et al., ICLR 2023). They can be combined.

    Parameters
    ----------
    epochs
        Passes over one half of the training images.
    images
        Training images of both halves; 0 = four fifths of the image set's training split, all that may be used.
    batch
        Images in an update, of the weights and of the architecture parameters.
    lr, lr_min, momentum, weight_decay
        Of the weights' stochastic gradient descent; the rate falls from epoch to epoch along a cosine.
    clip
        Largest norm of an update's gradient of the weights; 0 = any.
    alpha_lr, alpha_momentum, alpha_decay
        Of the architecture parameters' Adam, whose second beta is 0.999.
    order
        1 = first order; 2 = the architecture parameters' gradient is that of the weights after one more step
        (second-order DARTS, by finite differences).
    partial
        K of PC-DARTS: operations see 1 / K of the channels.
    edge_normalisation
        Whether each edge has a learnt share of the node at which it ends.
    frozen
        Share of the epochs, the first ones, in which the architecture parameters rest.
    alignment
        Regulariser of Lambda-DARTS: "none", "corr" or "signcorr", see `alignment`.
    strength
        Its factor lambda in the last epoch, to which it grows from 0.
    epsilon
        Distance of its finite difference.
    operations
        "all" of the space, or a reduced set that it has: on the DARTS space those of RobustDARTS (Zela et al., ICLR
        2020), "S1" to "S4", of which S4 has noise, which is no architecture of the space.
    augmentation
        "crop+flip" (pad 4 and crop, mirror half of them), "crop" or "none".
    shrink
        Images are averaged over squares of so many pixels a side before anything else.
    kept
        Checkpoints kept at equal distances, the last epoch's included.
    """

    epochs: int = 50
    images: int = 0
    batch: int = 64
    lr: float = 0.025
    lr_min: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip: float = 5.0
    alpha_lr: float = 3e-4
    alpha_momentum: float = 0.5
    alpha_decay: float = 1e-3
    order: int = 1
    partial: int = 1
    edge_normalisation: bool = False
    frozen: float = 0.0
    alignment: str = "none"
    strength: float = 0.0
    epsilon: float = 1e-4
    operations: str = "all"
    augmentation: str = "crop+flip"
    shrink: int = 1
    kept: int = 4

    def check(self) -> None:
        """Return nothing for values that make a training; SuiteError says what is wrong with others."""
        if self.alignment not in _ALIGNMENTS:
            raise UnknownNameError("alignment", self.alignment, _ALIGNMENTS)
        if self.order not in {1, 2}:
            raise SuiteError(f"training: order = {self.order}; choose 1 or 2")
        for names, low, high in _RANGES:
            for name in names:
                if not low <= getattr(self, name) <= high:
                    raise SuiteError(f"training: {name} = {getattr(self, name)}; choose {low:g} to {high:g}")

    @property
    def last_epoch(self) -> int:
        """Number of the last epoch."""
        return self.epochs

    @property
    def rule(self) -> str:
        """What the method chooses by itself, for a report."""
        return (
            "the architecture that its architecture parameters prefer after the last epoch of its supernet's training"
        )

    @property
    def frozen_epochs(self) -> int:
        """Number of epochs in which the architecture parameters rest.

        Examples
        --------
        >>> PC_DARTS.frozen_epochs
        15
        """
        return round(self.frozen * self.epochs)

    def lr_of(self, epoch: int) -> float:
        """The weights' rate in an epoch, counted from 0."""
        return self.lr_min + (self.lr - self.lr_min) * (1 + math.cos(math.pi * epoch / self.epochs)) / 2

    def strength_of(self, epoch: int) -> float:
        """Factor of the alignment in an epoch, counted from 0.

        Examples
        --------
        >>> [LAMBDA_DARTS.strength_of(epoch) for epoch in (0, 99)]
        [0.0, 0.25]
        """
        if self.alignment == "none":
            return 0.0
        return self.strength * epoch / max(self.epochs - 1, 1)

    def shared_stage(self) -> MixedTraining:
        """The training itself: it has one stage."""
        return self

    def kept_epochs(self) -> list[int]:
        """Epochs after which a checkpoint is kept.

        Examples
        --------
        >>> MixedTraining(epochs=10, kept=3).kept_epochs()
        [4, 7, 10]
        """
        return sorted({math.ceil(self.epochs * part / self.kept) for part in range(1, self.kept + 1)})

    def words(self, images: int, side: int) -> str:
        """How the supernet is trained, for a report; `images` there are to train with, of `side` pixels."""
        extras = [
            f"1/{self.partial} of the channels" if self.partial > 1 else "",
            "edges normalised" if self.edge_normalisation else "",
            f"alpha frozen for {self.frozen_epochs} epochs" if self.frozen_epochs else "",
            f"alignment ({self.alignment}) to strength {self.strength:g}" if self.alignment != "none" else "",
            f"operations {self.operations}" if self.operations != "all" else "",
        ]
        return (
            f"{self.epochs} epochs of {self.images or images:,} images of side {side // self.shrink}, one half for "
            f"weights and one for alpha, batch {self.batch}, augmentation {self.augmentation}, rate {self.lr:g} to "
            f"{self.lr_min:g} (cosine), weight decay {self.weight_decay:g}; all operations mixed, alpha of order "
            f"{self.order} at rate {self.alpha_lr:g}" + "".join(f", {extra}" for extra in extras if extra)
        )

    def dataset(self, data: Dataset) -> Dataset:
        """The data set as supernets see it, of shrunken images."""
        return Dataset(data.name, data.classes, data.channels, data.size // self.shrink)

    def supernet(self, space: Space, data: Dataset) -> MixedSupernet:
        """The untrained supernet, initialised from torch's current random state.

        Raises
        ------
        UnsupportedError
            If it has nothing to mix, or the alignment is of fewer than two cells.
        """
        supernet = space.mixed(self.dataset(data), operations=self.operations, partial=self.partial)
        if self.alignment != "none" and supernet.cells.count(supernet.aligned) < 2:
            raise UnsupportedError(
                f"training: alignment = {self.alignment} with a single {supernet.aligned} cell, which has none to be "
                "aligned with; choose more cells, or alignment none"
            )
        return supernet

    def relaxation(self, supernet: MixedSupernet) -> Relaxation:
        """Architecture parameters of a supernet, drawn from torch's current random state."""
        return Relaxation(supernet.tables, edge_normalisation=self.edge_normalisation)

    def trainer(self, space: Space, images: Images, seed: int, device: str = "cpu") -> MixedTrainer:
        """A trainer at its beginning."""
        return MixedTrainer(space, images, self, seed, device)

    def check_space(self, space: Space, data: Dataset) -> None:
        """Return nothing for a space on which the training works; UnsupportedError for one that mixes nothing."""
        self.supernet(space, data)

    def copy_of(self, space: Space, architecture: str) -> str:
        """Name of the copy of the weights from which an architecture has its own: there is one."""
        return SHARED


DARTS = MixedTraining()
PC_DARTS = MixedTraining(batch=256, lr=0.1, lr_min=0.0, alpha_lr=6e-4, partial=4, edge_normalisation=True, frozen=0.3)
LAMBDA_DARTS = MixedTraining(epochs=100, alpha_lr=1e-4, alignment="corr", strength=0.25)
