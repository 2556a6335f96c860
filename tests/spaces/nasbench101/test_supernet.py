"""The supernet of NAS-Bench-101 against networks of their own with the first rows and columns of its weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from supernets import modules_called, shared_steps, touched
from torch import nn

from benchsuite.core.errors import UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.spaces.nasbench101.network import NASBench101Cell
from benchsuite.spaces.nasbench101.space import NASBench101
from benchsuite.spaces.supernet import without_affine

SMALL = NASBench101(channels=6, cells=2, stacks=2)
EDGE, WIDE = ":0-1", "conv3x3,conv1x1,maxpool3x3,conv3x3:0-1,0-2,0-3,0-4,1-5,2-5,3-5,4-5,0-5"


def data(size=12):
    return Dataset("small", 3, channels=2, size=size)


def own_network(supernet, architecture, size):
    """The architecture's own network with weights of the supernet, and the supernet's name of each of its weights."""
    own, operations = SMALL.build(architecture, data(size)), SMALL.operations(architecture)
    for cell in own.modules():
        if isinstance(cell, NASBench101Cell):
            without_affine(cell)
    state, names = supernet.state_dict(), {}
    for name in own.state_dict():
        parts = name.split(".")
        if "operations" in parts:
            parts.insert(4, operations[int(parts[3])])
        elif "projections" in parts:
            vertex = int(parts[3])
            parts[3] = "5" if vertex == len(operations) + 1 else str(vertex - 1)
        names[name] = "network." + ".".join(parts)
    first = {
        name: state[names[name]][tuple(slice(length) for length in weight.shape)]
        for name, weight in own.state_dict().items()
    }
    own.load_state_dict(first)
    return own, names


@pytest.mark.parametrize("size", [12, 16])
def test_active_architecture_computes_what_its_own_network_with_the_same_weights_does(size):
    torch.manual_seed(0)
    supernet, rng = SMALL.supernet(data(size)), np.random.default_rng(size)
    images = torch.randn(5, 2, size, size)
    for architecture in [EDGE, WIDE, *(SMALL.equivalent(SMALL.draw(rng), rng) for _ in range(10))]:
        own, names = own_network(supernet, architecture, size)
        supernet.activate(architecture)
        assert torch.equal(supernet(images), own(images)), architecture
        gradients = touched(supernet, images)
        own(images).sum().backward()
        assert gradients == {names[name] for name, _ in own.named_parameters()}
        weights = dict(supernet.named_parameters())
        for name, weight in own.named_parameters():
            found, expected = weights[names[name]].grad, torch.zeros_like(weights[names[name]])
            expected[tuple(slice(length) for length in weight.shape)] = weight.grad
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
        assert len(modules_called(supernet, images)) == len(modules_called(own, images))


def test_running_statistics_are_those_of_the_first_channels():
    supernet, images = SMALL.supernet(data()), torch.randn(5, 2, 12, 12)
    own, _ = own_network(supernet, WIDE, 12)
    supernet.activate(WIDE)
    for network in (supernet, own):
        network(images)
        network.eval()
    assert torch.equal(supernet(images), own(images))
    untouched = supernet.cells[0].operations[0]["conv3x3"][1].running_mean[2:]
    assert torch.equal(untouched, torch.zeros_like(untouched))


def test_vertices_without_a_path_are_neither_run_nor_given_a_position():
    supernet, images = SMALL.supernet(data()), torch.randn(5, 2, 12, 12)
    supernet.activate("conv3x3,conv1x1:0-1,0-2,2-3")
    logits = supernet(images)
    supernet.activate("conv1x1:0-1,1-2")
    assert torch.equal(supernet(images), logits)
    assert [id(module) for module in supernet.active_choices()] == [
        id(cell.operations[0]["conv1x1"]) for cell in supernet.cells
    ]


def test_substitutes_are_sliced():
    supernet = SMALL.supernet(data(), substitute={"maxpool3x3": lambda width: nn.Conv2d(width, width, 1, bias=False)})
    supernet.activate(WIDE)
    images = torch.randn(5, 2, 12, 12)
    stand_in = [f"network.layers.{layer}.operations.2.maxpool3x3.weight" for layer in (0, 1, 3, 4)]
    assert set(stand_in) <= touched(supernet, images)
    gradient = dict(supernet.named_parameters())[stand_in[0]].grad
    assert gradient.shape == (6, 6, 1, 1)
    assert gradient[:1, :1].abs().sum() > 0
    assert gradient.abs().sum() == gradient[:1, :1].abs().sum()
    with pytest.raises(UnknownNameError, match="no operation to substitute named 'skip_connect'"):
        SMALL.supernet(data(), substitute={"skip_connect": nn.Identity})
    with pytest.raises(UnsupportedError, match="convolutions of 6 groups cannot be sliced"):
        SMALL.supernet(data(), substitute={"maxpool3x3": lambda width: nn.Conv2d(width, width, 1, groups=width)})


def test_steps_with_equal_keys_give_equal_values():
    supernet, rng = SMALL.supernet(data()), np.random.default_rng(0)
    chain = "conv3x3,conv1x1:0-1,1-2,2-3"
    # stem and both vertices, as the edge from input to output changes neither; then with another width the stem alone
    alike = [chain, chain + ",0-3", "conv3x3,conv1x1:0-1,0-2,1-3,2-3"]
    assert shared_steps(supernet, alike, torch.randn(3, 2, 12, 12)) == 3 + 1
    assert shared_steps(supernet, [SMALL.draw(rng) for _ in range(30)], torch.randn(3, 2, 12, 12)) > 29


def test_positions_differ_between_modules_so_there_is_no_table_of_choices():
    for ability in (SMALL.operation_choices, lambda: SMALL.with_operations(EDGE, [])):
        with pytest.raises(
            UnsupportedError, match="does not offer a table of choices with the same positions in all architectures"
        ):
            ability()


def test_drawn_modules_are_canonical():
    rng = np.random.default_rng(0)
    drawn = [SMALL.draw(rng) for _ in range(20)]
    assert drawn == [SMALL.canonical(architecture) for architecture in drawn]
    assert len(set(drawn)) == 20
