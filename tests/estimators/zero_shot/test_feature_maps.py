"""meco and zen: scores from feature maps agree with their definitions."""

from __future__ import annotations

import copy
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from probed_networks import Blind, batch, make
from torch import nn
from torch.nn import functional

from benchsuite import load_space
from benchsuite.core.errors import SuiteError, UnsupportedError
from benchsuite.core.identity import seed_of
from benchsuite.core.registry import make_estimator, make_space
from benchsuite.core.types import Dataset
from benchsuite.estimators.zero_shot.meco import MeCo, smallest_eigenvalue
from benchsuite.estimators.zero_shot.scoring import probe_network
from benchsuite.estimators.zero_shot.zen import Zen, features_of
from benchsuite.testing import check_estimator

ESTIMATORS = [MeCo(), MeCo(modules="all"), Zen(), Zen(bn="batch", repeats=2)]


def score(estimator, network, images, **options):
    [outcome] = probe_network(network, *images, [estimator], **options)
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


def plain_eigenvalue(features):
    """Published recipe on a map of (channels, height, width): correlations that are not numbers become 0."""
    rows = features.detach().reshape(len(features), -1).numpy().astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of channels that do not vary
        correlation = np.nan_to_num(np.atleast_2d(np.corrcoef(rows)), nan=0.0)
    return float(np.linalg.eigvals(correlation).real.min())


@pytest.mark.parametrize("kind", ["batch norm", "group norm", "no norm", "in-place modules"])
def test_meco_sums_smallest_eigenvalues_over_leaves(kind):
    network, (inputs, targets) = make(kind), batch()
    features, expected = inputs[:1], 0.0
    for layer in copy.deepcopy(network).train():
        features = layer(features)
        expected += plain_eigenvalue(features[0]) if features.dim() == 4 else 0.0
    assert score(MeCo(), network, (inputs, targets)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_all_modules_include_containers_on_an_image_of_noise():
    network = nn.Sequential(
        make("batch norm")[:3], nn.Conv2d(8, 4, 1).double(), nn.Flatten(), nn.LazyLinear(5).double()
    )
    network(torch.zeros(1, 3, 64, 64, dtype=torch.float64))  # sizes the last layer
    rng = torch.Generator().manual_seed(seed_of("meco", 5))
    features, expected = torch.randn(1, 3, 64, 64, generator=rng, dtype=torch.float64), 0.0
    for layer in network[0].train():
        features = layer(features)
        expected += plain_eigenvalue(features[0])
    expected += plain_eigenvalue(features[0]) + plain_eigenvalue(network[1](features)[0])
    assert score(MeCo(modules="all"), network, batch(), seed=5) == pytest.approx(expected, rel=1e-9)


@given(channels=st.integers(1, 6), positions=st.integers(1, 12), seed=st.integers(0, 99))
def test_smallest_eigenvalues_agree_with_those_of_numpy(channels, positions, seed):
    features = torch.randn(channels, positions, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    assert smallest_eigenvalue(features) == pytest.approx(plain_eigenvalue(features), abs=1e-12)


def test_two_channels_have_an_eigenvalue_of_one_minus_their_correlation():
    rows = torch.tensor([[1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 4.0, 3.0]])
    assert smallest_eigenvalue(rows) == pytest.approx(1 - 0.6)
    assert smallest_eigenvalue(rows * torch.tensor([[-5.0], [7.0]]) + 3) == pytest.approx(1 - 0.6)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e30, math.inf, math.nan])
def test_a_constant_or_undefined_channel_counts_zero(value):
    rows = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    rows[1] = value
    assert smallest_eigenvalue(rows) == 0.0


def test_more_channels_than_positions_count_exactly_zero():
    assert score(MeCo(), nn.Conv2d(3, 70, 1), batch(dtype=torch.float32)) == 0.0
    assert score(MeCo(), nn.Conv2d(3, 3, 1), batch(dtype=torch.float32)) > 1e-6


def test_containers_add_nothing_to_leaves():
    network = make("batch norm")
    nested = nn.Sequential(nn.Sequential(network[:4], nn.Sequential(network[4:])))
    assert score(MeCo(), nested, batch()) == score(MeCo(), network, batch())


def test_meco_sees_the_first_image_alone_and_no_targets():
    network, (inputs, targets) = make("batch norm"), batch()
    expected = score(MeCo(), network, (inputs, targets))
    assert score(MeCo(), network, (inputs[:1], targets[:1] * 0)) == expected
    assert score(MeCo(), network, (inputs.flip(0), targets)) != expected
    noise = [score(MeCo(modules="all"), network, (tensor, targets)) for tensor in (inputs, inputs + 1)]
    assert noise[0] == noise[1]


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


def test_batch_normalisation_of_single_values_leaves_scores_undefined():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 5)
    ).double()
    assert math.isnan(score(MeCo(), network, batch()))
    assert math.isnan(score(Zen(), network, batch(1)))
    assert math.isfinite(score(Zen(), network, batch(2)))


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


def test_meco_needs_feature_maps():
    network, targets = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3)), torch.tensor([0, 1])
    for estimator in (MeCo(), MeCo(modules="all")):
        with pytest.raises(UnsupportedError, match="the network has no module that returns feature maps"):
            score(estimator, network, (torch.ones(2, 5), targets))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["batch norm", "group norm", "no norm", "in-place functions"])
def test_scores_have_the_same_bits_alone_and_beside_others(kind, dtype):
    network, images = make(kind, dtype), batch(dtype=dtype)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    random_state = torch.get_rng_state()
    alone = [score(estimator, network, images, seed=3).hex() for estimator in ESTIMATORS]
    mixed = probe_network(network, *images, [make_estimator("snip"), *reversed(ESTIMATORS)], seed=3)
    assert [outcome.value.hex() for outcome in reversed(mixed[1:])] == alone
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random_state)


def test_graphs_that_the_owner_of_the_network_holds_stay_valid():
    network, (inputs, targets) = make("group norm"), batch()
    loss = network(inputs).sum()
    score(Zen(), network, (inputs, targets))
    score(MeCo(), network, (inputs, targets))
    loss.backward()


def test_networks_without_a_path_have_maps_all_the_same():
    assert math.isfinite(score(MeCo(), Blind(), batch(dtype=torch.float32)))
    assert math.isfinite(score(MeCo(), Blind(), batch(1, dtype=torch.float32)))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (MeCo(modules="some"), "must be 'leaves' or 'all'"),
        (Zen(bn="none"), "must be 'running' or 'batch'"),
        (Zen(repeats=0), "must be at least 1"),
    ],
)
def test_a_hyperparameter_outside_its_range_is_named(estimator, message):
    with pytest.raises(SuiteError, match=message):
        score(estimator, make("no norm"), batch())


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_estimators_keep_the_promises_of_their_family(estimator):
    check_estimator(estimator)
