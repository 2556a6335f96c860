"""Updates of a supernet that is trained by paths."""

from __future__ import annotations

import pytest
import torch
from path_trainings import DIGITS, SPACE, trained
from torch.nn.functional import cross_entropy

from benchsuite.core.errors import (
    BenchsuiteError,
)
from benchsuite.estimators.one_shot.trainer import PathTrainer
from benchsuite.estimators.one_shot.training import PathTraining


def test_one_update_is_that_of_plain_gradient_descent() -> None:
    training = PathTraining(
        epochs=1, images=64, batch=64, augmentation="none", clip=0, schedule="plateau", lr=0.1, kept=1
    )
    trainer = PathTrainer(SPACE, DIGITS, training, 0)
    before = {name: value.clone() for name, value in trainer.supernet.named_parameters()}
    [architecture] = trainer._sampled(0)
    inputs, targets = next(trainer._split.batches(64, 0))  # in another order, which a full batch does not know
    trainer.supernet.activate(architecture)
    loss = cross_entropy(trainer.supernet.train()(inputs), targets)
    gradients = dict(
        zip(before, torch.autograd.grad(loss, list(trainer.supernet.parameters()), allow_unused=True), strict=True)
    )
    done = trainer.run_epoch()
    assert done.loss == pytest.approx(float(loss.detach()), rel=1e-4)
    for name, after in trainer.supernet.named_parameters():
        step = gradients[name]
        if step is None:
            assert torch.equal(after, before[name]), name  # unused weights do not even decay
        else:
            wanted = before[name] - 0.1 * 1.9 * (step + 5e-4 * before[name])
            assert torch.allclose(after, wanted, atol=1e-5), name


def test_gradients_of_several_architectures_are_averaged_over_those_that_use_a_weight() -> None:
    base = PathTraining(
        epochs=1, images=64, batch=64, augmentation="none", clip=0, schedule="plateau", architectures=3, kept=1
    )
    trainer = PathTrainer(SPACE, DIGITS, base, 0)
    architectures = trainer._sampled(0)
    inputs, targets = next(trainer._split.batches(64, 0))
    names = [name for name, _ in trainer.supernet.named_parameters()]
    found: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    for architecture in architectures:
        trainer.supernet.train().activate(architecture)
        loss = cross_entropy(trainer.supernet(inputs), targets)
        for name, gradient in zip(
            names, torch.autograd.grad(loss, list(trainer.supernet.parameters()), allow_unused=True), strict=True
        ):
            if gradient is not None:
                found[name].append(gradient)
    before = {name: value.clone() for name, value in trainer.supernet.named_parameters()}
    trainer.run_epoch()
    assert {len(gradients) for gradients in found.values()} >= {0, 3}
    for name, after in trainer.supernet.named_parameters():
        if found[name]:
            step = torch.stack(found[name]).mean(0) + 5e-4 * before[name]
            assert torch.allclose(after, before[name] - 0.05 * 1.9 * step, atol=1e-5), name


def test_training_learns() -> None:
    trainer = trained(PathTraining(epochs=15, batch=32, augmentation="none", kept=1))
    assert trainer.curve[-1].accuracy > 40
    assert trainer.curve[-1].loss < trainer.curve[0].loss - 0.5


def test_hyperparameters_that_make_no_training_are_refused() -> None:
    for training, message in (
        (PathTraining(schedule="linear"), "no schedule named 'linear'"),
        (PathTraining(accumulation="max"), "no accumulation named 'max'"),
        (PathTraining(epochs=0), "epochs = 0; must be positive"),
        (PathTraining(batch=10**6), "training images; choose a smaller batch"),
    ):
        with pytest.raises(BenchsuiteError, match=message):
            PathTrainer(SPACE, DIGITS, training, 0)
