"""The Zen score and the features that it reads, against plain formulas."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from probed_networks import batch, make, score
from torch import nn
from torch.nn import functional

from benchsuite import load_space
from benchsuite.core.errors import UnsupportedError
from benchsuite.core.identity import seed_of
from benchsuite.core.registry import make_space
from benchsuite.core.types import Dataset
from benchsuite.estimators.zero_shot.zen import Zen, features_of


@torch.no_grad()
def drawn(network, inputs, seed, variance):
    """Zen score of a Sequential by its definition; `variance` turns each normalisation's batch variances into one."""
    rng = torch.Generator().manual_seed(seed_of("zen", seed))
    layers = copy.deepcopy(network).train()
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.weight.data = torch.randn(layer.weight.shape, generator=rng, dtype=torch.float64)
            layer.bias = None
    start = torch.randn(inputs.shape, generator=rng, dtype=torch.float64)
    features = [start, start + 0.01 * torch.randn(inputs.shape, generator=rng, dtype=torch.float64)]
    scales = 0.0
    for layer in layers:
        if isinstance(layer, nn.AdaptiveAvgPool2d):
            break
        if isinstance(layer, nn.BatchNorm2d):
            maps = [each.transpose(0, 1).flatten(1).detach().numpy() for each in features]
            scales += math.log(math.sqrt(np.mean(variance(*maps))))
        features = [layer(each) for each in features]
    return math.log(float((features[0] - features[1]).abs().sum((1, 2, 3)).mean())) + scales


def running_variance(first, second):
    variance = np.ones(len(first))
    for maps in (first, second):
        variance = 0.9 * variance + 0.1 * maps.var(1, ddof=1)
    return variance


def batch_variance(first, second):
    return first.var(1)


@pytest.mark.parametrize(("bn", "variance"), [("running", running_variance), ("batch", batch_variance)])
@pytest.mark.parametrize("kind", ["batch norm", "group norm", "no norm"])
def test_zen_follows_its_definition(kind, bn, variance):
    network, (inputs, targets) = make(kind), batch()
    expected = drawn(network, inputs, 4, variance)
    assert score(Zen(bn=bn), network, (inputs, targets), seed=4) == pytest.approx(expected, rel=1e-9)


def test_running_variances_start_anew_whatever_the_network_has_seen():
    network, images = make("batch norm"), batch()
    expected = score(Zen(repeats=3), network, images)
    for layer in network:
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum, layer.running_var[:] = None, 1e6
    assert score(Zen(repeats=3), network, images) == expected
    network[1] = nn.BatchNorm2d(8, affine=False, track_running_stats=False)
    assert score(Zen(repeats=3), network, images) == expected
    assert network[1].running_var is None


def test_zen_of_one_linear_channel_is_that_of_its_change():
    network, (inputs, targets) = nn.Conv2d(3, 1, 1).double(), batch()
    rng = torch.Generator().manual_seed(seed_of("zen", 0))
    weight, _, change = (
        torch.randn(shape, generator=rng, dtype=torch.float64) for shape in [(3,), inputs.shape, inputs.shape]
    )
    moved = 0.01 * torch.einsum("c,nchw->nhw", weight, change).abs().sum((1, 2)).mean()
    # no pooling, no classifier: the output is what a pooling would read
    network = nn.Sequential(network, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert score(Zen(), network, (inputs, targets)) == pytest.approx(math.log(moved), rel=1e-9)
    with_norm = nn.Sequential(network[0], nn.BatchNorm2d(1).double(), *network[1:])
    found = score(Zen(bn="batch"), with_norm, (inputs, targets))
    assert found == pytest.approx(math.log(moved), abs=0.02), "the scale that normalisation removes is put back"


def test_zen_knows_neither_weights_nor_images_but_the_seed():
    network, (inputs, targets) = make("batch norm"), batch()
    expected = score(Zen(), network, (inputs, targets))
    assert score(Zen(), make("batch norm", seed=7), (inputs * 3 + 1, targets * 0)) == expected
    assert score(Zen(), network, (inputs, targets), seed=1) != expected
    draws = [score(Zen(), network, (inputs, targets), seed=seed) for seed in range(10)]
    assert score(Zen(repeats=50), network, (inputs, targets)) == pytest.approx(np.mean(draws), abs=2 * np.std(draws))


@pytest.mark.parametrize("kind", ["batch norm", "group norm"])
def test_zen_resets_normalisations_and_biases(kind):
    network, images = make(kind), batch()
    expected = score(Zen(), network, images)
    for parameter in network.parameters():
        parameter.data.fill_(3.0)
    assert score(Zen(), network, images) == expected


def test_zen_is_undefined_where_nothing_moves():
    class Constant(nn.Module):
        def forward(self, features):
            return features * 0

    network = nn.Sequential(nn.Conv2d(3, 4, 3), Constant(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))
    for estimator in (Zen(), Zen(bn="batch"), Zen(repeats=2)):
        assert math.isnan(score(estimator, network, batch(dtype=torch.float32)))
    normalised = nn.Sequential(network[0], network[1], nn.BatchNorm2d(4), *network[2:])
    assert math.isnan(score(Zen(bn="batch"), normalised, batch(dtype=torch.float32)))


class Functional(nn.Module):
    """Head written with functions: ReLU and concatenation, then pooling in one of several ways."""

    def __init__(self, pool):
        super().__init__()
        self.first, self.second, self.last = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3), nn.Linear(8, 5)
        self.pool = pool

    def expected(self, images):
        return functional.relu(torch.cat([self.first(images), self.second(images)], 1))

    def forward(self, images):
        return self.last(self.pool(self.expected(images)).view(images.size(0), -1))


@pytest.mark.parametrize(
    "pool",
    [
        lambda features: features.mean((2, 3)),
        lambda features: features.mean(3).mean(2),
        lambda features: features.flatten(2).mean(2),
        lambda features: features.view(len(features), 8, -1).sum(-1),
        lambda features: features.amax(dim=(2, 3)),
        lambda features: functional.adaptive_avg_pool2d(features, 1),
        lambda features: functional.avg_pool2d(features, features.shape[2]),
        nn.AdaptiveMaxPool2d(1),
        lambda features: torch.einsum("nchw->nc", features),
    ],
)
@pytest.mark.parametrize("number", [1, 4])
def test_the_features_are_what_pooling_reads_however_it_is_written(pool, number):
    network, (images, _) = Functional(pool), batch(number, dtype=torch.float32)
    with torch.no_grad():
        assert torch.equal(features_of(network, images), network.expected(images))


class Gated(nn.Module):
    """Squeeze-and-excitation: pooling, layers and batch normalisation beside the main path."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.Sigmoid())

    def forward(self, features):
        return features * self.gate(features)


def test_features_of_networks_with_more_than_one_pooling():
    images = batch(dtype=torch.float32)[0]
    body = nn.Sequential(nn.Conv2d(3, 4, 3), Gated(), nn.ReLU())
    late = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 9, 1), nn.Hardswish(), nn.Flatten(), nn.Linear(9, 5))
    with torch.no_grad():
        assert torch.equal(features_of(nn.Sequential(body, late), images), body(images))


def test_features_of_one_position_are_known_by_their_normalisation():
    images = batch(dtype=torch.float32)[0]
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 6), nn.BatchNorm2d(6), nn.ReLU())
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5))
    with torch.no_grad():
        assert torch.equal(features_of(nn.Sequential(body, head), images), body(images))


@pytest.mark.parametrize(
    ("space", "sizes", "name"),
    [
        ("nasbench101", {"channels": 4, "cells": 1}, "layers"),
        ("nasbench201", {"channels": 4, "cells": 1}, "last"),
        ("nasbench301", {"channels": 4, "cells": 3}, "cells"),
        ("macro", {"channels": 4, "head": 8}, "last"),
        ("nds_resnet", {}, "blocks"),
    ],
)
def test_features_of_the_networks_of_the_spaces(space, sizes, name):
    chosen = make_space(space, {**load_space(space).sizes, **sizes})
    [architecture] = chosen.sample(1, np.random.default_rng(1))
    network = chosen.build(architecture, Dataset("noise", classes=5, size=16))
    module, found = network.get_submodule(name), []
    last = list(module.children())[-1] if isinstance(module, nn.ModuleDict) else module
    last.register_forward_hook(lambda module, inputs, output: found.append(output))
    with torch.no_grad():
        features = features_of(network, torch.randn(3, 3, 16, 16))
    assert torch.equal(features, found[0])


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (make("tokens"), "layers on sequences"),
        (nn.Sequential(nn.Flatten(), nn.Linear(192, 9), nn.ReLU(), nn.Linear(9, 5)).double(), "needs feature maps"),
    ],
)
def test_a_network_without_pooled_features_is_refused_with_the_reason(network, message):
    with pytest.raises(UnsupportedError, match=message):
        score(Zen(), network, batch())
