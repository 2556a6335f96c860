"""MeCo, against plain formulas."""

from __future__ import annotations

import copy
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from probed_networks import Blind, batch, make, score
from torch import nn

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.identity import seed_of
from benchsuite.estimators.zero_shot.meco import MeCo, smallest_eigenvalue


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


def test_meco_needs_feature_maps():
    network, targets = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3)), torch.tensor([0, 1])
    for estimator in (MeCo(), MeCo(modules="all")):
        with pytest.raises(UnsupportedError, match="the network has no module that returns feature maps"):
            score(estimator, network, (torch.ones(2, 5), targets))


def test_networks_without_a_path_have_maps_all_the_same():
    assert math.isfinite(score(MeCo(), Blind(), batch(dtype=torch.float32)))
    assert math.isfinite(score(MeCo(), Blind(), batch(1, dtype=torch.float32)))
