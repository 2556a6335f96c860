"""The DARTS space against published counts and tables, and against counts that torch makes."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import combinations
from math import prod

import numpy as np
import pandas as pd
import pytest
import torch
from darts_cells import DEAD, FOREIGN, GENOTYPES, IMAGES, PLAIN, SPACE, TINY, architectures, edges_of, published_strings
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from benchsuite.core.errors import BenchsuiteError, InvalidArchitectureError, UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.data.images.datasets import dataset
from benchsuite.spaces.nasbench301.cells import NONE, OPERATIONS
from benchsuite.spaces.nasbench301.layout import layout
from benchsuite.spaces.nasbench301.space import NASBench301
from benchsuite.spaces.nasbench301.strings import from_genotype, from_pairs, parse
from benchsuite.testing import check_space


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("ability", ["validate", "canonical", "operations", "neighbours"])
def test_a_foreign_string_is_refused_in_one_short_line(foreign, ability):
    with pytest.raises(InvalidArchitectureError) as refusal:
        getattr(SPACE, ability)(foreign)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_operations_come_node_by_node_normal_cell_first():
    names = SPACE.operations(from_genotype(GENOTYPES["PC_DARTS"]))
    assert names[:3] == ("sep_conv_3x3", "skip_connect", "sep_conv_3x3")
    assert names[8:10] == ("sep_conv_5x5", "max_pool_3x3")
    assert len(names) == 16


def test_the_space_has_the_stated_number_of_strings():
    per_cell = prod(len(OPERATIONS) ** 2 * len(list(combinations(range(node), 2))) for node in range(2, 6))
    assert per_cell == 1_037_664_180
    assert f"{per_cell:,}^2, about {per_cell**2:.2e}".replace("+", "") in NASBench301.__doc__


def test_a_smaller_sample_is_a_prefix_of_a_larger_one():
    large, small = (SPACE.sample(n, np.random.default_rng(3)) for n in (60, 20))
    assert large[:20] == small
    assert len(set(large)) == 60
    assert all(SPACE.canonical(name) == name for name in large)


def test_operations_and_pairs_of_inputs_are_drawn_with_equal_probability():
    rng = np.random.default_rng(0)
    drawn = [cell for _ in range(1500) for cell in parse(SPACE.draw(rng))]
    operations = Counter(operation for cell in drawn for *_, operation in edges_of(cell))
    pairs = Counter(frozenset(source for _, source in cell[3]) for cell in drawn)
    assert operations.keys() == set(OPERATIONS)
    assert len(pairs) == 10
    for counts in (operations, pairs):
        mean = sum(counts.values()) / len(counts)
        assert all(abs(count - mean) < 5 * mean**0.5 for count in counts.values())


@given(architectures)
def test_the_neighbours_differ_in_one_operation_or_one_input(architecture):
    own = [edge for cell in parse(architecture) for edge in edges_of(cell)]
    neighbours = SPACE.neighbours(architecture)
    assert len(set(neighbours)) == len(neighbours) == 120
    for neighbour in neighbours:
        others = [edge for cell in parse(neighbour) for edge in edges_of(cell)]
        changes = [(one[0] != two[0]) + (one[2] != two[2]) for one, two in zip(own, others, strict=True) if one != two]
        assert changes == [1]


@given(published_strings(), st.integers(0, 2**32))
def test_a_mutation_is_a_neighbour_and_brings_no_none(architecture, seed):
    mutant = SPACE.mutate(architecture, np.random.default_rng(seed))
    assert mutant in SPACE.neighbours(architecture)
    assert SPACE.operations(mutant).count(NONE) <= SPACE.operations(architecture).count(NONE)


@pytest.mark.parametrize(
    ("genotype", "channels", "number", "params"),
    [
        ("DARTS_V1", 36, 20, 3_169_414),
        ("DARTS_V2", 36, 20, 3_349_342),
        ("DARTS_V2", 16, 8, 246_106),
        ("PC_DARTS", 36, 20, 3_634_678),
    ],
)
def test_published_genotypes_have_the_published_parameters(genotype, channels, number, params):
    closed = NASBench301(channels, number).complexity(from_genotype(GENOTYPES[genotype]), "cifar10")
    assert closed.params == closed.live_params == params


def normalised(cell, reduction):
    """Normalisations of a cell's edges (source below 2, number)."""
    numbers = {"sep": 2, "dil": 1}
    for source, _, operation in edges_of(cell):
        shrinks = reduction and source < 2 and operation == "skip_connect"
        yield source < 2, numbers.get(operation[:3], int(shrinks))


def stage_sums(space):
    """Channels, and channels times pixels, of all normal and of all reduction cells."""
    shapes = layout(space.channels, space.cells, dataset("cifar10"))
    chosen = [[shape for shape in shapes if shape.reduction == kind] for kind in (False, True)]
    return [(sum(it.width for it in kind), sum(it.width * it.side**2 for it in kind)) for kind in chosen]


def pools(cell, kind):
    return sum(operation.startswith(kind) for *_, operation in edges_of(cell))


def test_parameters_and_multiply_adds_agree_with_the_545_trained_genotypes(shared):
    table = pd.read_parquet(shared / "data" / "darts_trained545.parquet")
    space = NASBench301(channels=36, cells=20)
    names = table["architecture"].map(from_genotype)
    closed = [space.complexity(name, "cifar10") for name in names]
    assert [it.params for it in closed] == (table["params"] * 1e6).round().tolist()
    # that table adds 4 per value that is normalised, 1 per averaged one, 64 + 1 per channel of the global average
    sums = stage_sums(space)
    frame = 4 * sum(2 * it.width * it.input_side**2 for it in layout(36, 20, dataset("cifar10")))
    frame += 4 * 3 * 36 * 32**2 + 65 * 4 * 144
    for name, ours, theirs in zip(names, closed, (table["flop"] * 1e6).round(), strict=True):
        extra = frame
        for cell, (_, values), reduction in zip(parse(name), sums, (False, True), strict=True):
            extra += values * (4 * sum(number for _, number in normalised(cell, reduction)) + pools(cell, "avg"))
        assert ours.macs + extra == theirs


def test_parameters_and_multiply_adds_agree_with_the_1218_surrogate_rows(shared):
    table = pd.read_parquet(shared / "data" / "nasbench301_surrogate.parquet")
    sums = stage_sums(SPACE)
    frame = 2 * 3 * 32 * 32**2 + 81 * 4 * 128
    for shape in layout(SPACE.channels, SPACE.cells, dataset("cifar10")):
        sides = (shape.input_side * (1 + shape.after_reduction), shape.input_side)
        frame += 2 * 2 * shape.width * shape.input_side**2
        frame += sum(channels * side**2 for channels, side in zip(shape.inputs, sides, strict=True))
    for row in table.itertuples():
        name = from_pairs(row.architecture)
        ours, params, macs = SPACE.complexity(name, "cifar10"), 0, frame
        for cell, (widths, values), reduction in zip(parse(name), sums, (False, True), strict=True):
            # no weights of normalisations on edges; 1 for each value normalised there and each that enters a ReLU,
            # 9 + 1 for each that is pooled, 2 normalised after the stem and the inputs, 81 per channel of the average
            found = list(normalised(cell, reduction))
            params += 2 * widths * sum(number for _, number in found)
            macs += values * (sum(2 * number for _, number in found) + 10 * (pools(cell, "avg") + pools(cell, "max")))
            macs += values * 3 * reduction * sum(first and number > 0 for first, number in found)
        assert (ours.params - params, ours.macs + macs) == (round(row.params * 1e6), round(row.flops * 1e6))


def counted(network, images):
    """Parameters, and multiply-adds that torch counts for one image."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, *images.shape))
    return sum(it.numel() for it in network.parameters()), counter.get_total_flops() // 2


@given(published_strings(), st.integers(1, 3), st.integers(3, 6))
@settings(max_examples=12)
@example(DEAD[3], 1, 6)
@example(DEAD[4], 2, 5)
def test_the_closed_form_counts_the_built_networks(architecture, channels, number):
    space = NASBench301(channels, number)
    closed = space.complexity(architecture, IMAGES)
    assert counted(space.build(architecture, IMAGES), IMAGES) == (closed.live_params, closed.live_macs)
    assert counted(space.build(architecture, IMAGES, dead="keep"), IMAGES) == (closed.params, closed.macs)


def test_the_closed_form_counts_the_full_network():
    name = from_genotype(GENOTYPES["PC_DARTS"])
    closed = SPACE.complexity(name, "cifar10")
    assert counted(SPACE.build(name, "cifar10"), dataset("cifar10")) == (closed.params, closed.macs)


@pytest.mark.parametrize("space", [TINY, NASBench301(channels=1, cells=4)])
def test_the_space_keeps_its_promises_on_small_images(space):
    check_space(space, dataset=IMAGES, number=2)


def test_the_auxiliary_classifier_is_counted_and_kept_but_not_among_the_logits():
    name, plain, helped = f"{PLAIN}/{PLAIN}", NASBench301(2, 3), NASBench301(2, 3, auxiliary=1)
    kept = helped.build(name, "cifar10", dead="keep")
    extra = sum(it.numel() for it in kept.auxiliary.parameters())
    features = 4 * 8
    assert extra == features * 128 + 2 * 128 + 128 * 768 * 4 + 2 * 768 + 7690
    assert helped.complexity(name, "cifar10").params == plain.complexity(name, "cifar10").params + extra
    assert helped.complexity(name, "cifar10").live_params == plain.complexity(name, "cifar10").params
    images = torch.randn(2, 3, 32, 32)
    logits, auxiliary = kept(images), kept.both_logits(images)
    torch.testing.assert_close(auxiliary[0], logits)
    assert auxiliary[1].shape == (2, 10)
    assert not hasattr(helped.build(name, "cifar10"), "auxiliary")


def test_images_whose_side_cannot_be_halved_twice_are_refused():
    for ability in (SPACE.build, SPACE.complexity):
        with pytest.raises(UnsupportedError, match="side is 30; use a side that is a multiple of 4"):
            ability(f"{PLAIN}/{PLAIN}", Dataset("odd", classes=2, size=30))


@pytest.mark.parametrize("sizes", [{"channels": 0}, {"cells": 2}, {"auxiliary": 2}])
def test_sizes_that_make_no_network_are_refused(sizes):
    with pytest.raises(UnsupportedError, match="cells at least 3"):
        NASBench301(**sizes).build(f"{PLAIN}/{PLAIN}", IMAGES)


def test_images_too_small_for_the_auxiliary_classifier_are_refused():
    with pytest.raises(UnsupportedError, match="set auxiliary = 0"):
        NASBench301(2, 3, auxiliary=1).complexity(f"{PLAIN}/{PLAIN}", IMAGES)


def test_an_unknown_treatment_of_dead_operations_is_refused():
    with pytest.raises(UnknownNameError, match="Known: drop, keep"):
        SPACE.build(f"{PLAIN}/{PLAIN}", IMAGES, dead="droop")


def test_the_space_is_too_large_to_list():
    for ability in (SPACE.architectures, SPACE.every_string):
        with pytest.raises(UnsupportedError):
            ability()
    with pytest.raises(BenchsuiteError, match="choose 0 or more"):
        SPACE.sample(-1, np.random.default_rng(0))


def test_strings_and_complexity_load_no_torch():
    code = (
        "import sys, numpy; from benchsuite.spaces.nasbench301.space import NASBench301 as S; "
        "S().complexity(S().sample(1, numpy.random.default_rng(0))[0], 'cifar10'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
