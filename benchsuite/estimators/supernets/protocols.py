"""What the training of a supernet must offer, so that it is run, stored, shared and read like all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.space import Space
    from benchsuite.core.supernet import Supernet
    from benchsuite.core.types import Dataset
    from benchsuite.data.images.minibatches import Images
    from benchsuite.estimators.supernets.epoch import Epoch

    States = dict[str, dict[str, Tensor]]  # what is read after an epoch, by the name of the copy of the weights

SHARED = "shared"  # name of the one copy that all architectures share; others are named by the operation they are for


class SupernetSettings(Protocol):
    """Hyperparameters of a training: a frozen dataclass, whose fields are part of the training's identity.

    The fields `epochs`, `images`, `batch`, `shrink`, `augmentation` and `kept` have these names in all trainings that
    have them.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def images(self) -> int:
        """Training images; 0 = all that may be used."""
        ...

    @property
    def shrink(self) -> int:
        """Images are averaged over squares of so many pixels a side."""
        ...

    @property
    def last_epoch(self) -> int:
        """Number of the last epoch of all."""
        ...

    def check(self) -> None:
        """Raise SuiteError or UnknownNameError, with what is allowed, for values that do not make a training."""
        ...

    def check_space(self, space: Space, data: Dataset) -> None:
        """Raise UnsupportedError or SuiteError for a space on which the training cannot work.

        Parameters
        ----------
        space
            Search space.
        data
            Description of the data set, before images are shrunken.
        """
        ...

    def kept_epochs(self) -> list[int]:
        """Return the epochs after which a checkpoint is kept, in ascending order."""
        ...

    def shared_stage(self) -> Self:
        """Return the training with whose checkpoints this one may begin; itself if it has one stage."""
        ...

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
            A name in the training's checkpoints.
        """
        ...

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
            On the CPU.

        Raises
        ------
        UnsupportedError
            If the space lacks what the training needs.
        """
        ...

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
        ...


class SupernetTraining(SupernetSettings, Protocol):
    """A training as estimators choose it: settings that make their trainer."""

    def trainer(self, space: Space, images: Images, seed: int, device: str = "cpu") -> SupernetTrainer:
        """Return a trainer at its beginning.

        Parameters
        ----------
        space
            Search space.
        images
            Training images.
        seed
            Seed of the training.
        device
            Where the supernet is trained.

        Returns
        -------
        SupernetTrainer
            Before its first epoch.
        """
        ...


@runtime_checkable
class ChoosingTraining(Protocol):
    """What a training also offers if its method chooses an architecture by itself."""

    @property
    def rule(self) -> str:
        """What it chooses, for a report."""
        ...


class SupernetTrainer(Protocol):
    """A training in progress, an epoch at a time, that goes on from a state as if it had never been stopped."""

    @property
    def training(self) -> SupernetSettings:
        """Its hyperparameters."""
        ...

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        ...

    def run_epoch(self) -> Epoch:
        """Train for one epoch, and return what it left behind."""
        ...

    def checkpoint(self) -> States:
        """Return what is read after this epoch."""
        ...

    def tables(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return what the epochs left behind, rows by the name of the table; "curve" has a row for each epoch."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next epoch depends on."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state.

        Parameters
        ----------
        state
            What `state_dict` returned.
        """
        ...

    def seconds_to_go(self, done: int) -> float:
        """Return the CPU seconds of the epochs to come, from a few updates; then the trainer is of no other use.

        Parameters
        ----------
        done
            Number of epochs that have been trained.

        Returns
        -------
        float
            An estimate.
        """
        ...


class Readout(Protocol):
    """What is read of one architecture, and what it took."""

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds that it took."""
        ...


class Reader(Protocol):
    """What an estimator reads of a trained supernet."""

    def readouts(self, architectures: Sequence[str]) -> Sequence[Readout]:
        """Return what is read of each architecture.

        Parameters
        ----------
        architectures
            Strings of the space.

        Returns
        -------
        Sequence
            Readouts, in the order of the architectures.
        """
        ...
