"""Small differentiable searches, which their tests share."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import torch

from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.differentiable.training import DARTS, LAMBDA_DARTS, PC_DARTS, MixedTraining
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench301.space import NASBench301

if TYPE_CHECKING:
    from benchsuite.core.space import Space
    from benchsuite.estimators.differentiable.trainer import MixedTrainer

SPACE = NASBench201(channels=4, cells=1)
DIGITS = load_images("digits")
SMALL = {"epochs": 2, "images": 96, "batch": 24, "augmentation": "none", "kept": 2, "alpha_lr": 0.01}
METHODS = {
    "darts": replace(DARTS, **SMALL),
    "second order": replace(DARTS, order=2, **SMALL),
    "pc_darts": replace(PC_DARTS, **SMALL),
    "lambda_darts": replace(LAMBDA_DARTS, **SMALL),
}

SPACES = {"nasbench201": SPACE, "nasbench301": NASBench301(4, 4)}  # the latter with two normal cells
FEWER = {"nasbench201": "all", "nasbench301": "S3"}  # operations: three for each edge take a third of the time
TINY = {"epochs": 2, "images": 16, "batch": 8, "augmentation": "none", "kept": 2, "alpha_lr": 0.01}
TINY_METHODS = {
    "second order": replace(DARTS, order=2, **TINY),
    "pc_darts": replace(PC_DARTS, frozen=0.5, **TINY),
    "corr": replace(LAMBDA_DARTS, **TINY),
    "signcorr": replace(LAMBDA_DARTS, alignment="signcorr", strength=0.125, **TINY),
}


@cache
def trained(training: MixedTraining, space: Space = SPACE, epochs: int = 2) -> MixedTrainer:
    trainer = training.trainer(space, DIGITS, seed=0)
    for _ in range(epochs):
        trainer.run_epoch()
    return trainer


def same(one: MixedTrainer, other: MixedTrainer) -> bool:
    """Return whether all weights, statistics and alphas that both have are equal bit by bit, and what was derived."""
    pairs = [
        (one.checkpoint()[part][name], value)
        for part, state in other.checkpoint().items()
        for name, value in state.items()
    ]
    equal = all(torch.equal(first, second) for first, second in pairs)
    return equal and [each.architecture for each in one.derived] == [each.architecture for each in other.derived]
