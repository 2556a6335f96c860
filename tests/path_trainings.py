"""Small trainings by paths, which tests of trainers, folders and readouts share."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import torch

from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.one_shot.stages import StagedTrainer
from benchsuite.estimators.one_shot.trainer import PathTrainer
from benchsuite.estimators.one_shot.training import PathTraining
from benchsuite.estimators.supernets.split import Split
from benchsuite.spaces.nasbench201.space import NASBench201

if TYPE_CHECKING:
    from benchsuite.core.supernet import Supernet

SPACE = NASBench201(channels=2, cells=1)
DIGITS = load_images("digits")
SHORT = PathTraining(epochs=3, images=64, batch=32, augmentation="crop", kept=3)
SPLIT = PathTraining(epochs=1, images=64, batch=32, augmentation="crop", kept=2, tuning=2, split=3)
KEEP = replace(SPLIT, split=None, keep=0.25)
DROP = replace(SPLIT, split=None, drop=2)


def trained(training: PathTraining, *, epochs: int | None = None, seed: int = 0) -> PathTrainer:
    trainer = PathTrainer(SPACE, DIGITS, training, seed)
    for _ in range(epochs or training.epochs):
        trainer.run_epoch()
    return trainer


def staged(training: PathTraining, epochs: int) -> StagedTrainer:
    trainer = StagedTrainer(SPACE, DIGITS, training, 0)
    for _ in range(epochs):
        trainer.run_epoch()
    return trainer


@cache
def uninterrupted(training: PathTraining) -> StagedTrainer:
    return staged(training, training.last_epoch)


def weights(trainer: PathTrainer) -> list[torch.Tensor]:
    return list(trainer.supernet.state_dict().values())


def equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def same(one: dict[str, dict[str, torch.Tensor]], other: dict[str, dict[str, torch.Tensor]]) -> bool:
    """Return whether two checkpoints have the same copies, bit by bit."""
    return one.keys() == other.keys() and all(
        torch.equal(one[copy][name], other[copy][name]) for copy in one for name in one[copy]
    )


def accuracy(supernet: Supernet, architecture: str, images: int, batch: int) -> float:
    """Return the percent of validation images that are right, by plain passes in training mode."""
    supernet.train().activate(architecture)
    with torch.no_grad():
        right = [
            int((supernet(inputs).argmax(1) == targets).sum())
            for inputs, targets in Split.validation(DIGITS, images, 1, "cpu").in_order(batch)
        ]
    return 100 * sum(right) / (images or 239)
