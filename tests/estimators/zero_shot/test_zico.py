"""ZiCo, against plain formulas."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
import torch
from probed_networks import (
    KINDS,
    batch,
    golden_network,
    linear,
    loss_gradients,
    make,
    score,
    sum_of_logits,
)
from torch.nn.functional import cross_entropy

from benchsuite.estimators.zero_shot.zico import ZiCo


@pytest.mark.parametrize("name", ["plain_bn", "no_norm"])
def test_zico_over_two_halves_equals_that_of_published_code(shared, name):
    arrays = np.load(shared / "golden" / f"{name}.npz")
    network = golden_network(norm=name == "plain_bn")
    network.load_state_dict(
        {key.removeprefix("state."): torch.from_numpy(arrays[key]) for key in arrays if key.startswith("state.")}
    )
    images = torch.from_numpy(arrays["inputs"]), torch.from_numpy(arrays["targets"])
    expected = json.loads((shared / "golden" / "zero_shot.json").read_text())[name]["zico"]
    assert score(ZiCo(), network, images) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("cuts", [(0, 3, 6), (0, 2, 4, 6), (0, 2, 4, 5, 6)])
@pytest.mark.parametrize("kind", KINDS)
def test_zico_follows_its_definition(kind, cuts):
    network, (inputs, targets) = make(kind), batch()
    parts = [loss_gradients(network, inputs[a:b], targets[a:b]) for a, b in itertools.pairwise(cuts)]
    expected = 0.0
    for layer in zip(*parts, strict=True):
        magnitude, deviation = np.mean(np.abs(layer), axis=0), np.std(layer, axis=0)
        chosen = deviation != 0
        expected += math.log(float((magnitude[chosen] / deviation[chosen]).sum()))
    assert score(ZiCo(parts=len(parts)), network, (inputs, targets)) == pytest.approx(expected, rel=1e-9)


def test_zico_of_a_linear_network_has_a_closed_form():
    inputs, targets = batch()
    rows = inputs.flatten(1).numpy()
    first, second = rows[:3].sum(0), rows[3:].sum(0)
    expected = math.log(5 * ((abs(first) + abs(second)) / abs(first - second)).sum())
    found = score(ZiCo(), linear(), (inputs, targets), loss=sum_of_logits)
    assert found == pytest.approx(expected, rel=1e-9)


def test_zico_does_not_depend_on_the_scale_of_the_loss():
    network, images = make("batch norm"), batch()
    scaled = score(ZiCo(), network, images, loss=lambda logits, targets: 128 * cross_entropy(logits, targets))
    assert scaled == pytest.approx(score(ZiCo(), network, images), rel=1e-12)


def test_zico_leaves_out_weights_whose_gradient_is_the_same_in_all_parts():
    inputs, targets = batch(3)
    assert score(ZiCo(), make("batch norm"), (inputs.repeat(2, 1, 1, 1), targets.repeat(2))) == 0.0
    rows = torch.cat([inputs, inputs]).flatten(1)
    rows[:3, 0] += 1  # now the gradients of the first input's weights alone differ between the halves
    first, second = float(rows[:3, 0].sum()), float(rows[3:, 0].sum())
    expected = math.log(5 * (abs(first) + abs(second)) / abs(first - second))
    found = score(ZiCo(), linear(), (rows, targets.repeat(2)), loss=sum_of_logits)
    assert found == pytest.approx(expected, rel=1e-9)
