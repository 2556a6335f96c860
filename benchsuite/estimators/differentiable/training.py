"""Differentiable searches, as estimators choose them: hyperparameters that make their trainer; DARTS and its kin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.estimators.differentiable.settings import MixedSettings
from benchsuite.estimators.differentiable.trainer import MixedTrainer

if TYPE_CHECKING:
    from benchsuite.core.space import Space
    from benchsuite.data.images.minibatches import Images


@dataclass(frozen=True, slots=True)
class MixedTraining(MixedSettings):
    """A training of mixed operations; all its hyperparameters are those of `MixedSettings`."""

    def trainer(self, space: Space, images: Images, seed: int, device: str = "cpu") -> MixedTrainer:
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
        MixedTrainer
            Of weights and architecture parameters.
        """
        return MixedTrainer(space, images, self, seed, device)


DARTS = MixedTraining()
PC_DARTS = MixedTraining(batch=256, lr=0.1, lr_min=0.0, alpha_lr=6e-4, partial=4, edge_normalisation=True, frozen=0.3)
LAMBDA_DARTS = MixedTraining(epochs=100, alpha_lr=1e-4, alignment="corr", strength=0.25)
