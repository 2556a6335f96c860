"""AZ-NAS: its three parts against the definitions written out in numpy; what networks must declare."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.identity import seed_of
from benchsuite.core.registry import make_estimator, make_space, names
from benchsuite.core.types import Dataset
from benchsuite.estimators.zero_shot.az import AZExpressivity, AZProgressivity, AZTrainability
from benchsuite.estimators.zero_shot.blocks import gradient_gain, spectral_entropy
from benchsuite.estimators.zero_shot.probe import Probe
from benchsuite.estimators.zero_shot.scoring import probe_network
from benchsuite.testing import check_estimator

PARTS = (AZExpressivity(), AZProgressivity(), AZTrainability())
SMALL = {"channels": 4, "cells": 3}
DATASET = Dataset("small", classes=3, size=16)


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)

    def forward(self, features):
        return features + torch.relu(self.norm(self.conv(features)))


class Blocks(nn.Module):
    """Blocks one after the other, what stands between them, a classifier."""

    def __init__(self, *blocks, between=None):
        super().__init__()
        self.blocks, self.between = nn.ModuleList(blocks), between or nn.Identity()
        self.last = nn.LazyLinear(3)

    def feature_blocks(self):
        return list(self.blocks)

    def forward(self, images):
        for block in self.blocks:
            images = self.between(block(images))
        return self.last(images.flatten(2).mean(2) if images.dim() > 2 else images)


def _stem(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width))


def _shrinking():
    return nn.Sequential(nn.ReLU(), nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(6))


def _network(*blocks, between=None):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Blocks(*blocks, between=between).double()
        network(torch.ones(2, 3, 8, 8, dtype=torch.float64))  # makes the classifier
    return network


def _usual():
    return _network(_stem(), Residual(4), _shrinking(), Residual(6))


def _scores(network, seed=0, images=5, side=8, parts=PARTS):
    inputs = torch.ones(images, 3, side, side, dtype=torch.float64)
    outcomes = probe_network(network, inputs, torch.arange(images) % 3, parts, seed=seed)
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    return [outcome.value for outcome in outcomes]


def _reference(network, seed, images, side):
    """Entropies and largest singular values from one pass whose whole graph is kept, in numpy."""
    rng = torch.Generator().manual_seed(seed_of("estimator", seed))
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            fan_in = module.in_features if isinstance(module, nn.Linear) else module.in_channels * 9
            draws = torch.randn(module.weight.shape, generator=rng, dtype=torch.float64)
            module.weight.data = draws * math.sqrt(2 / fan_in)
            if module.bias is not None:
                module.bias.data = torch.zeros_like(module.bias)
    features = torch.randn(images, 3, side, side, generator=rng, dtype=torch.float64)
    outputs = []
    for block in network.train().feature_blocks():
        features = block(features)
        outputs.append(features)
    entropies = [_entropy(each.detach().numpy()) for each in outputs]
    singular = []
    for before, after in itertools.pairwise(outputs):
        signs = torch.empty(after.shape).bernoulli_(0.5, generator=rng).double() * 2 - 1
        [gradient] = torch.autograd.grad(after, before, signs, retain_graph=True)
        singular.append(_singular(gradient.numpy(), signs.numpy()))
    return entropies, singular


def _entropy(features):
    columns = np.moveaxis(features, 1, 0).reshape(features.shape[1], -1)
    values = np.linalg.eigvals(np.cov(columns)).real
    shares = values / values.sum()
    return -sum(share * math.log(share) for share in shares if share > 1e-12)


def _singular(inner, outer):
    stride = inner.shape[2] // outer.shape[2]
    total = 0
    for image, row, column in np.ndindex(len(outer), *outer.shape[2:]):
        patch = inner[image, :, row * stride : (row + 1) * stride, column * stride : (column + 1) * stride]
        total = total + np.outer(patch.flatten(), outer[image, :, row, column])
    return np.linalg.svd(total / outer[:, 0].size, compute_uv=False)[0]


@pytest.mark.parametrize("seed", [0, 7])
def test_the_parts_are_what_their_definitions_say(seed):
    entropies, singular = _reference(_usual(), seed, images=5, side=8)
    expressivity, progressivity, trainability = _scores(_usual(), seed)
    assert expressivity == pytest.approx(sum(entropies), rel=1e-10)
    assert progressivity == pytest.approx(min(np.diff(entropies)), rel=1e-8)
    assert trainability == pytest.approx(np.mean([2 - s - 1 / (s + 1e-6) for s in singular]), rel=1e-8)


def test_independent_channels_have_the_entropy_of_their_number_and_equal_ones_none():
    rng = np.random.default_rng(0)
    orthogonal = np.linalg.qr(rng.normal(size=(64, 64)) - 1)[0]
    orthogonal = torch.tensor(np.linalg.qr(np.column_stack([np.ones(64), orthogonal[:, :8]]))[0][:, 1:].T)
    assert spectral_entropy(orthogonal.reshape(1, 8, 8, 8)) == pytest.approx(math.log(8))
    assert spectral_entropy(orthogonal[:1].reshape(1, 1, 8, 8).expand(1, 8, 8, 8)) == pytest.approx(0, abs=1e-9)
    assert math.isnan(spectral_entropy(torch.ones(2, 3, 4, 4)))
    assert math.isnan(spectral_entropy(torch.full((2, 3, 4, 4), math.inf)))


def test_the_gain_of_a_linear_map_is_its_spectral_norm():
    rng = torch.Generator().manual_seed(0)
    weights = torch.randn(3, 5, generator=rng, dtype=torch.float64)
    signs = torch.randint(0, 2, (4000, 3, 4, 4), generator=rng).double() * 2 - 1
    inner = torch.einsum("oi,nohw->nihw", weights, signs)
    assert gradient_gain(inner, signs) == pytest.approx(float(torch.linalg.matrix_norm(weights, 2)), rel=0.02)


def test_scores_follow_the_seed_and_neither_weights_nor_images():
    network, other = _usual(), _usual()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(3)
    assert _scores(network) == _scores(other) == _scores(network)
    assert all(one != two for one, two in zip(_scores(network), _scores(network, seed=1), strict=True))


COMPANIONS = [make_estimator(name) for name in ("snip", "grasp", "nwot", "synflow_bn", "zen", "l2_norm")]


@pytest.fixture(scope="module")
def alone():
    network = _usual()
    return network, {part: _scores(network, parts=[part])[0].hex() for part in (*PARTS, *COMPANIONS)}


@given(parts=st.lists(st.sampled_from((*PARTS, *PARTS, *COMPANIONS)), min_size=2, unique_by=lambda part: part.name))
@settings(max_examples=40, deadline=None)
def test_scores_have_the_same_bits_whatever_else_is_chosen(alone, parts):
    network, expected = alone
    assert [score.hex() for score in _scores(network, parts=parts)] == [expected[part] for part in parts]


def test_the_network_is_what_it_was():
    network = _usual()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    _scores(network)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize(
    ("parts", "passes"), [(PARTS, [True]), (PARTS[:2], [False]), (PARTS[2:], [True]), ((*PARTS, *COMPANIONS[:3]), None)]
)
def test_the_parts_share_one_pass_with_gradients_only_if_they_are_read(parts, passes):
    network, taken = _usual(), []
    network.register_forward_pre_hook(lambda module, inputs: taken.append(torch.is_grad_enabled()))
    _scores(network, parts=parts)
    assert taken == (passes or [True, True])  # companions share the other pass
    outcomes = probe_network(network, torch.ones(5, 3, 8, 8).double(), torch.arange(5) % 3, parts)
    assert all(outcome.cpu_seconds > 0 for outcome in outcomes)


def test_the_pass_over_blocks_disturbs_no_graph_of_the_other_pass():
    network, images = _usual(), torch.ones(5, 3, 8, 8, dtype=torch.float64)
    needs = ("loss", "weight_gradients", "block_gains")
    found = []
    for order in itertools.permutations(needs):
        with Probe(network, images, torch.arange(5) % 3, [needs]) as probe, probe.lent(needs):
            values = {name: getattr(probe, name) for name in order}
        found.append(
            [values["loss"].item(), values["block_gains"], *(each.tolist() for each in values["weight_gradients"])]
        )
    assert all(each == found[0] for each in found)


class Detaching(Residual):
    """A block that no gradient goes through, as it leaves torch, which it cannot under one."""

    def forward(self, features):
        return torch.from_numpy(super().forward(features).numpy())


@pytest.mark.parametrize(
    ("block", "error"),
    [(nn.AdaptiveAvgPool2d(5), "must divide them by an integer"), (Detaching(4), "Can't call numpy")],
)
@pytest.mark.parametrize("parts", list(itertools.permutations(PARTS)))
def test_a_failing_gradient_is_that_of_trainability_alone(block, error, parts):
    network, images = _network(_stem()), torch.ones(5, 3, 8, 8, dtype=torch.float64)
    network.blocks.append(block.double())
    outcomes = probe_network(network, images, torch.arange(5) % 3, parts)
    for part, outcome in zip(parts, outcomes, strict=True):
        [alone] = probe_network(network, images, torch.arange(5) % 3, [part])
        assert outcome.value.hex() == alone.value.hex()
        assert repr(outcome.error) == repr(alone.error)
        assert (error in str(outcome.error)) == (part.name == "az_trainability")


def test_what_works_in_place_between_blocks_changes_no_features():
    blocks = [_stem(), Residual(4)]
    in_place = _network(*blocks, between=nn.ReLU(inplace=True))
    assert _scores(in_place) == _scores(_network(*blocks, between=nn.ReLU()))


def test_a_block_that_hands_its_input_on_or_gives_a_constant_is_undefined():
    unchanged = _scores(_network(_stem(), nn.Identity(), Residual(4)))
    assert [math.isnan(value) for value in unchanged] == [False, False, True]
    dead = _scores(_network(_stem(), nn.Threshold(1e9, 0.0), _shrinking()))
    assert [math.isnan(value) for value in dead] == [True, True, False]
    assert dead[2] < -1e5


def test_one_block_alone_has_an_entropy_and_nothing_to_compare_with():
    assert [math.isnan(value) for value in _scores(_network(_stem()))] == [False, True, True]


def test_a_batch_normalisation_of_one_value_makes_them_undefined():
    network = _network(_stem(), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(4))
    assert all(math.isnan(value) for value in _scores(network, images=1))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), r"give it a method feature_blocks\(\)"),
        (Blocks(), "Blocks declares blocks, but its forward pass runs none"),
        (Blocks(nn.Flatten()), "Flatten does not return feature maps"),
    ],
    ids=["none declared", "none there", "no maps"],
)
def test_networks_without_blocks_of_feature_maps_are_unsupported(part, network, message):
    network = network.double()
    network(torch.ones(2, 3, 8, 8, dtype=torch.float64))
    with pytest.raises(UnsupportedError, match=message):
        _scores(network, parts=[part])


def test_blocks_that_do_not_divide_the_sides_are_unsupported():
    network = _network(_stem(), nn.AdaptiveAvgPool2d(5))
    with pytest.raises(UnsupportedError, match=r"from \(8, 8\) to \(5, 5\)"):
        _scores(network, parts=[AZTrainability()])


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_they_keep_the_promises_of_estimators(part):
    check_estimator(part)


@pytest.mark.parametrize("name", names("space"))
def test_the_networks_of_every_space_declare_their_blocks(name):
    space = make_space(name)
    space = make_space(name, SMALL) if set(SMALL) <= set(space.sizes) else space
    sample = space.sample(20, np.random.default_rng(0))
    smallest = min(sample, key=lambda architecture: space.complexity(architecture, DATASET).live_macs)
    network = space.build(smallest, DATASET)
    blocks, modules = network.feature_blocks(), list(network.modules())
    assert len(blocks) > 1
    assert [module for module in modules if module in blocks] == blocks
    inputs = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    outcomes = probe_network(network, inputs, torch.arange(4) % 3, PARTS)
    assert [outcome.error for outcome in outcomes] == [None, None, None]


def test_the_blocks_of_nasbench201_are_stem_cells_and_reductions():
    space = make_space("nasbench201", {"channels": 4, "cells": 2})
    [architecture] = space.sample(1, np.random.default_rng(1))
    network = space.build(architecture, DATASET)
    widths = []
    for block in network.feature_blocks():
        block.register_forward_hook(lambda module, inputs, output: widths.append(output.shape[1:3]))
    network(torch.ones(2, 3, 16, 16))
    assert widths == [(4, 16)] * 3 + [(8, 8)] * 3 + [(16, 4)] * 3
