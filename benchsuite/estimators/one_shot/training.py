"""The training of a supernet by paths, as estimators choose it: hyperparameters that make their trainer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.estimators.one_shot.settings import PathSettings
from benchsuite.estimators.one_shot.stages import StagedTrainer

if TYPE_CHECKING:
    from benchsuite.core.space import Space
    from benchsuite.data.images.minibatches import Images


@dataclass(frozen=True, slots=True)
class PathTraining(PathSettings):
    """A training by paths; all its hyperparameters are those of `PathSettings`."""

    def trainer(self, space: Space, images: Images, seed: int, device: str = "cpu") -> StagedTrainer:
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
        StagedTrainer
            With the shared stage, and a second one if the training has it.
        """
        return StagedTrainer(space, images, self, seed, device)
