"""Supernets of the NDS spaces against networks of their own with the first blocks, rows and columns of its weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from supernets import modules_called, shared_steps, touched

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.spaces.nds.space import NDSResNet, NDSResNeXtA

RESNET = NDSResNet(channels=3, width_divisor=16, depth_divisor=8)
RESNEXT = NDSResNeXtA(channels=3, width_divisor=8, depth_divisor=8)
SPACES = (RESNET, RESNEXT, NDSResNet(channels=16, width_divisor=16, depth_divisor=24))
WIDEST, NARROWEST = "d24-w256/d24-w256/d24-w256", "d1-w16/d1-w16/d1-w16"


def data(size=12):
    return Dataset("small", 3, channels=2, size=size)


def own_network(space, supernet, architecture, size):
    """The architecture's own network with weights of the supernet, and where in the supernet each weight is.

    A place is the name of a weight and the rows and columns that are used, one of each per kernel.
    """
    own, depth = space.build(architecture, data(size)), supernet.depth
    numbers = [
        stage * depth + place for stage, row in enumerate(space.stages(architecture)) for place in range(len(row))
    ]
    modules, state, places = dict(own.named_modules()), supernet.state_dict(), {}
    for name, weight in own.state_dict().items():
        parts = name.split(".")
        if parts[0] == "blocks":
            parts[1] = str(numbers[int(parts[1])])
        groups = getattr(modules[name.rpartition(".")[0]], "groups", 1)
        rows = torch.arange(weight.shape[0]) if weight.ndim else ...
        if weight.ndim > 1:
            columns = torch.arange(weight.shape[1])
            first = rows // (weight.shape[0] // groups) * weight.shape[1]  # input channel of each row's group
            rows = (rows[:, None], first[:, None] + columns)
        places[name] = "network." + ".".join(parts), rows
    own.load_state_dict({name: state[there][rows] for name, (there, rows) in places.items()})
    return own, places


@pytest.mark.parametrize("space", SPACES, ids=["resnet", "resnext", "as wide as the stem"])
@pytest.mark.parametrize("size", [12, 16])
def test_active_architecture_computes_what_its_own_network_with_the_same_weights_does(space, size):
    torch.manual_seed(0)
    supernet, rng = space.supernet(data(size)), np.random.default_rng(size)
    images, weights = torch.randn(5, 2, size, size), dict(supernet.named_parameters())
    for architecture in [space.draw(rng) for _ in range(10)]:
        own, places = own_network(space, supernet, architecture, size)
        supernet.activate(architecture)
        assert torch.equal(supernet(images), own(images)), architecture
        assert touched(supernet, images) == {places[name][0] for name, _ in own.named_parameters()}
        own(images).sum().backward()
        for name, weight in own.named_parameters():
            there, rows = places[name]
            expected = torch.zeros_like(weights[there])
            expected[rows] = weight.grad
            torch.testing.assert_close(weights[there].grad, expected, rtol=1e-3, atol=1e-4)
        assert len(modules_called(supernet, images)) <= len(modules_called(own, images))


def test_running_statistics_are_those_of_the_first_channels():
    supernet, images = RESNET.supernet(data()), torch.randn(5, 2, 12, 12)
    architecture = "d16-w64/d8-w128/d4-w32"
    own, _ = own_network(RESNET, supernet, architecture, 12)
    supernet.activate(architecture)
    for network in (supernet, own):
        network(images)
        network.eval()
    assert torch.equal(supernet(images), own(images))
    assert torch.equal(supernet.blocks[0].path[1].running_mean[4:], torch.zeros(12))


def test_statistics_of_all_batches_alike_are_their_mean():
    supernet = RESNET.supernet(data())
    supernet.activate(NARROWEST)
    for module in supernet.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
            module.reset_running_stats()
    own, _ = own_network(RESNET, supernet, NARROWEST, 12)
    for module in own.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    for images in torch.randn(3, 5, 2, 12, 12):
        supernet(images)
        own(images)
    ours, theirs = supernet.blocks[0].path[1], own.blocks[0].path[1]
    assert torch.equal(ours.running_var[:1], theirs.running_var)
    assert ours.num_batches_tracked == theirs.num_batches_tracked == 3


def test_supernet_has_the_weights_of_the_widest_architecture_and_a_projection_for_those_that_need_it():
    def count(network):
        return sum(weight.numel() for weight in network.parameters())

    assert count(RESNET.supernet(data())) == count(RESNET.build(WIDEST, data()))
    # 16 channels throughout need no projection in the first stage; all narrower ones do, of at most 12 channels
    space = SPACES[2]
    assert count(space.supernet(data())) == count(space.build(WIDEST, data())) + 16 * 12 + 2 * 12


def test_steps_with_equal_keys_give_equal_values():
    supernet, images = RESNET.supernet(data()), torch.randn(3, 2, 12, 12)
    architectures = ["d8-w32/d8-w16/d8-w16", "d16-w32/d8-w16/d8-w16", "d8-w32/d8-w16/d8-w64", "d8-w64/d8-w16/d8-w16"]
    # stem and first stage; stem and two stages; stem
    assert shared_steps(supernet, architectures, images) == 2 + 3 + 1
    supernet, rng = RESNEXT.supernet(data()), np.random.default_rng(0)
    assert shared_steps(supernet, [RESNEXT.draw(rng) for _ in range(30)], images) > 29


def test_chosen_modules_are_the_blocks_that_are_run():
    supernet = RESNET.supernet(data())
    supernet.activate("d16-w32/d8-w16/d24-w16")
    assert [supernet.blocks.index(block) for block in supernet.active_choices()] == [0, 1, 3, 6, 7, 8]


def test_depths_and_widths_are_no_operations_to_choose_or_replace():
    reason = "'nds_resnet' does not offer operations to choose or replace: its depths and widths share"
    for ability in (
        RESNET.operation_choices,
        lambda: RESNET.with_operations(NARROWEST, []),
        lambda: RESNET.supernet(data(), substitute={"skip_connect": torch.nn.Identity}),
    ):
        with pytest.raises(UnsupportedError, match=reason):
            ability()
