"""What the training of a supernet must offer, so that it is run, kept, shared and read as all others are."""

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

    The names of `epochs`, `images`, `batch`, `shrink`, `augmentation` and `kept` are the same in all.
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
        """Return nothing for values that make a training; the error says what is wrong with others."""
        ...

    def check_space(self, space: Space, data: Dataset) -> None:
        """Return nothing for a space on which the training works; the error says what is lacking."""
        ...

    def kept_epochs(self) -> list[int]:
        """Epochs after which a checkpoint is kept."""
        ...

    def shared_stage(self) -> Self:
        """The training with whose checkpoints this one may begin; itself if it has one stage."""
        ...

    def copy_of(self, space: Space, architecture: str) -> str:
        """Name of the copy of the weights that an architecture uses."""
        ...

    def supernet(self, space: Space, data: Dataset) -> Supernet:
        """The untrained supernet, initialised from torch's current random state."""
        ...

    def words(self, images: int, side: int) -> str:
        """How the supernet is trained, for a report; `images` there are to train with, of `side` pixels."""
        ...


class SupernetTraining(SupernetSettings, Protocol):
    """A training as estimators choose it: settings that make their trainer."""

    def trainer(self, space: Space, images: Images, seed: int, device: str = "cpu") -> SupernetTrainer:
        """A trainer at its beginning."""
        ...


@runtime_checkable
class ChoosingTraining(Protocol):
    """What a training offers besides, if its method chooses an architecture by itself."""

    @property
    def rule(self) -> str:
        """What it chooses, for a report."""
        ...


class SupernetTrainer(Protocol):
    """A training, an epoch at a time, that goes on from a state as if it had never been stopped."""

    @property
    def training(self) -> SupernetSettings:
        """Its hyperparameters."""
        ...

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        ...

    def run_epoch(self) -> Epoch:
        """One pass over the training images."""
        ...

    def checkpoint(self) -> States:
        """What is read after this epoch."""
        ...

    def tables(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """What the epochs left, rows by the name of the table; "curve" has a row for each epoch."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next epoch depends on."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        ...

    def seconds_to_go(self, done: int) -> float:
        """CPU seconds of all epochs but the first `done`, from a few updates; then the trainer is of no other use."""
        ...


class Readout(Protocol):
    """What is read of one architecture, and what it took."""

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of the reading."""
        ...


class Reader(Protocol):
    """A trained supernet, as far as an estimator reads it."""

    def readings(self, architectures: Sequence[str]) -> Sequence[Readout]:
        """What is read of each architecture."""
        ...
