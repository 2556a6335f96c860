"""Updates of a differentiable search, against double backward passes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from mixed_trainings import DIGITS, FEWER, METHODS, SPACE, SPACES, TINY, TINY_METHODS, trained
from torch import nn
from torch.nn import functional

from benchsuite.core.errors import UnsupportedError
from benchsuite.estimators.differentiable.alignment import MEASURES
from benchsuite.estimators.differentiable.training import DARTS
from benchsuite.spaces.nasbench301.space import NASBench301

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.core.supernet import MixedSupernet
    from benchsuite.estimators.differentiable.trainer import MixedTrainer


def test_running_statistics_are_those_of_the_weights_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.optim.Adam.step", lambda _: None)
    monkeypatch.setattr("torch.optim.SGD.step", lambda _: None)  # all passes see the same network
    buffers = {
        name: dict(trained.__wrapped__(training).supernet.named_buffers())
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


on_both = pytest.mark.parametrize("space", SPACES)


@on_both
def test_nothing_flows_to_the_probability_of_no_operation(space: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    module = "benchsuite.estimators.differentiable.updates.alignment"
    monkeypatch.setattr(module, lambda rows: seen.append(rows) or math.nan)
    trainer = replace(DARTS, operations=FEWER[space], **TINY).trainer(SPACES[space], DIGITS, 0)
    trainer.run_epoch()
    [rows] = seen  # of one update
    table = rows.view(len(rows), *trainer.relaxation.alpha[trainer.supernet.aligned].shape)
    assert not table[..., 0].any()
    assert table[..., 1:].any()


def smoothed(trainer: MixedTrainer) -> MixedSupernet:
    """The supernet in float64 without kinks: finite differences hold."""
    for module in trainer.supernet.modules():
        if isinstance(module, nn.ReLU):
            module.forward = functional.softplus
    trainer.relaxation.double()
    return trainer.supernet.double().train()


def pairwise(rows: Sequence[torch.Tensor], measure: str) -> torch.Tensor:
    """The alignment by its definition, which autograd can differentiate."""
    found = [
        one @ other / (one.norm() * other.norm() if measure == "corr" else one.abs() @ other.abs())
        for i, one in enumerate(rows)
        for other in rows[:i]
    ]
    return torch.stack(found).mean()


@on_both
@pytest.mark.parametrize("measure", MEASURES)
def test_the_regularisers_gradient_is_that_of_double_backward_on_a_smooth_supernet(space: str, measure: str) -> None:
    """Of max pooling, which has kinks, the DARTS space's set S2 has none."""
    operations = "all" if space == "nasbench201" else "S2"
    training = replace(TINY_METHODS[measure], operations=operations, images=16)
    trainer = training.trainer(SPACES[space], DIGITS, 0)
    supernet, updates = smoothed(trainer), trainer._updates
    inputs, targets = torch.randn(4, 1, 8, 8).double(), torch.randint(10, (4,))
    mixtures = [trainer.relaxation.operations()[name].detach().requires_grad_() for name in supernet.cells]
    supernet.mix(mixtures)
    loss = functional.cross_entropy(supernet(inputs), targets)
    gradients = torch.autograd.grad(loss, mixtures, create_graph=True)
    pairs = zip(supernet.cells, gradients, strict=True)
    rows = [gradient.flatten() for name, gradient in pairs if name == supernet.aligned]
    wanted = torch.autograd.grad(pairwise(rows, measure), list(supernet.parameters()), allow_unused=True)
    found = updates.alignment_gradients((inputs, targets), mixtures, None, torch.stack(rows).detach())
    known = [value for value, other in zip(found, wanted, strict=True) if other is not None]
    assert all(not value.any() for value, other in zip(found, wanted, strict=True) if other is None)
    flat = torch.cat([value.flatten() for value in wanted if value is not None])
    cosine = functional.cosine_similarity(torch.cat([value.flatten() for value in known]), flat, dim=0)
    assert float(cosine) == pytest.approx(1, abs=1e-5)
