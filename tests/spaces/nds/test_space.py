"""The NDS design spaces against the paper's figures, published networks, and the definition of their blocks."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import nn
from torch.nn import functional

from benchsuite.core.errors import InvalidArchitectureError, UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.spaces.nds.blocks import bottleneck
from benchsuite.spaces.nds.space import NDSResNet, NDSResNeXtA, NDSResNeXtB, NDSVanilla
from benchsuite.spaces.nds.strings import Stage
from benchsuite.testing import check_space

SPACES = (NDSVanilla, NDSResNet, NDSResNeXtA, NDSResNeXtB)
SMALLEST = {"channels": 2, "width_divisor": 16, "depth_divisor": 8}
SMALL = Dataset("digits", classes=10, channels=1, size=12)


def strings(space):
    """Any architecture of a space, written in any way."""
    values = [st.sampled_from(choice.values) for choice in space.choices]
    stage = st.tuples(*values).map(lambda chosen: Stage(*chosen))
    return st.lists(stage, min_size=3, max_size=3).map(space().render)


def kinds_of_block(space, **sizes):
    """What tells the blocks of one stage apart: their convolutions."""
    chosen = product(*(choice.values for choice in space.choices[1:]))
    options = [space(**sizes).render(3 * [Stage(1, *values)]) for values in chosen]
    return [space(**sizes).blocks(option)[2] for option in options]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("dataset", [SMALL, Dataset("odd", classes=7, size=9)], ids=["digits", "odd side"])
def test_small_networks_keep_the_promises_of_spaces(space, dataset):
    check_space(space(**SMALLEST), dataset=dataset, number=3)


@pytest.mark.parametrize(
    ("space", "published"),
    [(NDSVanilla, 1_259_712), (NDSResNet, 1_259_712), (NDSResNeXtA, 11_390_625), (NDSResNeXtB, 52_734_375)],
)
def test_number_of_architectures_is_the_papers(space, published):
    assert math.prod(len(choice.values) for choice in space.choices) ** 3 == published


def test_values_are_spaced_evenly_in_log_space():
    for space in SPACES:
        for choice in space.choices:
            even = np.geomspace(choice.values[0], choice.values[-1], len(choice.values))
            assert np.max(np.abs(np.log2(choice.values) - np.log2(even))) < 0.5


def test_every_official_bottleneck_is_the_product_of_width_and_multiplier():
    for space in (NDSResNeXtA, NDSResNeXtB):
        _, *rest = (choice.values for choice in space.choices)
        for width, multiplier, groups in product(*rest):
            inside = bottleneck(16, Stage(1, width, multiplier, groups), 1).path[1].inputs
            assert inside == width * multiplier
            assert inside % groups == 0


def test_divided_bottlenecks_can_still_be_divided_into_their_groups():
    for block in kinds_of_block(NDSResNeXtB, width_divisor=16):
        assert all(layer.inputs % layer.groups == 0 == layer.outputs % layer.groups for layer in block.path)


def test_a_width_divisor_of_8_keeps_the_widths_of_resnet_distinct():
    assert len(set(kinds_of_block(NDSResNet, width_divisor=8))) == 12


def test_divided_widths_merge_some_resnext_blocks():
    kinds = {divisor: len(set(kinds_of_block(NDSResNeXtA, width_divisor=divisor))) for divisor in (1, 4, 8)}
    assert kinds == {1: 45, 4: 41, 8: 36}


# Strings


@given(st.data())
@settings(max_examples=40)
def test_strings_survive_parsing(data):
    space = data.draw(st.sampled_from(SPACES))
    architecture = data.draw(strings(space))
    assert space().canonical(architecture) == architecture
    assert space().render(space().parse(architecture)) == architecture


@pytest.mark.parametrize(
    ("space", "written", "canonical"),
    [
        (NDSResNet, " d01-w16/ d4-w32\n/d2-w64.0 ", "d1-w16/d4-w32/d2-w64"),
        (NDSResNeXtA, "d1-w16-b.25-g1/d1-w16-b0.50-g1/d1-w16-b1.0-g4", "d1-w16-b0.25-g1/d1-w16-b0.5-g1/d1-w16-b1-g4"),
        (NDSResNeXtB, "d1-w1024-b1-g16/" * 2 + "d1-w64-b1-g1", "d1-w1024-b1-g16/d1-w1024-b1-g16/d1-w64-b1-g1"),
    ],
)
def test_white_space_and_the_writing_of_numbers_do_not_matter(space, written, canonical):
    assert space().canonical(written) == canonical


@pytest.mark.parametrize(
    ("foreign", "message"),
    [
        ("", "write three stages as in d1-w16/d1-w16/d1-w16"),
        ("d1-w16/d1-w16", "write three stages"),
        ("d1-w16/d1-w16/d1-w16/d1-w16", "write three stages"),
        ("w16-d1/d1-w16/d1-w16", "write three stages"),
        ("d1-w16-b1-g1/d1-w16-b1-g1/d1-w16-b1-g1", "write three stages"),
        ("d-1-w16/d1-w16/d1-w16", "write three stages"),
        ("d²-w16/d1-w16/d1-w16", "write three stages"),
        ("d5-w16/d1-w16/d1-w16", "depth 5 is not a choice of nds_resnet; allowed: 1, 2, 3, 4, 6, 8, 12, 16, 24"),
        ("d1-w16/d1-w17/d1-w16", "width 17 is not a choice of nds_resnet; allowed: 16, 24"),
        (7, "write three stages"),
    ],
)
def test_foreign_strings_are_refused_in_one_line_that_says_what_is_allowed(foreign, message):
    with pytest.raises(InvalidArchitectureError, match=message) as error:
        NDSResNet().validate(foreign)
    assert "\n" not in str(error.value)


@given(st.data())
@settings(max_examples=20)
def test_neighbours_differ_in_exactly_one_operation(data):
    space = data.draw(st.sampled_from(SPACES))
    architecture = data.draw(strings(space))
    neighbours = space().neighbours(architecture)
    assert len(set(neighbours)) == 3 * sum(len(choice.values) - 1 for choice in space.choices)
    own = space().operations(architecture)
    for neighbour in neighbours:
        assert sum(a != b for a, b in zip(own, space().operations(neighbour), strict=True)) == 1


def test_operations_name_each_choice_of_each_stage():
    found = NDSResNeXtA().operations("d1-w16-b0.25-g4/d2-w32-b0.5-g1/d16-w256-b1-g2")
    assert found[:4] == ("depth 1", "width 16", "bottleneck 0.25", "groups 4")
    assert found[4:] == ("depth 2", "width 32", "bottleneck 0.5", "groups 1", "depth 16", "width 256", *found[10:])
    assert found[10:] == ("bottleneck 1", "groups 2")


def test_samples_draw_each_value_of_each_choice_alike():
    for space in SPACES:
        drawn = [space().operations(architecture) for architecture in space().sample(900, np.random.default_rng(0))]
        for position, operations in enumerate(zip(*drawn, strict=True)):
            counts = Counter(operations)
            assert len(counts) == len(space.choices[position % len(space.choices)].values)
            assert chisquare(list(counts.values())).pvalue > 1e-4


# Networks


def built(space, architecture, dataset="cifar10"):
    torch.manual_seed(0)
    return space.build(architecture, dataset)


def test_parameters_are_those_of_published_residual_networks():
    """He et al.'s networks for CIFAR-10, with projections; 0.856 million is the paper's bound of parameters."""

    def params(depth):
        return NDSResNet().complexity(f"d{depth}-w16/d{depth}-w32/d{depth}-w64", "cifar10").params

    assert params(3) == 272_474  # 20 layers
    assert params(8) + (params(8) - params(6)) / 2 == 855_770  # 56 layers have nine blocks per stage, 9 is no choice


def test_stages_have_strides_of_1_2_and_2():
    network, shapes = built(NDSResNet(), "d1-w16/d2-w24/d1-w64"), []
    for block in network.blocks:
        block.register_forward_hook(lambda _module, _inputs, output: shapes.append(tuple(output.shape[1:])))
    network(torch.zeros(1, 3, 32, 32))
    assert shapes == [(16, 32, 32), (24, 16, 16), (24, 16, 16), (64, 8, 8)]


def normalised(features, convolution, normalisation, *, stride=1):
    """Convolution and batch normalisation by their formulas."""
    kernel, groups = convolution.weight.shape[-1], features.shape[1] // convolution.weight.shape[1]
    result = functional.conv2d(features, convolution.weight, stride=stride, padding=kernel // 2, groups=groups)
    centred = result - result.mean((0, 2, 3), keepdim=True)
    scaled = centred / (centred.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
    return scaled * normalisation.weight[:, None, None] + normalisation.bias[:, None, None]


def weighted(block):
    return [module for module in block.modules() if isinstance(module, nn.Conv2d | nn.BatchNorm2d)]


@pytest.mark.parametrize(("width", "stride", "place"), [(16, 1, 0), (24, 2, 1), (24, 1, 2)])
def test_a_basic_block_adds_its_input_or_the_projection_before_the_last_relu(width, stride, place):
    block = built(NDSResNet(), "d1-w16/d2-w24/d1-w64").blocks[place]
    features = torch.randn(4, 16 if place < 2 else 24, 8, 8)
    first, norm, second, last, *projection = weighted(block)
    inside = normalised(features, first, norm, stride=stride).relu()
    shortcut = normalised(features, *projection, stride=stride) if projection else features
    assert bool(projection) == (stride == 2)
    expected = (normalised(inside, second, last) + shortcut).relu()
    assert expected.shape[1] == width
    torch.testing.assert_close(block(features), expected, atol=1e-4, rtol=1e-4)


def test_a_bottleneck_has_stride_and_groups_in_the_middle():
    block = built(NDSResNeXtA(), "d1-w16-b1-g1/d1-w64-b0.5-g4/d1-w16-b1-g1").blocks[1]
    features = torch.randn(4, 16, 8, 8)
    a, a_norm, b, b_norm, c, c_norm, *projection = weighted(block)
    assert b.weight.shape == (32, 8, 3, 3)
    inside = normalised(features, a, a_norm).relu()
    inside = normalised(inside, b, b_norm, stride=2).relu()
    expected = (normalised(inside, c, c_norm) + normalised(features, *projection, stride=2)).relu()
    torch.testing.assert_close(block(features), expected, atol=1e-4, rtol=1e-4)


def test_a_plain_block_has_two_convolutions_and_no_shortcut():
    block = built(NDSVanilla(), "d1-w16/d1-w24/d1-w16").blocks[0]
    features = torch.randn(4, 16, 8, 8)
    first, norm, second, last = weighted(block)
    expected = normalised(normalised(features, first, norm).relu(), second, last).relu()
    torch.testing.assert_close(block(features), expected, atol=1e-4, rtol=1e-4)


def test_weights_start_as_in_pycls():
    network = built(NDSResNeXtA(), "d4-w256-b1-g4/d1-w256-b1-g2/d1-w256-b1-g1")
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 10_000:
            fan_out = module.kernel_size[0] ** 2 * module.out_channels
            assert float(module.weight.detach().std()) == pytest.approx(math.sqrt(2 / fan_out), rel=0.03)
        if isinstance(module, nn.BatchNorm2d):
            assert bool((module.weight == 1).all())
            assert bool((module.bias == 0).all())
    assert float(network.classifier.weight.detach().std()) == pytest.approx(0.01, rel=0.05)
    assert bool((network.classifier.bias == 0).all())


def test_depths_are_divided_and_rounded_up():
    for divisor, expected in ((1, 1 + 16 + 24), (4, 1 + 4 + 6), (24, 3)):
        assert len(NDSResNet(depth_divisor=divisor).blocks("d1-w16/d16-w16/d24-w16")) == expected


@pytest.mark.parametrize("size", ["channels", "width_divisor", "depth_divisor"])
def test_sizes_below_1_are_refused(size):
    with pytest.raises(UnsupportedError, match="all sizes must be at least 1"):
        NDSResNet(**{size: 0}).complexity("d1-w16/d1-w16/d1-w16", "cifar10")


def test_an_unknown_treatment_of_dead_operations_is_refused():
    with pytest.raises(UnknownNameError, match="'drpo'"):
        NDSResNet().build("d1-w16/d1-w16/d1-w16", "cifar10", dead="drpo")
