"""The networks of the DARTS space against their definition in the paper."""

from __future__ import annotations

import pytest
import torch
from darts_cells import DEAD, FIRST_ONLY, GENOTYPES, IMAGES, PLAIN, SPACE, TINY, architectures
from hypothesis import example, given, settings
from torch import nn
from torch.nn import functional

from benchsuite.spaces.nasbench301.cells import live_part, whole
from benchsuite.spaces.nasbench301.space import NASBench301
from benchsuite.spaces.nasbench301.strings import from_genotype, parse


@pytest.mark.parametrize("architecture", DEAD)
@pytest.mark.parametrize("number", [3, 5])
def test_what_none_cuts_off_changes_no_output_and_is_not_built(architecture, number):
    space = NASBench301(channels=2, cells=number)
    kept, dropped = (space.build(architecture, IMAGES, dead=dead) for dead in ("keep", "drop"))
    dropped.load_state_dict({name: kept.state_dict()[name] for name in dropped.state_dict()})
    images = torch.randn(4, 1, 12, 12)
    logits = dropped(images)
    torch.testing.assert_close(logits, kept(images))
    assert len(list(dropped.parameters())) < len(list(kept.parameters()))
    parameters = list(dropped.parameters())
    assert None not in torch.autograd.grad(logits.sum(), parameters, allow_unused=True)


def test_a_cell_whose_output_nothing_reads_is_not_built():
    network = NASBench301(channels=2, cells=6).build(f"{FIRST_ONLY}/{FIRST_ONLY}", IMAGES)
    assert list(network.cells) == ["1", "3", "5"]


def test_without_none_everything_is_live():
    name = from_genotype(GENOTYPES["DARTS_V1"])
    for cell in parse(name):
        assert live_part(cell) == whole(cell)
    kept, dropped = (TINY.build(name, IMAGES, dead=dead) for dead in ("keep", "drop"))
    assert kept.state_dict().keys() == dropped.state_dict().keys()


def shuffled_half(module, features):
    """A factorised reduction by its definition: even and odd pixels, each to half of the channels."""
    positive = features.clamp(min=0)
    halves = [
        torch.einsum("oc,nchw->nohw", convolution.weight[:, :, 0, 0], positive[:, :, start::2, start::2])
        for start, convolution in enumerate((module.even, module.odd))
    ]
    return module.normalisation(torch.cat(halves, 1))


def separable(module, features, dilation=1):
    _, depthwise, pointwise, normalisation = module
    padding = dilation * (depthwise.weight.shape[-1] // 2)
    padded = functional.pad(features.clamp(min=0), [padding] * 4)
    patches = functional.unfold(padded, depthwise.kernel_size, dilation, stride=depthwise.stride)
    patches = patches.unflatten(1, (features.shape[1], -1))
    filtered = torch.einsum("nckp,ck->ncp", patches, depthwise.weight.flatten(1))
    mixed = torch.einsum("oc,ncp->nop", pointwise.weight[:, :, 0, 0], filtered)
    return normalisation(mixed.unflatten(2, (-1, int(mixed.shape[2] ** 0.5))))


def operation_by_definition(name, module, features, stride):
    """What an operation gives, written with other functions than the modules are."""
    if name == "skip_connect":
        return features if stride == 1 else shuffled_half(module, features)
    if name == "max_pool_3x3":
        patches = functional.unfold(functional.pad(features, [1] * 4, value=-torch.inf), 3, stride=stride)
        return patches.unflatten(1, (-1, 9)).amax(2).unflatten(2, (features.shape[2] // stride, -1))
    if name == "avg_pool_3x3":
        sums, ones = (functional.avg_pool2d(it, 3, stride, 1) for it in (features, torch.ones_like(features)))
        return sums / ones
    if name.startswith("dil"):
        return separable(module, features, dilation=2)
    return separable(module[1], separable(module[0], features))


def network_by_definition(network, architecture, images, reductions):
    """The forward pass as the paper tells it."""
    states = [network.stem(images)] * 2
    for position, cell in enumerate(network.cells.values()):
        nodes = [
            shuffled_half(it, state) if hasattr(it, "odd") else it[2](it[1](state.clamp(min=0)))
            for it, state in zip((cell.input_0, cell.input_1), states, strict=True)
        ]
        for node, pair in enumerate(parse(architecture)[position in reductions], start=2):
            total = 0
            for name, source in pair:
                stride = 2 if position in reductions and source < 2 else 1
                module = getattr(cell, f"edge_{node}_{source}", None)
                total = total + operation_by_definition(name, module, nodes[source], stride)
            nodes.append(total)
        states = [states[1], torch.cat(nodes[2:], 1)]
    return network.classifier(states[1].flatten(2).mean(2))


@given(architectures)
@settings(max_examples=8)
@example(f"{PLAIN}/{PLAIN}")
def test_networks_compute_what_the_paper_defines(architecture):
    network = NASBench301(channels=2, cells=4).build(architecture, IMAGES)
    images = torch.randn(3, 1, 12, 12)
    torch.testing.assert_close(
        network(images), network_by_definition(network, architecture, images, {1, 2}), rtol=1e-3, atol=1e-4
    )


def test_networks_have_the_published_layout():
    network = SPACE.build(from_genotype(GENOTYPES["DARTS_V1"]), "cifar100")
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 100)
    assert network.stem[0].out_channels == 96
    widths = [cell.input_1[1].out_channels for cell in network.cells.values()]
    assert widths == [32, 32, 64, 64, 64, 128, 128, 128]
    halving = [number for number, cell in network.cells.items() if hasattr(cell.input_0, "odd")]
    assert halving == ["3", "6"]
    normalisations = [it for it in network.modules() if isinstance(it, nn.BatchNorm2d)]
    assert all(it.affine and it.track_running_stats for it in normalisations)
