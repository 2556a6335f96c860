"""Differentiable searches: what an update does, that methods are values of one training, that trainings go on."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from benchsuite.core import registry
from benchsuite.core.errors import SuiteError, UnknownNameError, UnsupportedError
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.differentiable.training import DARTS, LAMBDA_DARTS, PC_DARTS, MixedTraining
from benchsuite.estimators.supernets.readout_task import ReadoutTask
from benchsuite.estimators.supernets.split import Split
from benchsuite.estimators.supernets.task import TrainingTask
from benchsuite.spaces.macro.space import Macro
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench301.space import NASBench301

if TYPE_CHECKING:
    from pathlib import Path

    from benchsuite.estimators.differentiable.trainer import MixedTrainer

SIZES = {"channels": 4, "cells": 1}
SPACE = NASBench201(**SIZES)
DIGITS = load_images("digits")
SMALL = {"epochs": 2, "images": 96, "batch": 24, "augmentation": "none", "kept": 2, "alpha_lr": 0.01}
METHODS = {
    "darts": replace(DARTS, **SMALL),
    "second order": replace(DARTS, order=2, **SMALL),
    "pc_darts": replace(PC_DARTS, **SMALL),
    "lambda_darts": replace(LAMBDA_DARTS, **SMALL),
}


def _task(training: MixedTraining, seed: int = 0) -> TrainingTask:
    return TrainingTask(SPACE, "digits", training, seed)


@cache
def _trained(training: MixedTraining, epochs: int = 2) -> MixedTrainer:
    trainer = training.trainer(SPACE, DIGITS, seed=0)
    for _ in range(epochs):
        trainer.run_epoch()
    return trainer


def _same(one: MixedTrainer, other: MixedTrainer) -> bool:
    pairs = [
        (one.checkpoint()[part][name], value)
        for part, state in other.checkpoint().items()
        for name, value in state.items()
    ]
    return all(torch.equal(first, second) for first, second in pairs)


@pytest.mark.parametrize("training", METHODS.values(), ids=METHODS)
def test_every_method_learns_weights_and_architecture_parameters(training: MixedTraining) -> None:
    untrained, trainer = training.trainer(SPACE, DIGITS, 0), _trained(training)
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


def test_strength_of_zero_is_darts_bit_by_bit_and_another_is_not() -> None:
    darts = _trained(METHODS["darts"])
    assert _same(darts, _trained(replace(METHODS["darts"], alignment="corr", strength=0.0)))
    assert not _same(darts, _trained(replace(METHODS["darts"], alignment="corr", strength=1.0)))
    assert not _same(darts, _trained(METHODS["second order"]))


def test_pc_darts_with_all_channels_and_without_shares_of_edges_is_darts() -> None:
    whole = replace(PC_DARTS, partial=1, edge_normalisation=False, frozen=0.0, lr=DARTS.lr, lr_min=DARTS.lr_min)
    assert replace(whole, **SMALL) == METHODS["darts"]


def test_architecture_parameters_rest_while_they_are_frozen() -> None:
    training = replace(METHODS["pc_darts"], frozen=0.5)
    start = training.trainer(SPACE, DIGITS, 0).checkpoint()["relaxation"]
    for epochs, rest in ((1, True), (2, False)):
        state = _trained(training, epochs).checkpoint()["relaxation"]
        assert all(torch.equal(state[name], value) for name, value in start.items()) is rest


def test_shares_of_the_edges_into_a_node_add_up_to_one() -> None:
    trainer = _trained(METHODS["pc_darts"])
    with torch.no_grad():
        shares = trainer.relaxation.edges()
    assert shares is not None
    for node in (1, 2, 3):
        places = [place for place, edge in enumerate(trainer.supernet.tables["cell"]) if edge.target == node]
        assert float(shares["cell"][places].sum()) == pytest.approx(1, abs=1e-6)
    assert trainer.relaxation.beta["cell"].grad is not None


def test_nothing_flows_to_the_probability_of_no_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(
        "benchsuite.estimators.differentiable.updates.alignment", lambda rows: seen.append(rows) or math.nan
    )
    METHODS["darts"].trainer(SPACE, DIGITS, 0).run_epoch()
    assert len(seen) == 2  # updates
    for rows in seen:
        table = rows.view(3, 6, 5)  # cells, edges, operations, of which the first is none
        assert not table[..., 0].any()
        assert table[..., 1:].any()


def test_running_statistics_are_those_of_the_weights_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.optim.Adam.step", lambda _: None)
    monkeypatch.setattr("torch.optim.SGD.step", lambda _: None)  # all passes see the same network
    buffers = {
        name: dict(_trained.__wrapped__(training).supernet.named_buffers())
        for name, training in METHODS.items()
        if name != "pc_darts"
    }
    for name in ("second order", "lambda_darts"):
        assert all(torch.equal(buffers["darts"][key], value) for key, value in buffers[name].items()), name


def test_second_order_gradient_is_that_of_the_loss_after_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """In float64 with smooth functions and a short distance, against double backward through the step."""
    monkeypatch.setattr("benchsuite.estimators.differentiable.updates._DISTANCE", 1e-4)
    trainer = METHODS["second order"].trainer(SPACE, DIGITS, 0)
    supernet, relaxation, updates = trainer.supernet, trainer.relaxation, trainer._updates
    for module in [part for part in supernet.modules() if isinstance(part, torch.nn.ReLU)]:
        module.forward = functional.softplus
    supernet.double().train(), relaxation.double()
    first, second = ((torch.randn(8, 1, 8, 8).double(), torch.randint(10, (8,))) for _ in range(2))
    updates.lr = 0.01
    found = updates.second_order(first, second)

    names, weights = zip(*supernet.named_parameters(), strict=True)
    supernet.mix(*_mixing(trainer))
    gradients = torch.autograd.grad(functional.cross_entropy(supernet(first[0]), first[1]), weights, create_graph=True)
    decay = METHODS["second order"].weight_decay
    moved = {
        name: weight - 0.01 * (gradient + decay * weight)
        for name, weight, gradient in zip(names, weights, gradients, strict=True)
    }
    supernet.mix(*_mixing(trainer))
    loss = functional.cross_entropy(torch.func.functional_call(supernet, moved, (second[0],)), second[1])
    wanted = torch.autograd.grad(loss, list(relaxation.parameters()))
    torch.testing.assert_close(found[0], wanted[0], rtol=1e-3, atol=1e-9)
    direct = updates.first_order(first, second)
    assert not torch.allclose(direct[0], wanted[0], rtol=1e-2)


def _mixing(trainer: MixedTrainer) -> tuple[list[torch.Tensor], None]:
    return [trainer.relaxation.operations()["cell"]] * len(trainer.supernet.cells), None


def test_rate_and_strength_follow_their_schedules() -> None:
    training = MixedTraining(epochs=4, lr=0.1, lr_min=0.02, alignment="corr", strength=0.3)
    assert [round(training.lr_of(epoch), 4) for epoch in range(4)] == [0.1, 0.0883, 0.06, 0.0317]
    assert [training.strength_of(epoch) for epoch in range(4)] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert MixedTraining(epochs=4, strength=0.3).strength_of(3) == 0
    trainer = _trained(replace(training, images=64, batch=32, augmentation="none"), epochs=2)
    assert [point.lr for point in trainer.curve] == pytest.approx([0.1, 0.0883], abs=1e-4)
    assert [point.strength for point in trainer.derived] == pytest.approx([0, 0.1])


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


def _scores(estimator: str, task: TrainingTask, root: Path, names: list[str], **parameters: object) -> list[float]:
    given = {"training": asdict(task.training), **parameters}
    found = ReadoutTask((task,), str(root), (registry.make_estimator(estimator, given),)).scores(names)
    assert [score.reason for _, score in found] == [""] * len(names)
    return [score.value for _, score in found]


@pytest.mark.parametrize("method", ["darts", "pc_darts", "lambda_darts"])
def test_likelihood_is_the_sum_over_the_choices(method: str, tmp_path: Path) -> None:
    task = _task(METHODS[method])
    task.run(str(tmp_path))
    state = task.folder(str(tmp_path)).weights(2)["relaxation"]
    names = SPACE.sample(5, np.random.default_rng(0))
    found = _scores(f"{method}_likelihood", task, tmp_path, names)
    alpha = np.exp(state["alpha.cell"].double().numpy())
    order = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
    edges = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
    for name, value in zip(names, found, strict=True):
        total = 0.0
        for place, operation in enumerate(SPACE.operations(name)):
            total += math.log(alpha[place, order.index(operation)] / alpha[place].sum())
            if method == "pc_darts" and operation != "none":
                beta = np.exp(state["beta.cell"].double().numpy())
                total += math.log(beta[place] / sum(beta[k] for k in range(6) if edges[k][1] == edges[place][1]))
        assert value == pytest.approx(total, abs=1e-6)
    chosen = task.folder(str(tmp_path)).rows("derived.csv")[-1]["architecture"]
    if method != "pc_darts":  # whose rule weighs operations by edges
        assert max([*found, *_scores(f"{method}_likelihood", task, tmp_path, [chosen])]) not in found


def test_weights_are_read_of_the_same_training_as_likelihoods(tmp_path: Path) -> None:
    task = _task(METHODS["darts"])
    task.run(str(tmp_path))
    names = SPACE.sample(3, np.random.default_rng(0))
    found = _scores("darts_weights", task, tmp_path, names, images=100, batch=50, readout="loss")
    supernet = task.supernet([task.folder(str(tmp_path)).weights(2)["shared"]]).train()

    batches = list(Split.validation(DIGITS, 100, 1, "cpu").in_order(50))
    for name, value in zip(names, found, strict=True):
        supernet.activate(name)
        with torch.no_grad():
            losses = [float(functional.cross_entropy(supernet(inputs), targets)) for inputs, targets in batches]
        assert value == pytest.approx(-np.mean(losses), rel=1e-5)


def test_likelihood_of_weights_averaged_over_epochs_is_that_of_the_mean_parameters(tmp_path: Path) -> None:
    task = _task(METHODS["darts"])
    task.run(str(tmp_path))
    folder, (name,) = task.folder(str(tmp_path)), SPACE.sample(1, np.random.default_rng(1))
    alpha = sum(folder.weights(epoch)["relaxation"]["alpha.cell"] for epoch in (1, 2)) / 2
    relaxation = task.training.relaxation(task.supernet())
    relaxation.load_state_dict({"alpha.cell": alpha})
    wanted = relaxation.log_likelihood(task.supernet().choices(name))
    assert _scores("darts_likelihood", task, tmp_path, [name], averaged=2) == pytest.approx([wanted])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"order": 3}, SuiteError, "order = 3; must be 1 or 2"),
        ({"alignment": "cor"}, UnknownNameError, "no alignment named 'cor'. Did you mean 'corr'"),
        ({"frozen": 1.0}, SuiteError, "frozen = 1.0"),
        ({"batch": 0}, SuiteError, "batch = 0"),
        ({"strength": -1.0}, SuiteError, "strength = -1.0"),
        ({"partial": 3}, SuiteError, "partial = 3"),
        ({"operations": "s9"}, UnknownNameError, "s9"),
        ({"batch": 49}, SuiteError, r"only 48 images \(one half\) train the weights"),
    ],
)
def test_what_makes_no_training_is_refused(changes: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        replace(METHODS["darts"], **changes).trainer(SPACE, DIGITS, 0)


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


def test_normal_cells_alone_are_aligned_and_one_has_none_to_be_aligned_with(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(
        "benchsuite.estimators.differentiable.updates.alignment", lambda rows: seen.append(rows) or math.nan
    )
    small = {"epochs": 1, "images": 16, "batch": 8, "kept": 1}
    for cells, normal in ((3, 1), (4, 2), (5, 3)):
        replace(METHODS["darts"], **small).trainer(NASBench301(2, cells), DIGITS, 0).run_epoch()
        assert len(seen.pop()) == normal
    with pytest.raises(UnsupportedError, match="alignment = corr needs at least two normal cells"):
        METHODS["lambda_darts"].trainer(NASBench301(2, 3), DIGITS, 0)


def test_a_space_without_table_of_choices_is_refused() -> None:
    estimator = registry.make_estimator("darts_likelihood")
    with pytest.raises(UnsupportedError, match="mixed supernet"):
        estimator.check_space(Macro(), DIGITS.dataset, "000000000000000000000000")


def test_time_to_go_is_that_of_the_epochs_that_are_left() -> None:
    trainer = METHODS["lambda_darts"].trainer(SPACE, DIGITS, 0)
    assert trainer.seconds_to_go(2) == 0
    assert trainer.seconds_to_go(1) > 0


def test_words_name_what_differs_from_darts() -> None:
    assert "alpha frozen for 15 epochs" in PC_DARTS.words(40000, 32)
    assert "layer alignment (corr) up to lambda 0.25" in LAMBDA_DARTS.words(40000, 32)
    assert DARTS.words(40000, 32).startswith("50 epochs of 40,000 images (32x32 pixels), half of them for weights")
