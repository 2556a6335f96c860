"""What holds for all zero-shot estimators: public code, missing paths, bits, hyperparameters."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from probed_networks import KINDS, Blind, Detached, batch, golden_network, loss_gradients, make, score
from torch import nn

from benchsuite import score_network
from benchsuite.core.errors import SuiteError
from benchsuite.core.registry import make_estimator
from benchsuite.estimators.zero_shot.gradients import Fisher, GradientNorm, Grasp, Plain, Snip
from benchsuite.estimators.zero_shot.gradsign import GradSign
from benchsuite.estimators.zero_shot.jacobian import EPENAS, JacobianCovariance
from benchsuite.estimators.zero_shot.meco import MeCo
from benchsuite.estimators.zero_shot.ntk import NTKCondition
from benchsuite.estimators.zero_shot.relu_codes import NWOT, SWAP
from benchsuite.estimators.zero_shot.scoring import probe_network
from benchsuite.estimators.zero_shot.synflow import SynFlow, SynFlowWithNorm
from benchsuite.estimators.zero_shot.zen import Zen
from benchsuite.estimators.zero_shot.zico import ZiCo
from benchsuite.testing import check_estimator

GOLDEN = (
    GradientNorm(), Plain(), Snip(), Grasp(), Fisher(), SynFlow(), SynFlowWithNorm(), JacobianCovariance(), EPENAS(),
    NWOT(),
)  # fmt: skip


@pytest.mark.parametrize("name", ["plain_bn", "no_norm"])
def test_scores_equal_those_of_public_code(shared, name):
    arrays = np.load(shared / "golden" / f"{name}.npz")
    network = golden_network(norm=name == "plain_bn")
    state = {key.removeprefix("state."): torch.from_numpy(arrays[key]) for key in arrays if key.startswith("state.")}
    network.load_state_dict(state)
    inputs, targets = torch.from_numpy(arrays["inputs"]), torch.from_numpy(arrays["targets"])
    golden = json.loads((shared / "golden" / "zero_shot.json").read_text())[name]
    for estimator, outcome in zip(GOLDEN, probe_network(network, inputs, targets, GOLDEN), strict=True):
        tolerance = 1e-6 if estimator.name == "fisher" else 1e-9  # public code rounds fisher to float32
        assert outcome.value == pytest.approx(golden[estimator.name], rel=tolerance), estimator.name


@pytest.mark.parametrize("network", [Blind(), Detached()])
@pytest.mark.parametrize("number", [1, 6])
def test_without_a_path_gradient_scores_are_zero_and_the_others_undefined(network, number):
    minibatch = batch(number, dtype=torch.float32)
    for zero in (GradientNorm(), Plain(), Snip(), Grasp(), Grasp(temperature=2.0), Fisher(), SynFlow()):
        assert score(zero, network, minibatch) == 0
    for undefined in (JacobianCovariance(), EPENAS()):
        assert math.isnan(score(undefined, network, minibatch))


def test_overflow_is_undefined():
    network = make("no norm", torch.float32)
    with torch.no_grad():
        network[0].weight.fill_(3e38)
    scores = score_network(network, *batch(dtype=torch.float32), ["snip", "synflow"])
    assert math.isnan(scores["snip"])
    assert math.isfinite(scores["synflow"])


def test_graphs_that_the_owner_of_the_network_holds_stay_valid():
    network, (inputs, targets) = make("group norm"), batch()
    loss = network(inputs).sum()
    score(Zen(), network, (inputs, targets))
    score(MeCo(), network, (inputs, targets))
    loss.backward()


@pytest.mark.parametrize("network", [Blind(), Detached()])
def test_without_a_path_gradient_scores_are_zero_and_the_kernel_is_undefined(network):
    images = batch(dtype=torch.float32)
    assert score(ZiCo(), network, images) == score(GradSign(), network, images) == 0.0
    assert score(GradSign(form="mean"), network, images) == 0.0
    assert math.isnan(score(NTKCondition(), network, images))


def test_dead_relus_are_a_missing_path():
    network = make("no norm")
    network[3].bias.data.fill_(-1e9)
    assert score(ZiCo(), network, batch()) == score(GradSign(), network, batch()) == 0.0
    assert math.isnan(score(NTKCondition(), network, batch()))


def test_gradients_behind_a_missing_path_count_as_zero():
    network = make("no norm")
    network[3].weight.data.zero_()
    network[3].bias.data.fill_(1)  # constant features: the classifier's weights still have a gradient
    assert any(layer.any() for layer in loss_gradients(network, *batch()))
    assert score(ZiCo(), network, batch()) == score(GradSign(), network, batch()) == 0.0


def test_one_image_has_no_halves_but_directions():
    network, images = make("batch norm"), batch(1)
    assert math.isnan(score(ZiCo(), network, images))
    weights = sum(int(np.count_nonzero(layer)) for layer in loss_gradients(network, *images))
    assert score(GradSign(), network, images) == weights
    assert score(NTKCondition(), network, images) == pytest.approx(-1.0)


def test_dropout_follows_the_seed():
    network, images = make("tokens"), batch()
    for estimator in (ZiCo(), GradSign(), NTKCondition()):
        assert score(estimator, network, images, seed=1) == score(estimator, network, images, seed=1)
        assert score(estimator, network, images, seed=1) != score(estimator, network, images, seed=2)


PROBING = [
    ZiCo(), ZiCo(parts=3), GradSign(), GradSign(form="mean"), NTKCondition(), NTKCondition(images=3), MeCo(),
    MeCo(modules="all"), Zen(), Zen(bn="batch", repeats=2),
]  # fmt: skip


def test_batch_normalisation_of_single_values_leaves_scores_undefined():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 5)
    ).double()
    for estimator, number in (
        (GradSign(), 6), (ZiCo(), 2), (NTKCondition(images=1), 6), (MeCo(), 6), (Zen(), 1),
    ):  # fmt: skip
        assert math.isnan(score(estimator, network, batch(number))), estimator
    assert math.isfinite(score(ZiCo(), network, batch(4)))
    assert math.isfinite(score(Zen(), network, batch(2)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", [*KINDS, "tokens"])
def test_scores_have_the_same_bits_alone_and_beside_others(kind, dtype):
    network, images = make(kind, dtype), batch(dtype=dtype)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    random_state = torch.get_rng_state()
    any_size = PROBING[:6]  # the others need feature maps, one of them on images of another size
    chosen = any_size if kind in {"tokens", "in-place modules"} else PROBING
    with torch.no_grad():  # as a caller may
        alone = [score(estimator, network, images, seed=3).hex() for estimator in chosen]
    mixed = probe_network(network, *images, [make_estimator("snip"), *reversed(chosen)], seed=3)
    assert [outcome.value.hex() for outcome in reversed(mixed[1:])] == alone
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())
    assert torch.equal(torch.get_rng_state(), random_state)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (Fisher(aggregate="layer"), "'broadcast' or 'channel'"),
        (Grasp(temperature=0.0), "temperature"),
        (Grasp(batches=3), "batches"),
        (SWAP(mu=1.0), "give both"),
        (SWAP(mu=1.0, sigma=0.0), "sigma above 0"),
        (ZiCo(parts=1), "must be at least 2"),
        (GradSign(form="max"), "must be 'sum' or 'mean'"),
        (NTKCondition(images=0), "must be at least 1"),
        (MeCo(modules="some"), "must be 'leaves' or 'all'"),
        (Zen(bn="none"), "must be 'running' or 'batch'"),
        (Zen(repeats=0), "must be at least 1"),
    ],
)
def test_a_hyperparameter_outside_its_range_is_named(estimator, message):
    with pytest.raises(SuiteError, match=message):
        score(estimator, make("no norm"), batch())


@pytest.mark.parametrize("estimator", PROBING)
def test_estimators_keep_the_promises_of_their_family(estimator):
    check_estimator(estimator)
