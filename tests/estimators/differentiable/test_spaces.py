"""Differentiable searches on both spaces that mix: what the methods' papers promise holds for the same code on each."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn
from torch.nn import functional

from benchsuite.core.types import Dataset
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.differentiable.alignment import MEASURES
from benchsuite.estimators.differentiable.relaxation import Relaxation
from benchsuite.estimators.differentiable.saliency import synflow
from benchsuite.estimators.differentiable.training import DARTS, LAMBDA_DARTS, PC_DARTS, MixedTraining
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench301.space import NASBench301

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.core.supernet import MixedSupernet
    from benchsuite.estimators.differentiable.trainer import MixedTrainer

DIGITS = load_images("digits")
SPACES = {"nasbench201": NASBench201(4, 1), "nasbench301": NASBench301(4, 4)}  # the latter with two normal cells
TINY = {"epochs": 2, "images": 16, "batch": 8, "augmentation": "none", "kept": 2, "alpha_lr": 0.01}
METHODS = {
    "second order": replace(DARTS, order=2, **TINY),
    "pc_darts": replace(PC_DARTS, frozen=0.5, **TINY),
    "corr": replace(LAMBDA_DARTS, **TINY),
    "signcorr": replace(LAMBDA_DARTS, alignment="signcorr", strength=0.125, **TINY),
}

FEWER = {"nasbench201": "all", "nasbench301": "S3"}  # operations: three for each edge take a third of the time

on_both = pytest.mark.parametrize("space", SPACES)


@cache
def trained(space: str, training: MixedTraining) -> MixedTrainer:
    trainer = training.trainer(SPACES[space], DIGITS, seed=0)
    for _ in range(training.epochs):
        trainer.run_epoch()
    return trainer


def darts(space: str) -> MixedTrainer:
    return trained(space, replace(DARTS, operations=FEWER[space], **TINY))


def same(one: MixedTrainer, other: MixedTrainer) -> bool:
    """Whether all weights, statistics and alphas that both have are equal bit by bit, and what was derived."""
    pairs = [
        (one.checkpoint()[part][name], value)
        for part, state in other.checkpoint().items()
        for name, value in state.items()
    ]
    equal = all(torch.equal(first, second) for first, second in pairs)
    return equal and [each.architecture for each in one.derived] == [each.architecture for each in other.derived]


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
    found = trained.__wrapped__(space, training)
    assert training.edge_normalisation
    assert list(found.relaxation.beta) == list(ones)
    assert same(found, darts(space))


@on_both
def test_strength_of_zero_is_darts_bit_by_bit(space: str) -> None:
    training = replace(METHODS["corr"], strength=0.0, operations=FEWER[space])
    assert same(trained(space, training), darts(space))


@on_both
@pytest.mark.parametrize("method", METHODS)
def test_every_method_goes_its_own_way(space: str, method: str) -> None:
    trainer = trained(space, replace(METHODS[method], operations=FEWER[space]))
    beginning = trainer.training.trainer(SPACES[space], DIGITS, seed=0)
    for name, alpha in trainer.relaxation.alpha.items():
        assert not torch.equal(alpha, beginning.relaxation.alpha[name])
    assert not same(trainer, darts(space))
    assert all(-1 <= found.alignment <= 1 for found in trainer.derived)
    SPACES[space].validate(trainer.derived[-1].architecture)


@on_both
def test_architecture_parameters_rest_while_they_are_frozen(space: str) -> None:
    trainer = replace(METHODS["pc_darts"], operations=FEWER[space]).trainer(SPACES[space], DIGITS, seed=0)
    start = {name: value.clone() for name, value in trainer.relaxation.state_dict().items()}
    for rests in (True, False):
        trainer.run_epoch()
        found = trainer.relaxation.state_dict().items()
        assert all(torch.equal(value, start[name]) for name, value in found) is rests


@on_both
def test_shares_of_the_edges_into_a_node_add_up_to_one(space: str) -> None:
    tables = SPACES[space].mixed(DIGITS.dataset).tables
    relaxation = Relaxation(tables, edge_normalisation=True)
    with torch.no_grad():
        for beta in relaxation.beta.values():
            beta.copy_(3 * torch.randn_like(beta))
        shares = relaxation.edges()
    assert shares is not None
    for name, edges in tables.items():
        for node in {edge.target for edge in edges}:
            places = [place for place, edge in enumerate(edges) if edge.target == node]
            assert float(shares[name][places].sum()) == pytest.approx(1, abs=1e-6)


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
    training = replace(METHODS[measure], operations=operations, images=16)
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


def test_synflow_of_the_edges_from_a_darts_cells_inputs_is_the_output_for_each_cell_that_all_paths_cross() -> None:
    """A path takes one edge of a cell that begins at an input; without edges from older cells it crosses all cells."""
    supernet = NASBench301(4, 3).mixed(Dataset("small", 3, channels=2, size=8))
    edges, alpha = supernet.tables["normal"], {name: torch.ones(14, 8) for name in supernet.tables}
    alpha["reduction"][[edge.source == 0 for edge in edges]] = 0
    found = synflow(supernet, alpha, (torch.ones(1, 2, 8, 8), torch.tensor([0])))
    from_inputs = [edge.source in {0, 1} for edge in edges]
    for module in supernet.double().modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    with torch.no_grad():
        for name, weight in supernet.named_parameters():
            weight.copy_(torch.zeros_like(weight) if name.endswith("bias") else weight.abs())
        supernet.mix([alpha[name].double() for name in supernet.cells])
        output = float(supernet(torch.ones(1, 2, 8, 8).double()).sum())
    assert math.isfinite(output)
    for name, values in found.items():
        assert float(values[from_inputs].sum()) == pytest.approx(supernet.cells.count(name) * output, rel=1e-12)
