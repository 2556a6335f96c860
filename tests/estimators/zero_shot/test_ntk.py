"""The condition number of the neural tangent kernel, against plain formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from probed_networks import (
    KINDS,
    batch,
    gradients,
    linear,
    make,
    score,
    sum_of_logits,
)

from benchsuite.estimators.zero_shot.ntk import NTKCondition


@pytest.mark.parametrize("kind", KINDS)
def test_ntk_cond_is_the_ratio_of_extreme_eigenvalues_of_the_kernel(kind):
    network, (inputs, targets) = make(kind), batch()
    rows = []
    for i in range(len(inputs)):
        layers = gradients(network, lambda copied, i=i: copied(inputs.clone())[i].sum())
        rows.append(np.concatenate([layer.ravel() for layer in layers]))
    singular = np.linalg.svd(np.array(rows), compute_uv=False)
    expected = -((singular[0] / singular[-1]) ** 2)
    assert score(NTKCondition(), network, (inputs, targets)) == pytest.approx(expected, rel=1e-8)


def test_ntk_cond_of_a_linear_network_is_that_of_its_inputs():
    inputs, targets = batch(20)
    gram = inputs[:16].flatten(1).numpy()
    expected = -np.linalg.cond(gram @ gram.T)
    assert score(NTKCondition(), linear(), (inputs, targets)) == pytest.approx(expected, rel=1e-9)
    assert score(NTKCondition(images=1), linear(), (inputs, targets)) == pytest.approx(-1.0, rel=1e-12)


def test_ntk_cond_knows_neither_targets_nor_loss_nor_the_order_of_images():
    network, (inputs, targets) = make("batch norm"), batch()
    expected = score(NTKCondition(), network, (inputs, targets))
    assert score(NTKCondition(), network, (inputs, targets * 0), loss=sum_of_logits) == expected
    assert score(NTKCondition(), network, (inputs.flip(0), targets)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["batch norm", "no norm"])
def test_two_equal_images_leave_ntk_cond_undefined(kind, dtype):
    inputs, targets = batch(dtype=dtype)
    inputs[-1] = inputs[0]
    assert math.isnan(score(NTKCondition(), make(kind, dtype), (inputs, targets)))
