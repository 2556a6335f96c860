"""A training of a supernet: it ends before scores are read, and its files lie beside the store, under its key."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchsuite.core.identity import digest
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.supernets.folder import TrainingFolder
from benchsuite.estimators.torchtools.devices import one_thread
from benchsuite.estimators.torchtools.layout import lay_channels_last

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.space import Space
    from benchsuite.core.supernet import Supernet
    from benchsuite.core.types import Dataset
    from benchsuite.estimators.supernets.epoch import Epoch
    from benchsuite.estimators.supernets.protocols import SupernetTrainer, SupernetTraining

VERSION = 1  # grows when trainings would end with other weights, so that none of the old kind is taken for a new one


@dataclass(frozen=True, slots=True)
class TrainingTask:
    """One training of a supernet: all that determines its weights.

    Attributes
    ----------
    space
        Search space.
    images
        Name of the image set, or a path.
    training
        How the supernet is trained.
    seed
        Seed of the weights and of the order of images and architectures.
    """

    space: Space = field(hash=False)
    images: str
    training: SupernetTraining
    seed: int

    def recipe(self) -> dict[str, Any]:
        """Return everything that determines the weights."""
        return {
            "supernet": VERSION,
            "space": self.space.name,
            "sizes": dict(self.space.sizes),
            "images": load_images(self.images).digest,
            "training": asdict(self.training),
            "seed": self.seed,
            "dtype": "float32",
        }

    @property
    def key(self) -> str:
        """Identity of the training."""
        return digest(self.recipe())

    @property
    def last_epoch(self) -> int:
        """Number of its epochs, those of a second stage included."""
        return self.training.last_epoch

    @property
    def continues(self) -> bool:
        """Whether it has a second stage, and may begin with what a training of the first alone ends with."""
        return self.training.shared_stage() != self.training

    def folder(self, root: str) -> TrainingFolder:
        """Return its files.

        Parameters
        ----------
        root
            Folder of all trainings.
        """
        return TrainingFolder(Path(root) / self.key)

    def finished(self, root: str) -> bool:
        """Return whether it has come to its last epoch.

        Parameters
        ----------
        root
            Folder of all trainings.
        """
        return self.folder(root).finished(self.last_epoch)

    def curve(self, root: str) -> list[Epoch]:
        """Return what each finished epoch left.

        Parameters
        ----------
        root
            Folder of all trainings.
        """
        return self.folder(root).curve()

    def trainer(self, device: str = "cpu") -> SupernetTrainer:
        """Return a trainer at its beginning.

        Parameters
        ----------
        device
            Where networks run.
        """
        return self.training.trainer(self.space, load_images(self.images), self.seed, device)

    def run(self, root: str, device: str = "cpu", advance: Callable[[Epoch], None] = lambda _: None) -> None:
        """Train to the end, from wherever an earlier process was stopped.

        A training with a second stage begins from one of its shared epochs alone, if that is finished: with the
        checkpoints and the curve, costs included, that it would have made itself.

        Parameters
        ----------
        root
            Folder of all trainings.
        device
            Where networks run.
        advance
            Called after each epoch with what it left.
        """
        with one_thread():
            self.folder(root).run(self.trainer(device), self.recipe(), advance, begun=self._begun(root))

    @property
    def dataset(self) -> Dataset:
        """Shape and classes of the images before they are shrunken."""
        return load_images(self.images).dataset

    def supernet(self, states: Sequence[Mapping[str, Tensor]] = (), device: str = "cpu") -> Supernet:
        """Return the supernet with the mean of some states, or untrained.

        Parameters
        ----------
        states
            State dictionaries of the supernet.
        device
            Where it runs.
        """
        supernet = self.training.supernet(self.space, self.dataset)
        if states:
            supernet.load_state_dict(mean_state(states))
        lay_channels_last(supernet.to(device))
        return supernet

    def estimate(self, root: str) -> float:
        """Return the CPU seconds to the last epoch, from timing a few updates.

        Parameters
        ----------
        root
            Folder of all trainings.
        """
        begun = self._begun(root)
        done = len(self.curve(root) or (begun.curve() if begun else []))
        with one_thread():
            return self.trainer().seconds_to_go(done)

    def _begun(self, root: str) -> TrainingFolder | None:
        """Return the folder of a finished training of the shared epochs alone."""
        shared = replace(self, training=self.training.shared_stage())
        return shared.folder(root) if shared != self and shared.finished(root) else None


def mean_state(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of each floating-point tensor over some states; other tensors are those of the last.

    Parameters
    ----------
    states
        State dictionaries of the same network.

    Examples
    --------
    >>> mean_state([{"weight": torch.zeros(1)}, {"weight": torch.ones(1)}])["weight"].item()
    0.5
    """
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[-1].items()
    }
