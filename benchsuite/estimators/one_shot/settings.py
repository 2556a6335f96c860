"""How a supernet is trained by paths: the hyperparameters, what they forbid, and their description."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal, Self

from annotated_types import Ge, Gt, Le

from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.estimators.one_shot.sampling import sampler
from benchsuite.estimators.one_shot.stabiliser import STARTS, substitutes
from benchsuite.estimators.supernets.building import shrunken
from benchsuite.estimators.supernets.epoch import spread_epochs
from benchsuite.estimators.supernets.protocols import SHARED

if TYPE_CHECKING:
    from benchsuite.core.space import Space
    from benchsuite.core.supernet import Supernet
    from benchsuite.core.types import Dataset

CANDIDATES = 200  # architectures that are sampled, and by whose accuracies the space is pruned
VALIDATING = 500  # images on which they are validated, or all if there are fewer
_SCHEDULES = ("cosine", "plateau")
_ACCUMULATIONS = ("mean", "sum")
_STABILISED = {"skip": "skip connections", "skip+pool": "skip connections and pooling"}
_STARTED = {"identity": "initialised as the identity", "he": "with He initialisation"}


@dataclass(frozen=True, slots=True)
class PathSettings:
    """Hyperparameters of a supernet's training by stochastic gradient descent with Nesterov momentum.

    An update activates single architectures (paths of the supernet), one after the other. When the shared epochs are
    over, copies of the weights can be tuned, each on a part of the space. Three of the remedies that Ning et al.
    (NeurIPS 2021) studied are such second stages: the few-shot split, with one copy for each operation of a position
    (Zhao et al., ICML 2021), pruning of the space, and pruning of operations. Others need no stage: averaged
    checkpoints, several supernets and all strings of an isomorphism class are options of what is read.

    Defaults are for small runs. The published protocol (Ning et al., NeurIPS 2021) on NAS-Bench-201 is 1,000 to 1,400
    epochs of 40,000 images, batches of 512, learning rate 0.05, plateau schedule, one architecture per update.

    Attributes
    ----------
    epochs
        Passes over the training images.
    images
        Training images; 0 = four fifths of the image set's training split, all that may be used.
    batch
        Images in an update; the last ones of an epoch that do not fill a batch are left out.
    lr, momentum, weight_decay
        Of the optimiser.
    schedule
        "cosine" to 0, or "plateau": halved when the mean training loss has not fallen for 30 epochs.
    clip
        Largest norm of an update's gradient; 0 = any.
    augmentation
        "crop+flip" (pad 4 and crop, mirror half of the images), "crop" or "none".
    shrink
        Images are averaged over squares of so many pixels a side before anything else.
    sampling
        "uniform", "class" or "fair" architectures, see `sampler`.
    architectures
        Number of architectures in an update; "fair" has its own number.
    accumulation
        Gradients of several architectures: "mean" over those that use a weight, or "sum" (FairNAS).
    stabiliser
        What replaces skip connections: "none", "skip" (SCARLET's ELS) or "skip+pool".
    stabiliser_start
        How its weights are initialised: "identity", or "he" as in SCARLET, see `ELS`.
    kept
        Checkpoints kept at equal distances, the last epoch's included, in each stage.
    tuning
        Epochs of the second stage, for one of split, keep and drop.
    tuning_lr
        Learning rate with which they begin.
    split
        Position of an operation: a copy of the weights is tuned for each operation there, on architectures with it.
    keep
        Share of the best of some sampled architectures, on which the weights are tuned.
    drop
        Number of operations that come worst at each position, without which the weights are tuned.
    """

    epochs: Annotated[int, Ge(1)] = 40
    images: Annotated[int, Ge(0)] = 0
    batch: Annotated[int, Ge(1)] = 128
    lr: Annotated[float, Gt(0)] = 0.05
    momentum: Annotated[float, Gt(0)] = 0.9
    weight_decay: Annotated[float, Ge(0)] = 5e-4
    schedule: Literal["cosine", "plateau"] = "cosine"
    clip: Annotated[float, Ge(0)] = 5.0
    augmentation: Literal["crop+flip", "crop", "none"] = "crop+flip"
    shrink: Annotated[int, Ge(1)] = 1
    sampling: Literal["uniform", "class", "fair"] = "uniform"
    architectures: Annotated[int, Ge(1)] = 1
    accumulation: Literal["mean", "sum"] = "mean"
    stabiliser: Literal["none", "skip", "skip+pool"] = "none"
    stabiliser_start: Literal["identity", "he"] = "identity"
    kept: Annotated[int, Ge(1)] = 4
    tuning: Annotated[int, Ge(0)] = 0
    tuning_lr: Annotated[float, Gt(0)] = 0.01
    split: Annotated[int, Ge(0)] | None = None
    keep: Annotated[float, Gt(0), Le(1)] = 1.0
    drop: Annotated[int, Ge(0)] = 0

    def check(self) -> None:
        """Raise SuiteError or UnknownNameError, with what is allowed, for values that do not make a training."""
        if self.schedule not in _SCHEDULES:
            raise UnknownNameError("schedule", self.schedule, _SCHEDULES)
        if self.accumulation not in _ACCUMULATIONS:
            raise UnknownNameError("accumulation", self.accumulation, _ACCUMULATIONS)
        if self.stabiliser_start not in STARTS:
            raise UnknownNameError("stabiliser start", self.stabiliser_start, STARTS)
        for name in ("epochs", "batch", "lr", "shrink", "architectures", "kept", "tuning_lr"):
            if not getattr(self, name) > 0:
                raise SuiteError(f"{name} = {getattr(self, name)}; must be positive")
        self._check_tuning()

    def _check_tuning(self) -> None:
        chosen = (self.split is not None, self.keep != 1, self.drop != 0)
        if sum(chosen) != (self.tuning != 0):
            raise SuiteError(
                f"tuning = {self.tuning}, split = {self.split}, keep = {self.keep}, drop = {self.drop}; "
                "set `tuning` together with one of split, keep and drop, or leave out all four"
            )
        if self.tuning < 0 or self.drop < 0 or not 0 < self.keep <= 1:
            raise SuiteError(
                f"tuning = {self.tuning}, keep = {self.keep}, drop = {self.drop}; tuning and drop must be at "
                "least 0, keep above 0 and at most 1"
            )
        if self.keep < 1 and self.sampling == "fair":
            raise SuiteError("`keep` cannot be combined with sampling = 'fair'; use `drop`")

    @property
    def last_epoch(self) -> int:
        """Number of the last epoch of all."""
        return self.epochs + self.tuning

    def shared_stage(self) -> Self:
        """Return the training that ends with the shared epochs."""
        return replace(self, tuning=0, tuning_lr=PathSettings().tuning_lr, split=None, keep=1.0, drop=0)

    def kept_epochs(self) -> list[int]:
        """Return the epochs after which a checkpoint is kept.

        Examples
        --------
        >>> PathSettings(epochs=10, kept=4).kept_epochs()
        [3, 5, 8, 10]
        >>> PathSettings(epochs=10, kept=2, tuning=4, split=0).kept_epochs()
        [5, 10, 12, 14]
        """
        shared, tuned = spread_epochs(self.epochs, self.kept), spread_epochs(self.tuning, self.kept, self.epochs)
        return sorted(shared | tuned)

    def supernet(self, space: Space, data: Dataset) -> Supernet:
        """Build the untrained supernet, initialised from torch's current random state.

        Parameters
        ----------
        space
            Search space.
        data
            Description of the data set, before images are shrunken.

        Returns
        -------
        Supernet
            With stabilisers, if the training has them.

        Raises
        ------
        UnsupportedError
            If the space lacks a supernet or skip connections to stabilise.
        """
        substitute = substitutes(self.stabiliser, space, self.stabiliser_start)
        return space.supernet(shrunken(data, self.shrink), substitute=substitute)

    def check_space(self, space: Space, data: Dataset) -> None:
        """Raise UnsupportedError or SuiteError for a space on which the training cannot work.

        Parameters
        ----------
        space
            Search space.
        data
            Description of the data set, before images are shrunken.
        """
        sampler(self.sampling, space, seed=0)
        self.copies(space)
        self.supernet(space, data)

    def copies(self, space: Space) -> tuple[str, ...]:
        """Return the names of the copies of the weights in the second stage.

        Parameters
        ----------
        space
            Search space.

        Returns
        -------
        tuple
            The operations of the position that is split, or the name of the one copy.

        Raises
        ------
        SuiteError
            If the space lacks the position, or has too few operations at one.
        UnsupportedError
            If the space lacks a table of choices and the stage needs it.

        Examples
        --------
        >>> from benchsuite.spaces.nasbench201.space import NASBench201
        >>> PathSettings(split=3, tuning=2).copies(NASBench201())
        ('none', 'skip_connect', 'nor_conv_1x1', 'nor_conv_3x3', 'avg_pool_3x3')
        """
        if self.drop:
            for position, operations in enumerate(space.operation_choices()):
                if self.drop >= len(operations):
                    raise SuiteError(
                        f"training: drop = {self.drop}, but position {position} of {space.name} has {len(operations)} "
                        f"operations; drop at most {len(operations) - 1}"
                    )
        if self.split is None:
            return (SHARED,)
        choices = space.operation_choices()
        if not 0 <= self.split < len(choices):
            raise SuiteError(
                f"training: split = {self.split}; must be a position of {space.name}, 0 to {len(choices) - 1}"
            )
        return choices[self.split]

    def copy_of(self, space: Space, architecture: str) -> str:
        """Return the name of the copy of the weights that an architecture uses.

        Parameters
        ----------
        space
            Search space.
        architecture
            Any string of the space.

        Returns
        -------
        str
            One of `copies(space)`.
        """
        return SHARED if self.split is None else space.operations(architecture)[self.split]

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
        pixels, stabilisers = side // self.shrink, ""
        if self.stabiliser != "none":
            stabilisers = f", linear stabilisers for {_STABILISED[self.stabiliser]} {_STARTED[self.stabiliser_start]}"
        return (
            f"{self.epochs} epochs of {self.images or images:,} images ({pixels}x{pixels} pixels), batch size "
            f"{self.batch}, augmentation {self.augmentation}, learning rate {self.lr:g} ({self.schedule}), weight "
            f"decay {self.weight_decay:g}; {self._sampling_words()}{stabilisers}" + self._tuning_words()
        )

    def _sampling_words(self) -> str:
        if self.sampling == "fair":
            return "fair sampling (each update uses every operation of every position once)"
        drawn = "isomorphism classes" if self.sampling == "class" else "architectures"
        return f"{drawn} sampled uniformly, {self.architectures} per update"

    def _tuning_words(self) -> str:
        if not self.tuning:
            return ""
        on = (
            f"without the {self.drop} worst operations of each position, by the mean accuracy of {CANDIDATES} sampled "
            f"architectures on {VALIDATING} validation images"
        )
        if self.split is not None:
            on = f"one copy of the weights for each operation of position {self.split}"
        elif self.keep < 1:
            on = (
                f"on the best {self.keep:.0%} of {CANDIDATES} sampled architectures, by accuracy on {VALIDATING} "
                "validation images"
            )
        return f"; then {self.tuning} epochs of tuning from learning rate {self.tuning_lr:g}, {on}"
