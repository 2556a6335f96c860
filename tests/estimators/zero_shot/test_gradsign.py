"""GradSign, against plain formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from probed_networks import (
    KINDS,
    batch,
    linear,
    loss_gradients,
    make,
    score,
    sum_of_logits,
)
from torch import nn
from torch.nn.functional import cross_entropy

from benchsuite.estimators.zero_shot.gradsign import GradSign


@pytest.mark.parametrize("form", ["sum", "mean"])
@pytest.mark.parametrize("kind", KINDS)
def test_gradsign_counts_images_that_agree(kind, form):
    network, (inputs, targets) = make(kind), batch()
    images = [loss_gradients(network, inputs[i : i + 1], targets[i : i + 1]) for i in range(len(inputs))]
    counts = np.concatenate([np.abs(np.sum(np.sign(layer), axis=0)).ravel() for layer in zip(*images, strict=True)])
    expected = counts.sum() if form == "sum" else counts.mean()
    assert score(GradSign(form=form), network, (inputs, targets)) == pytest.approx(expected, rel=1e-14)


def test_gradsign_of_a_linear_network_has_a_closed_form():
    inputs, targets = batch()
    expected = 5 * inputs.flatten(1).sign().sum(0).abs().sum()
    assert score(GradSign(), linear(), (inputs, targets), loss=sum_of_logits) == expected


def test_gradsign_depends_on_neither_the_order_of_images_nor_the_scale_of_the_loss():
    network, (inputs, targets) = make("no norm"), batch()
    expected = score(GradSign(), network, (inputs, targets))
    assert score(GradSign(), network, (inputs.flip(0), targets.flip(0))) == expected
    assert score(GradSign(), network, (inputs, targets), loss=lambda a, b: 0.25 * cross_entropy(a, b)) == expected


def test_the_mean_of_gradsign_leaves_out_weights_on_no_path():
    network, images = make("no norm"), batch()
    before = [score(GradSign(form=form), network, images) for form in ("sum", "mean")]
    network[4].unused = nn.Conv2d(3, 3, 3)
    assert [score(GradSign(form=form), network, images) for form in ("sum", "mean")] == before


def test_gradsign_of_equal_images_is_not_taken_for_a_missing_path():
    inputs, targets = batch()
    found = score(GradSign(), make("no norm"), (inputs[:1].expand(4, -1, -1, -1), targets[:1].expand(4)))
    assert found > 0


def test_a_gradient_without_a_sign_leaves_gradsign_undefined():
    assert math.isnan(score(GradSign(), make("no norm"), batch(), loss=lambda a, b: cross_entropy(a, b) * math.nan))
