"""SCARLET's space against the published networks and their definition."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchsuite.core.errors import InvalidArchitectureError, UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.spaces.scarlet.space import ScarletS1

IMAGENET = Dataset("imagenet", 1000, size=224)
SMALL = ScarletS1(width_divisor=16, halvings=2)
PUBLISHED = {  # github.com/xiaomi-automl/SCARLET-NAS, models/: architecture, parameters, multiply-adds in millions
    "A": ("37-65-35-37s-63s-35s-63s-33-37s-37-35-37s-33-37s-63s-65s-33s-63s-67s", 6_707_720, 365),
    "B": ("33s-35s-33s-67s-33-35-67s-33s-id-35-33s-33s-67s-33s-65s-65s-id-67s-65s", 6_531_556, 329),
    "C": ("35s-33s-35s-id-id-33-67s-33s-33s-35-37s-37-33s-37s-33s-id-63s-67s-65s", 6_073_684, 280),
}
A, B, C = (architecture for architecture, *_ in PUBLISHED.values())
seeds = st.integers(0, 2**32)


def drawn(seed):
    return SMALL.draw(np.random.default_rng(seed))


def counted(network, images):
    """Parameters, and multiply-adds that torch counts for one image, biases left out."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, *images.shape))
    return sum(it.numel() for it in network.parameters()), counter.get_total_flops() // 2


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_have_the_published_costs(name):
    architecture, params, millions = PUBLISHED[name]
    cost = ScarletS1().complexity(architecture, IMAGENET)
    assert cost.params == cost.live_params == params
    assert cost.macs / 1e6 == pytest.approx(millions, rel=0.01)  # the paper's count for B is 0.7 % above torch's
    assert counted(ScarletS1().build(architecture, IMAGENET), IMAGENET) == (params, cost.macs)


@given(seeds, st.integers(4, 40), st.integers(0, 5), st.integers(1, 40))
@settings(max_examples=5, deadline=None)
def test_closed_form_counts_the_built_network_at_every_size(seed, divisor, halvings, side):
    space, images = ScarletS1(divisor, halvings), Dataset("any", 3, channels=1, size=side)
    cost = space.complexity(drawn(seed), images)
    assert counted(space.build(drawn(seed), images), images) == (cost.params, cost.macs)


def test_layers_have_the_published_widths_and_strides():
    network = ScarletS1().build(A, "cifar10")
    depthwise = [it for it in network.layers.modules() if isinstance(it, nn.Conv2d) and it.groups > 1]
    last = [block.convolutions[-2].out_channels for block in network.layers]
    assert [place for place, it in enumerate(depthwise) if it.stride == (2, 2)] == [0, 2, 6, 14]
    assert last == [32] * 2 + [40] * 4 + [80] * 4 + [96] * 4 + [192] * 4 + [320]
    assert [place for place, block in enumerate(network.layers) if not block.residual] == [0, 2, 6, 10, 14, 18]
    assert network.classifier.in_features == 1280


def squeeze_excite(features, convolutions):
    first, second = convolutions
    middle = nn.functional.conv2d(features.mean((2, 3), keepdim=True), first.weight, first.bias).clamp(min=0)
    return features * ((nn.functional.conv2d(middle, second.weight, second.bias) + 3).clamp(0, 6) / 6)


def reference(block, features, operation, stride):
    """The definition of a mobile block from its weights, with h-swish and squeeze-excite."""
    expand, depthwise, *gates, project = [it for it in block.modules() if isinstance(it, nn.Conv2d)]
    norms = [it for it in block.modules() if isinstance(it, nn.BatchNorm2d)]
    kernel, hidden = int(operation[5]), int(operation[2]) * features.shape[1]
    wide = norms[0](nn.functional.conv2d(features, expand.weight))
    wide = wide * (wide + 3).clamp(0, 6) / 6
    deep = norms[1](nn.functional.conv2d(wide, depthwise.weight, None, stride, kernel // 2, groups=hidden))
    deep = deep * (deep + 3).clamp(0, 6) / 6
    if operation.endswith("_SE"):
        deep = squeeze_excite(deep, gates)
    result = norms[2](nn.functional.conv2d(deep, project.weight))
    return features + result if result.shape == features.shape else result


@pytest.mark.parametrize("architecture", [A, C])
def test_blocks_compute_what_their_codes_say(architecture):
    torch.manual_seed(0)
    space = ScarletS1(width_divisor=8, halvings=5)
    network, images = space.build(architecture, Dataset("any", 3, size=33)).eval(), torch.randn(2, 3, 33, 33)
    features, blocks = network.stem(images), iter(network.layers)
    for place, operation in enumerate(space.operations(architecture)):
        if operation != "identity":
            features = reference(next(blocks), features, operation, 2 if place in {0, 2, 6, 14} else 1)
    torch.testing.assert_close(network(images), network.classify(features))


def test_halvings_are_kept_from_the_last_on():
    sides = {}
    for halvings in range(6):
        network = ScarletS1(width_divisor=32, halvings=halvings).build(A, "cifar10").eval()
        sides[halvings] = network.layers(network.stem(torch.zeros(1, 3, 32, 32))).shape[-1]
        strides = [it.stride[0] for it in network.modules() if isinstance(it, nn.Conv2d) and it.stride[0] > 1]
        assert len(strides) == halvings
    assert sides == {0: 32, 1: 16, 2: 8, 3: 4, 4: 2, 5: 1}


def test_weights_are_drawn_as_published():
    torch.manual_seed(0)
    network = ScarletS1().build(B, IMAGENET)
    convolution = network.last[0].weight.detach()
    assert float(convolution.std()) == pytest.approx(math.sqrt(2 / 1280), rel=0.01)
    depthwise = network.layers[-1].convolutions[3].weight.detach()
    assert float(depthwise.std()) == pytest.approx(math.sqrt(2 / (25 * len(depthwise))), rel=0.02)
    assert float(network.classifier.weight.detach().abs().max()) == pytest.approx(1 / math.sqrt(1000), rel=0.01)
    biases = [it.bias for it in network.modules() if isinstance(it, nn.Conv2d | nn.Linear) and it.bias is not None]
    assert len(biases) > 1
    assert not any(bias.any() for bias in biases)


def test_canonical_strings_have_the_identities_of_each_stage_last():
    moved = "35s-33s-35s-33-id-id-67s-33s-33s-35-37s-37-33s-37s-33s-63s-67s-id-65s"
    assert SMALL.canonical(f" {C}\n") == moved
    strings = {SMALL.equivalent(moved, np.random.default_rng(seed)) for seed in range(60)}
    assert len(strings) == 3 * 3 >= len({C, moved} & strings) == 2
    states = []
    for architecture in (C, moved):
        torch.manual_seed(0)
        states.append(SMALL.build(architecture, "digits").state_dict())
    assert list(states[0]) == list(states[1])
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())


@given(seeds)
@settings(max_examples=20)
def test_neighbours_are_all_architectures_one_operation_away(seed):
    architecture = drawn(seed)
    neighbours = SMALL.neighbours(architecture)
    assert len(set(neighbours)) == 6 * 11 + 13 * 12
    for other in neighbours:
        SMALL.validate(other)
        assert sum(a != b for a, b in zip(architecture.split("-"), other.split("-"), strict=True)) == 1


def test_operations_are_drawn_alike():
    rng = np.random.default_rng(0)
    columns = list(zip(*(SMALL.operations(SMALL.draw(rng)) for _ in range(1300)), strict=True))
    assert [len(set(column)) for column in columns] == [len(names) for names in SMALL.operation_choices()]
    assert 70 < columns[1].count("identity") < 130


@pytest.mark.parametrize(
    ("foreign", "reason"),
    [("", "join 19"), (A[:-4], "join 19"), (A.replace("67s", "68s"), "join 19"), ("id" + A[2:], "cannot be 'id'")],
)
def test_a_foreign_string_is_refused_with_what_is_allowed(foreign, reason):
    with pytest.raises(InvalidArchitectureError, match=reason):
        SMALL.validate(foreign)


@pytest.mark.parametrize("sizes", [{"width_divisor": 0}, {"halvings": 6}, {"halvings": -1}])
def test_sizes_that_are_not_allowed_are_refused(sizes):
    for ability in (ScarletS1(**sizes).build, ScarletS1(**sizes).complexity):
        with pytest.raises(UnsupportedError, match="width_divisor must be at least 1, halvings 0 to 5"):
            ability(A, "digits")
    with pytest.raises(UnsupportedError, match="width_divisor"):
        ScarletS1(**sizes).supernet("digits")


def test_an_unknown_treatment_of_dead_operations_is_refused():
    with pytest.raises(UnknownNameError, match="Known: drop, keep"):
        SMALL.build(A, "digits", dead="droop")


def test_strings_and_complexity_load_no_torch():
    code = (
        "import sys; from benchsuite.spaces.scarlet.space import ScarletS1 as S; import numpy; s = S(); "
        "s.complexity(s.sample(1, numpy.random.default_rng(0))[0], 'cifar10'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
