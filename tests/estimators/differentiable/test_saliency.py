"""Saliencies of operations, against finite differences and plain passes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchsuite.core.types import Dataset
from benchsuite.estimators.differentiable.saliency import SALIENCIES, grasp, pruned, rounds, snip, synflow
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench301.space import NASBench301


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


DATA = Dataset("small", 3, channels=2, size=8)

SMALL = NASBench201(channels=4, cells=1)

CUTS = (("1<-0", "2<-0", "3<-0"), ("3<-0", "3<-1", "3<-2"), ("2<-0", "2<-1", "3<-0", "3<-1"))


def batch(data=DATA, size=6, dtype=torch.float32):
    rng = torch.Generator().manual_seed(1)
    return torch.randn(size, *data.shape, generator=rng, dtype=dtype), torch.arange(size) % data.classes


def drawn_alpha(supernet, dtype=torch.float32):
    rng = torch.Generator().manual_seed(2)
    return {
        name: torch.rand(len(edges), len(edges[0].operations), generator=rng, dtype=dtype) - 0.5
        for name, edges in supernet.tables.items()
    }


def ones(supernet):
    return {name: torch.ones_like(values) for name, values in drawn_alpha(supernet).items()}


def smooth(supernet):
    """The supernet in float64, without kinks: finite differences hold."""
    for module in supernet.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.Softplus())
    return supernet.double()


def loss_gradient(supernet, alpha, data):
    leaves = {name: values.clone().requires_grad_() for name, values in alpha.items()}
    supernet.train()
    supernet.mix([leaves[name] for name in supernet.cells])
    return torch.autograd.grad(cross_entropy(supernet(data[0]), data[1]), list(leaves.values()))


def loss(supernet, alpha, data):
    supernet.train()
    supernet.mix([alpha[name] for name in supernet.cells])
    with torch.no_grad():
        return float(cross_entropy(supernet(data[0]), data[1]))


def test_snip_is_what_finite_differences_of_the_loss_give():
    supernet, data = smooth(SMALL.mixed(DATA)), batch(dtype=torch.float64)
    alpha = drawn_alpha(supernet, torch.float64)
    found = snip(supernet, alpha, data)["cell"]
    for edge, operation in itertools.product(range(6), range(5)):
        step = torch.zeros(6, 5, dtype=torch.float64)
        step[edge, operation] = 1e-5
        up, down = ({"cell": alpha["cell"] + sign * step} for sign in (1, -1))
        slope = (loss(supernet, up, data) - loss(supernet, down, data)) / 2e-5
        expected = abs(float(alpha["cell"][edge, operation]) * slope)
        assert float(found[edge, operation]) == pytest.approx(expected, rel=1e-5, abs=1e-10)


def test_grasp_is_what_finite_differences_of_the_gradient_give():
    supernet, data = smooth(SMALL.mixed(DATA)), batch(dtype=torch.float64)
    alpha = drawn_alpha(supernet, torch.float64)
    [gradient] = loss_gradient(supernet, alpha, data)
    up, down = (loss_gradient(supernet, {"cell": alpha["cell"] + s * 1e-5 * gradient}, data)[0] for s in (1, -1))
    expected = -alpha["cell"] * (up - down) / 2e-5
    torch.testing.assert_close(grasp(supernet, alpha, data)["cell"], expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("space", [SMALL, NASBench301(channels=4, cells=3)])
@pytest.mark.parametrize("name", SALIENCIES)
def test_saliencies_are_finite_none_has_none_and_those_of_snip_and_synflow_are_not_negative(space, name):
    supernet = space.mixed(DATA)
    for alpha in (ones(supernet), drawn_alpha(supernet)):
        found = SALIENCIES[name](supernet, alpha, batch())
        for values in found.values():
            assert values.dtype == torch.float64
            assert bool(values.isfinite().all())
            assert bool((values[:, 0] == 0).all())
            assert bool((values[:, 1:] != 0).any())
            assert name == "grasp" or bool((values >= 0).all())


def test_synflow_needs_neither_labels_nor_images_and_the_supernet_comes_back():
    supernet = SMALL.mixed(DATA)
    before = {name: value.clone() for name, value in supernet.state_dict().items()}
    alpha = drawn_alpha(supernet)
    first = synflow(supernet, alpha, batch())["cell"]
    second = synflow(supernet, alpha, (torch.full((2, 2, 8, 8), torch.nan), torch.tensor([])))["cell"]
    assert torch.equal(first, second)
    assert all(torch.equal(value, before[name]) for name, value in supernet.state_dict().items())
    assert next(supernet.parameters()).dtype == torch.float32


def linear_output(supernet):
    """Sum of the logits of a supernet with alpha 1, absolute weights, no biases and no normalisation: by hand."""
    supernet.double()
    for module in supernet.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    with torch.no_grad():
        for name, weight in supernet.named_parameters():
            weight.copy_(torch.zeros_like(weight) if name.endswith("bias") else weight.abs())
        supernet.mix([torch.ones(6, 5, dtype=torch.float64)] * len(supernet.cells))
        return float(supernet(torch.ones(1, 3, 32, 32, dtype=torch.float64)).sum())


def test_synflow_of_every_cut_of_the_full_cell_is_fifteen_times_the_output():
    supernet = NASBench201().mixed("cifar10")
    found = synflow(supernet, ones(supernet), batch(Dataset("cifar10", 10), 1))["cell"]
    by_edge = dict(zip(("1<-0", "2<-0", "2<-1", "3<-0", "3<-1", "3<-2"), found.sum(1).tolist(), strict=True))
    output = linear_output(supernet)
    assert np.isfinite(output)
    for cut in CUTS:
        assert sum(by_edge[edge] for edge in cut) == pytest.approx(15 * output, rel=1e-12)


def test_pruning_measures_anew_after_each_operation_and_leaves_one_on_each_edge():
    supernet = SMALL.mixed(DATA)
    asked = []

    def measure(masks):
        asked.append(masks["cell"].clone())
        return snip(supernet, masks, batch())

    values, left = pruned(supernet.tables, measure)
    assert len(asked) == rounds(supernet.tables) == 19
    assert bool((asked[0] == torch.tensor([0.0, 1, 1, 1, 1])).all())
    assert left["cell"].sum(1).tolist() == [1] * 6
    for before, after in itertools.pairwise(asked):
        [[edge, operation]] = (before - after).nonzero().tolist()
        seen = snip(supernet, {"cell": before}, batch())["cell"]
        rivals = seen[(before > 0) & (before.sum(1, keepdim=True) > 1)]
        assert float(seen[edge, operation]) == float(rivals.min()) == float(values["cell"][edge, operation])
    final = snip(supernet, left, batch())["cell"]
    assert torch.equal(values["cell"][left["cell"] > 0], final[left["cell"] > 0])
