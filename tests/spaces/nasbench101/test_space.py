"""NAS-Bench-101 against published counts and tables, and against counts that torch makes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nasbench101_modules import KNOWN, SPACE, valid, written_modules
from torch.utils.flop_counter import FlopCounterMode

from benchsuite.core.errors import BenchsuiteError, InvalidArchitectureError, UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.spaces.nasbench101.space import NASBench101
from benchsuite.testing import check_space


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "no architecture",
        "conv3x3",
        "conv3x3:",
        "conv3x3:0-1",
        "conv3x3:0-1,1-2,1-2",
        "conv3x3:0-1,2-1",
        "conv3x3:0-1,1-3",
        "conv3x3:0-1, 1-2",
        "conv5x5:0-1,1-2",
        "conv3x3,:0-1,1-2",
        "conv3x3,conv3x3,conv3x3,conv3x3,conv3x3,conv3x3:0-1,1-2",
        "conv3x3,conv3x3,conv3x3:0-1,0-2,0-3,0-4,1-2,1-3,1-4,2-3,2-4,3-4",
        "line\nbreak" * 1000,
        float("nan"),
    ],
)
@pytest.mark.parametrize("ability", ["validate", "canonical", "module_hash", "operations", "neighbours"])
def test_a_foreign_string_is_refused_in_one_short_line(foreign, ability):
    with pytest.raises(InvalidArchitectureError) as refusal:
        getattr(SPACE, ability)(foreign)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_parameters_are_the_benchmarks_on_all_public_modules(table):
    ours = [SPACE.complexity(architecture, "cifar10").params for architecture in table.architecture]
    assert len(table) == 30_001
    assert ours == table.params.tolist()
    assert SPACE.complexity(KNOWN, "cifar10").params == 8_555_530


@given(written_modules(), st.integers(4, 9), st.integers(1, 2), st.integers(1, 2), st.integers(4, 9))
@settings(max_examples=20)
def test_the_closed_form_counts_the_built_networks(module, channels, cells, stacks, side):
    architecture, images = valid(*module), Dataset("some", classes=3, channels=2, size=side)
    space = NASBench101(channels, cells, stacks)
    closed, network = space.complexity(architecture, images), space.build(architecture, images).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, *images.shape))
    assert sum(it.numel() for it in network.parameters()) == closed.live_params == closed.params
    assert counter.get_total_flops() // 2 == closed.live_macs == closed.macs


@pytest.mark.parametrize("sizes", [{"channels": 3}, {"cells": 0}, {"stacks": 0}])
def test_sizes_that_no_network_can_have_are_refused(sizes):
    for ability in (NASBench101(**sizes).build, NASBench101(**sizes).complexity):
        with pytest.raises(UnsupportedError, match="at least 1, channels at least 4"):
            ability(KNOWN, "digits")


def test_an_unknown_treatment_of_dead_operations_is_refused():
    with pytest.raises(UnknownNameError, match="Known: drop, keep"):
        SPACE.build(KNOWN, "digits", dead="droop")


def test_the_space_keeps_its_promises_at_its_smallest_sizes():
    check_space(NASBench101(channels=4, cells=1, stacks=2), dataset=Dataset("digits", classes=10, channels=1, size=12))


def test_samples_are_uniform_over_the_modules_and_longer_ones_continue_shorter_ones():
    large, small = (SPACE.sample(n, np.random.default_rng(3)) for n in (4000, 300))
    assert large[:300] == small
    assert len(set(large)) == 4000
    seven = np.mean([architecture.partition(":")[0].count(",") == 4 for architecture in large])
    assert seven == pytest.approx(359_082 / 423_624, abs=0.02)
    with pytest.raises(BenchsuiteError, match="choose 0 to 423624"):
        SPACE.sample(423_625, np.random.default_rng(0))


def test_strings_and_complexity_load_no_torch():
    code = (
        "import sys; from benchsuite.spaces.nasbench101.space import NASBench101 as S; "
        "S().complexity(S().architectures()[0], 'cifar10'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
