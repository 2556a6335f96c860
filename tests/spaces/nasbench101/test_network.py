"""The networks of NAS-Bench-101 against those of nasbench-pytorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from nasbench101_modules import KNOWN, PROJECTION, SPACE, UNEVEN
from torch import nn

from benchsuite.core.types import Dataset
from benchsuite.spaces.nasbench101.space import NASBench101
from benchsuite.spaces.nasbench101.strings import parse

TINY = NASBench101(channels=5, cells=2, stacks=2)


def their_weights(ours, theirs):
    """Copy a network's weights, and random statistics, into nasbench-pytorch's network of the same module."""
    pairs = [(ours.stem, theirs.layers[0].conv_bn_relu), (ours.classifier, theirs.classifier)]
    for mine, other in zip(ours.layers, list(theirs.layers)[1:], strict=True):
        if hasattr(mine, "projections"):
            pairs += [(it, other.input_op[int(at)].conv_bn_relu) for at, it in mine.projections.items()]
            both = zip(mine.operations, list(other.vertex_op)[1:], strict=True)
            pairs += [(it, next(at.children()).conv_bn_relu) for it, at in both if not isinstance(it, nn.MaxPool2d)]
    for mine, other in pairs:
        for name, value in mine.state_dict().items():
            if value.is_floating_point() and value.dim() == 1:
                value.uniform_(0.5, 1.5)
            other.state_dict()[name].copy_(value)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("architecture", [KNOWN, PROJECTION, UNEVEN, *SPACE.sample(6, np.random.default_rng(1))])
def test_networks_compute_what_the_public_ones_compute(architecture, training):
    model = pytest.importorskip("nasbench_pytorch.model.model")
    matrix, operations = parse(architecture)
    official = [f"{it}-bn-relu" if "conv" in it else it for it in operations]
    spec = (np.array(matrix), ["input", *official, "output"])
    theirs = model.Network(spec, 4, 2, TINY.channels, TINY.stacks, TINY.cells).double().train(training)
    ours = TINY.build(architecture, Dataset("some", classes=4, channels=2, size=8)).double().train(training)
    their_weights(ours, theirs)
    images = torch.randn(3, 2, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(ours(images), theirs(images), rtol=1e-12, atol=1e-12)


def test_networks_start_as_the_benchmarks_do():
    network = NASBench101(channels=64, cells=1, stacks=2).build("conv3x3:0-1,0-2,1-2", "cifar10")
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            weights, fan_in = module.weight.detach(), module.weight[0].numel()
            assert float(weights.std()) == pytest.approx(fan_in**-0.5, rel=0.05)
            assert float(weights.abs().max()) <= 2 * fan_in**-0.5 / 0.8796
        elif isinstance(module, nn.BatchNorm2d):
            assert module.eps == 1e-5
    assert not network.classifier.bias.any()
    assert float(network.classifier.weight.detach().std()) == pytest.approx((2 / (128 + 10)) ** 0.5, rel=0.1)


def test_the_full_network_has_the_published_layout():
    network = SPACE.build("conv3x3:0-1,1-2", "cifar10")
    outputs = [it.out_channels for it in network.modules() if isinstance(it, nn.Conv2d)]
    assert outputs == [128] * 7 + [256] * 6 + [512] * 6
    assert sum(isinstance(it, nn.MaxPool2d) for it in network.layers) == 2
