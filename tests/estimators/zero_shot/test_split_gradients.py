"""zico, gradsign and ntk_cond: scores from the gradients of parts of a minibatch agree with their definitions."""

from __future__ import annotations

import copy
import itertools
import json
import math

import numpy as np
import pytest
import torch
from probed_networks import Blind, Detached, batch, make
from torch import nn
from torch.nn.functional import cross_entropy

from benchsuite.core.errors import SuiteError
from benchsuite.core.registry import make_estimator
from benchsuite.estimators.zero_shot.gradsign import GradSign
from benchsuite.estimators.zero_shot.ntk import NTKCondition
from benchsuite.estimators.zero_shot.scoring import probe_network
from benchsuite.estimators.zero_shot.zico import ZiCo
from benchsuite.testing import check_estimator

KINDS = ["batch norm", "group norm", "no norm", "in-place modules", "in-place functions"]
ESTIMATORS = [ZiCo(), ZiCo(parts=3), GradSign(), GradSign(form="mean"), NTKCondition(), NTKCondition(images=3)]


def score(estimator, network, images, **options):
    [outcome] = probe_network(network, *images, [estimator], **options)
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


def gradients(network, scalar):
    """Gradient of a function of a copy of the network to each Conv2d and Linear weight, by a backward pass."""
    copied = copy.deepcopy(network).train()
    scalar(copied).backward()
    layers = [layer for layer in copied.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    return [layer.weight.grad.numpy() for layer in layers]


def loss_gradients(network, inputs, targets):
    return gradients(network, lambda copied: cross_entropy(copied(inputs.clone()), targets))


def linear(features=192, classes=5):
    return nn.Sequential(nn.Flatten(), nn.Linear(features, classes, bias=False)).double()


def sum_of_logits(logits, targets):
    return logits.sum()


def golden_network(*, norm):
    def block(inputs, outputs, kernel, stride):
        conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=not norm)
        return [conv, *([nn.BatchNorm2d(outputs)] if norm else []), nn.ReLU()]

    layers = [*block(3, 8, 3, 1), *block(8, 16, 3, 2), *block(16, 16, 3 if norm else 1, 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)).double()


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


def test_batch_normalisation_of_single_values_leaves_scores_undefined():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 5)
    ).double()
    assert math.isnan(score(GradSign(), network, batch()))
    assert math.isnan(score(ZiCo(), network, batch(2)))
    assert math.isnan(score(NTKCondition(images=1), network, batch()))
    assert math.isfinite(score(ZiCo(), network, batch(4)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", [*KINDS, "tokens"])
def test_scores_have_the_same_bits_alone_and_beside_others(kind, dtype):
    network, images = make(kind, dtype), batch(dtype=dtype)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():  # as a caller may
        alone = [score(estimator, network, images, seed=3).hex() for estimator in ESTIMATORS]
    mixed = probe_network(network, *images, [make_estimator("snip"), *reversed(ESTIMATORS)], seed=3)
    assert [outcome.value.hex() for outcome in reversed(mixed[1:])] == alone
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())


def test_dropout_follows_the_seed():
    network, images = make("tokens"), batch()
    for estimator in (ZiCo(), GradSign(), NTKCondition()):
        assert score(estimator, network, images, seed=1) == score(estimator, network, images, seed=1)
        assert score(estimator, network, images, seed=1) != score(estimator, network, images, seed=2)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (ZiCo(parts=1), "must be at least 2"),
        (GradSign(form="max"), "must be 'sum' or 'mean'"),
        (NTKCondition(images=0), "must be at least 1"),
    ],
)
def test_a_hyperparameter_outside_its_range_is_named(estimator, message):
    with pytest.raises(SuiteError, match=message):
        score(estimator, make("no norm"), batch())


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_estimators_keep_the_promises_of_their_family(estimator):
    check_estimator(estimator)
