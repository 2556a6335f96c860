"""Estimators from binary codes of ReLUs, against plain counting."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from probed_networks import batch, make, score
from torch import nn

from benchsuite import score_network
from benchsuite.core.errors import UnsupportedError
from benchsuite.estimators.zero_shot.relu_codes import NWOT, SWAP, distinct_columns


@pytest.mark.parametrize("kind", ["batch norm", "no norm", "in-place modules"])
def test_nwot_counts_units_in_which_images_agree(kind):
    network, (inputs, targets) = make(kind).train(), batch()
    features, kernel = inputs, np.zeros((len(inputs), len(inputs)))
    for layer in network:
        if isinstance(layer, nn.ReLU):
            signs = (features.flatten(1) > 0).tolist()
            kernel += [[sum(a == b for a, b in zip(one, two, strict=True)) for two in signs] for one in signs]
            features = features.clamp(min=0)
        else:
            features = layer(features)
    expected = math.log(abs(np.linalg.det(kernel)))
    assert score_network(network, inputs, targets, ["nwot"])["nwot"] == pytest.approx(expected, rel=1e-10)


def test_images_with_equal_codes_leave_nwot_undefined():
    network, (inputs, targets) = make("no norm"), batch(number=40)
    inputs[-1] = inputs[0]
    assert math.isnan(score_network(network, inputs, targets, ["nwot"])["nwot"])


@pytest.mark.parametrize("n", [1, 3, 64, 65, 130])
@pytest.mark.parametrize("parts", [(7,), (40, 1, 300)])
def test_distinct_columns_are_counted(n, parts):
    generator = torch.Generator().manual_seed(n)
    codes = [torch.rand(n, units, generator=generator) > 0.1 / n for units in parts]
    columns = {tuple(column) for code in codes for column in code.T.tolist()}
    assert distinct_columns(codes) == len(columns)


@pytest.mark.parametrize("kind", ["batch norm", "no norm", "in-place modules"])
def test_swap_counts_the_patterns_of_units_on_maps(kind):
    network, (inputs, targets) = make(kind).train(), batch(3)
    network.insert(len(network) - 1, nn.ReLU())  # not on a map
    features, columns = inputs, set()
    for layer in network:
        if isinstance(layer, nn.ReLU) and features.dim() == 4:
            columns |= {tuple(unit) for unit in (features.flatten(1) > 0).T.tolist()}
        features = features.clamp(min=0) if isinstance(layer, nn.ReLU) else layer(features)
    assert 1 < len(columns) <= 8
    assert score(SWAP(), network, (inputs, targets)) == len(columns)
    params = sum(parameter.numel() for parameter in network.parameters())
    expected = len(columns) * math.exp(-((params - 400.0) ** 2) / 1e6)
    assert score(SWAP(mu=400.0, sigma=1e6), network, (inputs, targets)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("estimator", [NWOT(), SWAP()])
def test_what_sees_only_modules_says_so(estimator):
    with pytest.raises(UnsupportedError, match=rf"{estimator.name} needs nn\.ReLU modules, and the network has none"):
        score(estimator, make("in-place functions"), batch())
