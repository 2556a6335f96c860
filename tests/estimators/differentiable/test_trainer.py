"""Trainings of mixed operations: that methods learn, differ, and go on with the same bits."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from mixed_trainings import DIGITS, FEWER, METHODS, SPACE, SPACES, TINY, TINY_METHODS, same, trained

from benchsuite.estimators.differentiable.relaxation import Relaxation
from benchsuite.estimators.differentiable.training import DARTS, PC_DARTS, MixedTraining
from benchsuite.estimators.supernets.task import TrainingTask
from benchsuite.spaces.nasbench301.space import NASBench301

if TYPE_CHECKING:
    from pathlib import Path

    from benchsuite.estimators.differentiable.trainer import MixedTrainer


def _task(training: MixedTraining, seed: int = 0) -> TrainingTask:
    return TrainingTask(SPACE, "digits", training, seed)


@pytest.mark.parametrize("training", METHODS.values(), ids=METHODS)
def test_every_method_learns_weights_and_architecture_parameters(training: MixedTraining) -> None:
    untrained, trainer = training.trainer(SPACE, DIGITS, 0), trained(training)
    assert not torch.equal(trainer.relaxation.alpha["cell"], untrained.relaxation.alpha["cell"])
    assert trainer.curve[1].loss < trainer.curve[0].loss
    for found in trainer.derived:
        assert -1 <= found.alignment <= 1
        assert found.skips == SPACE.operations(found.architecture).count("skip_connect")
    probabilities = trainer.relaxation.operations()["cell"].detach()
    assert trainer.derived[-1].architecture == trainer.supernet.derive(
        {"cell": probabilities}, trainer.relaxation.edges()
    )
    alpha = pd.DataFrame(trainer.tables()["alpha"]).query("operation != 'edge'")
    assert np.allclose(alpha.groupby(["epoch", "source", "target"])["probability"].sum(), 1, atol=1e-6)


def test_weights_and_architecture_parameters_see_different_images() -> None:
    trainer = METHODS["darts"].trainer(SPACE, DIGITS, 0)
    seen: list[set[bytes]] = [set(), set()]
    for pair in trainer._batches(0):
        for found, (inputs, _) in zip(seen, pair, strict=True):
            found.update(image.numpy().tobytes() for image in inputs)
    assert len(seen[0]) == len(seen[1]) == 48
    assert not seen[0] & seen[1]


@pytest.mark.parametrize("method", ["pc_darts", "lambda_darts"])
def test_a_training_that_was_stopped_ends_with_the_same_bits(method: str, tmp_path: Path) -> None:
    task = _task(METHODS[method])
    task.run(str(tmp_path / "whole"))

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        task.run(str(tmp_path / "stopped"), advance=stop)
    task.run(str(tmp_path / "stopped"))
    whole, stopped = (task.folder(str(tmp_path / name)) for name in ("whole", "stopped"))
    assert [point.epoch for point in stopped.curve()] == [1, 2]
    for part, state in whole.weights(2).items():
        assert all(torch.equal(value, stopped.weights(2)[part][name]) for name, value in state.items()), part
    for name in ("derived.csv", "alpha.csv"):
        assert (whole.path / name).read_text() == (stopped.path / name).read_text()


@pytest.mark.parametrize("operations", ["S1", "S2", "S3", "S4"])
def test_every_operation_set_of_robust_darts_is_trained(operations: str) -> None:
    training = replace(METHODS["darts"], epochs=1, images=32, batch=8, kept=1, operations=operations)
    trainer = training.trainer(NASBench301(channels=2, cells=3), DIGITS, 0)
    trainer.run_epoch()
    (found,) = trainer.derived
    assert found.skips == found.architecture.count("skip_connect")
    chosen = [name.partition("~")[0] for name in re.findall(r"\w+~\d", found.architecture)]
    assert sorted(trainer.supernet.operations(found.architecture)) == sorted(chosen)
    assert math.isnan(found.alignment)  # of one normal cell


def test_noise_can_be_chosen_and_is_no_skip() -> None:
    training = replace(METHODS["darts"], epochs=1, images=16, batch=8, kept=1, operations="S4")
    trainer = training.trainer(NASBench301(channels=2, cells=3), DIGITS, 0)
    with torch.no_grad():
        for alpha in trainer.relaxation.alpha.values():
            alpha[:, 0] += 5  # noise
    trainer.run_epoch()
    assert trainer.derived[0].architecture.count("noise") == 16
    assert trainer.derived[0].skips == 0
    trainer.supernet.activate(trainer.derived[0].architecture)
    assert len(trainer.supernet.active_choices()) == 3 * 8


def test_time_to_go_is_that_of_the_epochs_that_are_left() -> None:
    trainer = METHODS["lambda_darts"].trainer(SPACE, DIGITS, 0)
    assert trainer.seconds_to_go(2) == 0
    assert trainer.seconds_to_go(1) > 0


on_both = pytest.mark.parametrize("space", SPACES)


def darts(space: str) -> MixedTrainer:
    return trained(replace(DARTS, operations=FEWER[space], **TINY), SPACES[space])


@on_both
def test_partial_channels_of_one_part_and_edge_weights_of_one_are_darts_bit_by_bit(
    space: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way of PC-DARTS is gone: shares of edges are multiplied, and are 1 whatever beta is."""
    ones = {name: torch.ones(len(edges)) for name, edges in darts(space).supernet.tables.items()}
    monkeypatch.setattr(
        Relaxation, "edges", lambda own: {name: 0 * beta + ones[name] for name, beta in own.beta.items()}
    )
    rates = {"lr": DARTS.lr, "lr_min": DARTS.lr_min, "frozen": 0.0}
    training = replace(PC_DARTS, partial=1, operations=FEWER[space], **rates, **TINY)
    found = trained.__wrapped__(training, SPACES[space])
    assert training.edge_normalisation
    assert list(found.relaxation.beta) == list(ones)
    assert same(found, darts(space))


@on_both
def test_strength_of_zero_is_darts_bit_by_bit(space: str) -> None:
    training = replace(TINY_METHODS["corr"], strength=0.0, operations=FEWER[space])
    assert same(trained(training, SPACES[space]), darts(space))


@on_both
@pytest.mark.parametrize("method", TINY_METHODS)
def test_every_method_goes_its_own_way(space: str, method: str) -> None:
    trainer = trained(replace(TINY_METHODS[method], operations=FEWER[space]), SPACES[space])
    beginning = trainer.training.trainer(SPACES[space], DIGITS, seed=0)
    for name, alpha in trainer.relaxation.alpha.items():
        assert not torch.equal(alpha, beginning.relaxation.alpha[name])
    assert not same(trainer, darts(space))
    assert all(-1 <= found.alignment <= 1 for found in trainer.derived)
    SPACES[space].validate(trainer.derived[-1].architecture)


@on_both
def test_architecture_parameters_rest_while_they_are_frozen(space: str) -> None:
    trainer = replace(TINY_METHODS["pc_darts"], operations=FEWER[space]).trainer(SPACES[space], DIGITS, seed=0)
    start = {name: value.clone() for name, value in trainer.relaxation.state_dict().items()}
    for rests in (True, False):
        trainer.run_epoch()
        found = trainer.relaxation.state_dict().items()
        assert all(torch.equal(value, start[name]) for name, value in found) is rests
