"""How a supernet of mixed operations is trained: the hyperparameters, what they forbid, and their description."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, Self

from annotated_types import Ge, Gt, Lt

from benchsuite.core.errors import SuiteError, UnknownNameError, UnsupportedError
from benchsuite.estimators.differentiable.alignment import MEASURES
from benchsuite.estimators.differentiable.relaxation import Relaxation
from benchsuite.estimators.supernets.building import shrunken
from benchsuite.estimators.supernets.epoch import spread_epochs
from benchsuite.estimators.supernets.protocols import SHARED

if TYPE_CHECKING:
    from benchsuite.core.space import Space
    from benchsuite.core.supernet import MixedSupernet
    from benchsuite.core.types import Dataset

_ALIGNMENTS = ("none", *MEASURES)
_RANGES = (  # names, smallest and largest value
    (("epochs", "batch", "partial", "shrink", "kept"), 1, math.inf),
    (("lr", "alpha_lr", "epsilon"), 1e-12, math.inf),
    (("momentum", "alpha_momentum", "frozen"), 0, 0.9999),
    (("images", "lr_min", "weight_decay", "clip", "alpha_decay", "strength"), 0, math.inf),
)


@dataclass(frozen=True, slots=True)
class MixedSettings:
    """Hyperparameters of a differentiable search: weights and architecture parameters are trained in turn.

    One half of the training images trains the weights, the other the architecture parameters. Methods are settings of
    these: DARTS (the defaults, Liu et al., ICLR 2019), PC-DARTS (`partial`, `edge_normalisation`, `frozen`; Xu et al.,
    ICLR 2020), Lambda-DARTS (`alignment`, `strength`; Movahedi et al., ICLR 2023). They can be combined.

    Attributes
    ----------
    epochs
        Passes over one half of the training images.
    images
        Training images of both halves; 0 = four fifths of the image set's training split, all that may be used.
    batch
        Images in an update, of the weights and of the architecture parameters.
    lr, lr_min, momentum, weight_decay
        Of the weights' stochastic gradient descent; the learning rate falls from epoch to epoch along a cosine.
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
        Share of the epochs, the first ones, in which the architecture parameters are not trained.
    alignment
        Regulariser of Lambda-DARTS: "none", "corr" or "signcorr", see `alignment`.
    strength
        Its factor lambda in the last epoch, to which it grows from 0.
    epsilon
        Distance of its finite difference.
    operations
        "all" of the space, or a reduced set that it has: on the DARTS space those of RobustDARTS (Zela et al., ICLR
        2020), "S1" to "S4"; the noise of S4 is not an operation of the space.
    augmentation
        "crop+flip" (pad 4 and crop, mirror half of the images), "crop" or "none".
    shrink
        Images are averaged over squares of so many pixels a side before anything else.
    kept
        Checkpoints kept at equal distances, the last epoch's included.
    """

    epochs: Annotated[int, Ge(1)] = 50
    images: Annotated[int, Ge(0)] = 0
    batch: Annotated[int, Ge(1)] = 64
    lr: Annotated[float, Gt(0)] = 0.025
    lr_min: Annotated[float, Ge(0)] = 0.001
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.9
    weight_decay: Annotated[float, Ge(0)] = 3e-4
    clip: Annotated[float, Ge(0)] = 5.0
    alpha_lr: Annotated[float, Gt(0)] = 3e-4
    alpha_momentum: Annotated[float, Ge(0), Lt(1)] = 0.5
    alpha_decay: Annotated[float, Ge(0)] = 1e-3
    order: Literal[1, 2] = 1
    partial: Annotated[int, Ge(1)] = 1
    edge_normalisation: bool = False
    frozen: Annotated[float, Ge(0), Lt(1)] = 0.0
    alignment: Literal["none", "corr", "signcorr"] = "none"
    strength: Annotated[float, Ge(0)] = 0.0
    epsilon: Annotated[float, Gt(0)] = 1e-4
    operations: str = "all"
    augmentation: Literal["crop+flip", "crop", "none"] = "crop+flip"
    shrink: Annotated[int, Ge(1)] = 1
    kept: Annotated[int, Ge(1)] = 4

    def check(self) -> None:
        """Raise SuiteError or UnknownNameError, with what is allowed, for values that do not make a training."""
        if self.alignment not in _ALIGNMENTS:
            raise UnknownNameError("alignment", self.alignment, _ALIGNMENTS)
        if self.order not in {1, 2}:
            raise SuiteError(f"order = {self.order}; must be 1 or 2")
        for names, low, high in _RANGES:
            for name in names:
                value = getattr(self, name)
                if not low <= value <= high:
                    allowed = f"at least {low:g}" if high == math.inf else f"{low:g} to {high:g}"
                    raise SuiteError(f"{name} = {value}; must be {allowed}")

    @property
    def last_epoch(self) -> int:
        """Number of the last epoch."""
        return self.epochs

    @property
    def rule(self) -> str:
        """What the method chooses by itself, for a report."""
        return "the architecture that its architecture parameters prefer after the last epoch of the training"

    @property
    def frozen_epochs(self) -> int:
        """Number of epochs, the first ones, in which the architecture parameters are not trained.

        Examples
        --------
        >>> MixedSettings(frozen=0.3).frozen_epochs
        15
        """
        return round(self.frozen * self.epochs)

    def lr_of(self, epoch: int) -> float:
        """Return the learning rate of the weights in an epoch.

        Parameters
        ----------
        epoch
            Its number, counted from 0.

        Returns
        -------
        float
            It falls along a cosine.
        """
        # lr_min + (lr - lr_min) (1 + cos(pi e / epochs)) / 2
        return self.lr_min + (self.lr - self.lr_min) * (1 + math.cos(math.pi * epoch / self.epochs)) / 2

    def strength_of(self, epoch: int) -> float:
        """Return the factor lambda of the layer alignment in an epoch.

        Parameters
        ----------
        epoch
            Its number, counted from 0.

        Returns
        -------
        float
            It grows linearly from 0 to `strength` in the last epoch.

        Examples
        --------
        >>> [MixedSettings(epochs=100, alignment="corr", strength=0.25).strength_of(epoch) for epoch in (0, 99)]
        [0.0, 0.25]
        """
        if self.alignment == "none":
            return 0.0
        return self.strength * epoch / max(self.epochs - 1, 1)

    def shared_stage(self) -> Self:
        """Return the training itself: it has one stage."""
        return self

    def kept_epochs(self) -> list[int]:
        """Return the epochs after which a checkpoint is kept.

        Examples
        --------
        >>> MixedSettings(epochs=10, kept=3).kept_epochs()
        [4, 7, 10]
        """
        return sorted(spread_epochs(self.epochs, self.kept))

    def supernet(self, space: Space, data: Dataset) -> MixedSupernet:
        """Build the untrained supernet, initialised from torch's current random state.

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

        Raises
        ------
        UnsupportedError
            If the space lacks a mixed supernet, or the alignment is of fewer than two cells.
        """
        supernet = space.mixed(shrunken(data, self.shrink), operations=self.operations, partial=self.partial)
        if self.alignment != "none" and supernet.cells.count(supernet.aligned) < 2:
            raise UnsupportedError(
                f"training: alignment = {self.alignment} needs at least two {supernet.aligned} cells, and this "
                "supernet has one; choose more cells, or alignment = 'none'"
            )
        return supernet

    def relaxation(self, supernet: MixedSupernet) -> Relaxation:
        """Draw architecture parameters from torch's current random state.

        Parameters
        ----------
        supernet
            The supernet whose operations they mix.

        Returns
        -------
        Relaxation
            On the CPU.
        """
        return Relaxation(supernet.tables, edge_normalisation=self.edge_normalisation)

    def check_space(self, space: Space, data: Dataset) -> None:
        """Raise UnsupportedError for a space on which the training cannot work.

        Parameters
        ----------
        space
            Search space.
        data
            Description of the data set, before images are shrunken.
        """
        self.supernet(space, data)

    def copy_of(self, space: Space, architecture: str) -> str:
        """Return the name of the one copy of the weights, which all architectures use.

        Parameters
        ----------
        space
            Search space.
        architecture
            Any string of the space.

        Returns
        -------
        str
            The name under which a checkpoint has it.
        """
        return SHARED

    def words(self, images: int, side: int) -> str:
        """Describe the training, for a report.

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
        extras = [
            f"partial channels (1/{self.partial})" if self.partial > 1 else "",
            "edge normalisation" if self.edge_normalisation else "",
            f"alpha frozen for {self.frozen_epochs} epochs" if self.frozen_epochs else "",
            f"layer alignment ({self.alignment}) up to lambda {self.strength:g}" if self.alignment != "none" else "",
            f"operation set {self.operations}" if self.operations != "all" else "",
        ]
        return (
            f"{self.epochs} epochs of {self.images or images:,} images ({pixels}x{pixels} pixels), half of them for "
            f"weights and half for alpha, batch size {self.batch}, augmentation {self.augmentation}, learning rate "
            f"{self.lr:g} to {self.lr_min:g} (cosine), weight decay {self.weight_decay:g}; all operations mixed, "
            f"{'second' if self.order == 2 else 'first'}-order updates of alpha with learning rate {self.alpha_lr:g}"
            + "".join(f", {extra}" for extra in extras if extra)
        )
