"""NAS-Bench-Macro against the published file, and its networks against their definition and torch's counts."""

from __future__ import annotations

import json
import re
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
from benchsuite.spaces.macro.space import Macro
from benchsuite.testing import check_space

SPACE = Macro()
TINY = Macro(channels=2, head=5)
SMALL_IMAGES = Dataset("digits", classes=10, channels=1, size=12)
BEST = "22212220"
architectures = st.text("012", min_size=8, max_size=8)


@pytest.fixture(scope="module")
def published(shared):
    return json.loads((shared / "data" / "nas-bench-macro_cifar10.json").read_text())


# Strings and classes


def test_every_string_is_published_and_none_is_missing(published):
    assert sorted(published) == list(SPACE.every_string())


def test_there_are_3969_classes():
    canonical = {SPACE.canonical(architecture) for architecture in SPACE.every_string()}
    assert canonical == set(SPACE.architectures())
    assert len(SPACE.architectures()) == 9 * 21 * 21 == 3969


def test_the_published_results_are_the_same_in_a_class_and_differ_between_classes(published):
    found = {(SPACE.canonical(name), tuple(entry["test_acc"])) for name, entry in published.items()}
    assert len(found) == len({results for _, results in found}) == 3969


def test_the_published_best_architecture_is_canonical(published):
    best = max(entry["mean_acc"] for entry in published.values())
    assert round(best, 2) == 93.13
    assert {SPACE.canonical(name) for name, entry in published.items() if entry["mean_acc"] == best} == {BEST}


@given(architectures)
def test_the_canonical_string_keeps_the_blocks_of_each_stage_in_order(architecture):
    canonical = SPACE.canonical(architecture)
    assert SPACE.canonical(f" {canonical}\n") == canonical
    for first, last in ((0, 2), (2, 5), (5, 8)):
        ours, given_digits = canonical[first:last], architecture[first:last]
        assert ours[0] == given_digits[0]
        assert ours.replace("0", "") == given_digits.replace("0", "")
        assert re.fullmatch(r".[12]*0*", ours)


def test_equivalent_strings_are_all_that_have_their_identities_elsewhere_in_a_stage():
    rng = np.random.default_rng(0)
    found = {SPACE.equivalent("02010001", rng) for _ in range(100)}
    assert found == {"02010001", "02010010", "02001001", "02001010"}


@pytest.mark.parametrize("foreign", ["", "2221222", "222122200", "22212223", "2221222٢", "|none~0|", "2221 2220"])
def test_a_foreign_string_is_refused_with_the_digits_that_are_allowed(foreign):
    with pytest.raises(InvalidArchitectureError, match="0 identity, 1 MB3_K3, 2 MB6_K5"):
        SPACE.validate(foreign)


def test_operations_name_the_block_of_each_layer():
    assert SPACE.operations("01200000")[:3] == ("identity", "MB3_K3", "MB6_K5")


@given(architectures, st.integers(0, 2**32))
def test_the_neighbours_are_all_architectures_one_block_away(architecture, seed):
    neighbours = SPACE.neighbours(architecture)
    assert len(set(neighbours)) == 16
    assert all(sum(a != b for a, b in zip(architecture, it, strict=True)) == 1 for it in neighbours)
    assert SPACE.mutate(architecture, np.random.default_rng(seed)) in neighbours


# Costs


def test_parameters_and_multiply_adds_equal_the_published_ones(published):
    ours = {name: SPACE.complexity(name, "cifar10") for name in published}
    assert {name: (cost.params, cost.macs) for name, cost in ours.items()} == {
        name: (entry["params"], entry["flops"]) for name, entry in published.items()
    }


def counted(network, images):
    """Parameters, and multiply-adds that torch counts for one image, biases left out."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, *images.shape))
    return sum(it.numel() for it in network.parameters()), counter.get_total_flops() // 2


@given(architectures, st.integers(1, 4), st.integers(1, 9), st.integers(1, 20))
@settings(max_examples=12)
def test_the_closed_form_counts_the_built_network_at_every_size(architecture, channels, head, side):
    space, images = Macro(channels, head), Dataset("any", classes=3, channels=1, size=side)
    cost = space.complexity(architecture, images)
    assert (cost.live_params, cost.live_macs) == (cost.params, cost.macs)
    assert counted(space.build(architecture, images), images) == (cost.params, cost.macs)


@pytest.mark.parametrize("architecture", ["00000000", "12021012", BEST])
def test_the_full_network_has_the_published_costs(architecture, published):
    images = Dataset("cifar10", classes=10)
    entry = published[architecture]
    assert counted(SPACE.build(architecture, images), images) == (entry["params"], entry["flops"])


# Networks


def block(features, modules, kernel, stride):
    """The definition of MobileNetV2's block from its weights: expand, depthwise, project, add the input."""
    weights = [it.weight for it in modules if isinstance(it, nn.Conv2d)]
    norms = [it for it in modules if isinstance(it, nn.BatchNorm2d)]
    wide = nn.functional.conv2d(features, weights[0])
    wide = norms[0](wide).clamp(min=0)
    deep = nn.functional.conv2d(wide, weights[1], stride=stride, padding=(kernel - 1) // 2, groups=wide.shape[1])
    result = norms[2](nn.functional.conv2d(norms[1](deep).clamp(min=0), weights[2]))
    return result + features if stride == 1 else result


def reference(network, architecture, images):
    """Logits by the definition of the search space, digit by digit."""
    convolution, norm = network.stem[:2]
    features = norm(nn.functional.conv2d(images, convolution.weight, padding=1)).clamp(min=0)
    blocks = iter(network.layers)
    for position, digit in enumerate(architecture):
        stride = 2 if position in {0, 2, 5} else 1
        if digit != "0":
            features = block(features, list(next(blocks).modules()), {"1": 3, "2": 5}[digit], stride)
        elif stride == 2:
            convolution, norm = next(blocks)
            features = norm(nn.functional.conv2d(features, convolution.weight, stride=2))
    assert next(blocks, None) is None
    convolution, norm = network.last[:2]
    features = norm(nn.functional.conv2d(features, convolution.weight)).clamp(min=0)
    return features.mean((2, 3)) @ network.classifier.weight.T + network.classifier.bias


@given(architectures, st.sampled_from([12, 32]))
@settings(max_examples=15)
def test_a_network_computes_what_its_digits_say(architecture, side):
    images = Dataset("any", classes=4, channels=1, size=side)
    network = TINY.build(architecture, images)
    inputs = torch.randn(3, *images.shape)
    torch.testing.assert_close(network(inputs), reference(network, architecture, inputs), atol=1e-4, rtol=1e-4)


@given(architectures)
@settings(max_examples=20)
def test_all_strings_of_a_class_build_the_same_network(architecture):
    states = []
    for name in (architecture, SPACE.canonical(architecture)):
        torch.manual_seed(0)
        states.append(TINY.build(name, SMALL_IMAGES).state_dict())
    assert list(states[0]) == list(states[1])
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())


def test_blocks_have_the_published_widths_and_kernels():
    network = SPACE.build("12000000", "cifar10")
    depthwise = [it for it in network.modules() if isinstance(it, nn.Conv2d) and it.groups > 1]
    assert [(it.groups, it.kernel_size[0], it.stride[0]) for it in depthwise] == [(96, 3, 2), (384, 5, 1)]
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 10)
    assert network.classifier.in_features == 1280


@pytest.mark.parametrize("images", [SMALL_IMAGES, Dataset("sixteen", classes=7, size=16)])
def test_the_smallest_space_keeps_its_promises(images):
    check_space(TINY, dataset=images)


@pytest.mark.parametrize("sizes", [{"channels": 0}, {"head": 0}])
def test_sizes_below_one_are_refused(sizes):
    for ability in (Macro(**sizes).build, Macro(**sizes).complexity):
        with pytest.raises(UnsupportedError, match="at least 1"):
            ability(BEST, "digits")


def test_an_unknown_treatment_of_dead_operations_is_refused():
    with pytest.raises(UnknownNameError, match="Known: drop, keep"):
        SPACE.build(BEST, "digits", dead="droop")


def test_strings_and_complexity_load_no_torch():
    code = (
        "import sys; from benchsuite.spaces.macro.space import Macro as S; "
        "S().complexity(S().architectures()[0], 'cifar10'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
