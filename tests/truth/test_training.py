"""One training of one architecture."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tiny_truth import SIZES, TINY

from benchsuite.core.errors import SuiteError
from benchsuite.core.registry import make_space
from benchsuite.data.images.minibatches import load_images
from benchsuite.truth.training import TrainingProtocol, train

CELL = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"


def test_training_depends_on_seed_and_architecture_alone() -> None:
    space, images = make_space("nasbench201", SIZES), load_images("digits")
    first = train(space, CELL, images, TINY, seed=0)
    torch.manual_seed(5)
    assert train(space, CELL, images, TINY, seed=0).points == first.points
    assert train(space, CELL, images, TINY, seed=1).points != first.points


def test_training_leaves_random_state_and_threads_alone() -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    train(make_space("nasbench201", SIZES), CELL, load_images("digits"), TINY, seed=0)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_training_learns() -> None:
    space = make_space("nasbench201", {"channels": 4, "cells": 1})
    points = train(space, CELL, load_images("digits"), TrainingProtocol(steps=60, batch=32), seed=0).points
    losses = [point.loss for point in points if point.split == "train"]
    assert losses == sorted(losses, reverse=True)
    assert points[-1].split == "test"
    assert points[-1].accuracy > 60


def test_constant_network_reaches_chance_and_its_loss() -> None:
    dead = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    images = load_images("digits")
    point = train(make_space("nasbench201", SIZES), dead, images, TrainingProtocol(steps=20, batch=64), seed=0).points[
        -1
    ]
    assert point.accuracy <= 100 * np.bincount(images.test_targets).max() / len(images.test_targets) + 1e-9
    assert point.loss == pytest.approx(math.log(10), abs=0.1)


def test_rate_rises_to_its_largest_and_falls_to_nearly_nothing() -> None:
    protocol = TrainingProtocol(steps=100, lr=0.4, warmup=0.2)
    rates = [protocol.rate(step) for step in range(100)]
    assert rates[:20] == pytest.approx(np.linspace(0.02, 0.4, 20))
    assert rates[19:] == sorted(rates[19:], reverse=True)
    assert rates[60] == pytest.approx(0.2)
    assert rates[-1] < 1e-3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 3}, "steps = 3; must be at least 4"),
        ({"batch": 1}, "batch = 1; must be at least 2"),
        ({"lr": 0.0}, "lr = 0; must be above 0"),
    ],
)
def test_protocol_that_trains_nothing_is_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        TrainingProtocol(**wrong)
