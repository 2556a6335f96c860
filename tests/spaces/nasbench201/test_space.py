"""NAS-Bench-201 against the published tables, and its counts against those that torch makes."""

from __future__ import annotations

import bz2
import pickle
import subprocess
import sys
from io import BytesIO
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nasbench201_cells import CONVOLUTION_TO_POOL, DEAD_CONVOLUTION, NO_PATH, SPACE, architectures
from scipy.stats import kendalltau
from torch.utils.flop_counter import FlopCounterMode

from benchsuite.core.errors import BenchsuiteError, InvalidArchitectureError, UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.data.home import shipped
from benchsuite.data.images.datasets import dataset
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench201.strings import OPERATIONS, parse, render


class NoGlobals(pickle.Unpickler):
    """Reads plain containers, strings and numbers only."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"{module}.{name}")


@pytest.fixture(scope="module")
def table(shared):
    """The published table with our complexities and classes beside it."""
    table = pd.read_parquet(shared / "data" / "nasbench201.parquet").sort_values("index", ignore_index=True)
    ours = pd.DataFrame([SPACE.complexity(name, "cifar10").__reduce__()[2] for name in table["architecture"]])
    ours.columns = ["params", "macs", "live_params", "live_macs"]
    return table.join(ours).assign(canonical=table["architecture"].map(SPACE.canonical))


def test_all_strings_come_in_the_official_order(table):
    assert list(SPACE.every_string()) == table["architecture"].tolist()
    assert SPACE.index(table["architecture"][857]) == 857


def test_the_order_is_that_of_the_official_meta_file(shared):
    file = shared / "data" / "nats" / "NATS-tss-v1_0-3ffb9-simple_meta.pickle.pbz2"
    meta = NoGlobals(BytesIO(bz2.decompress(file.read_bytes()))).load()
    assert list(SPACE.every_string()) == list(meta["meta_archs"])


def test_the_order_lists_every_cell_once_and_is_small():
    assert sorted(SPACE.every_string()) == sorted(render(cell) for cell in product(OPERATIONS, repeat=6))
    assert shipped("data", "nasbench201_order.npy").stat().st_size < 40_000


def test_the_classes_are_those_of_the_published_unique_strings(shared):
    published = pd.read_csv(shared / "data" / "nats_bench.csv")
    ours = published["ArchitectureString"].map(SPACE.canonical)
    pairs = pd.DataFrame({"ours": ours, "published": published["UniqueString"]}).drop_duplicates()
    assert len(pairs) == pairs["ours"].nunique() == pairs["published"].nunique() == 6466


def test_there_are_6466_classes_that_divide_the_space():
    groups = [SPACE.members(architecture) for architecture in SPACE.architectures()]
    assert len(groups) == 6466
    assert sorted(name for group in groups for name in group) == sorted(SPACE.every_string())


@pytest.mark.parametrize("space", [SPACE, NASBench201(channels=1, cells=1), NASBench201(channels=64, cells=2)])
def test_the_canonical_architecture_has_fewest_live_parameters_then_the_lowest_index(space):
    def key(architecture):
        return space.complexity(architecture, "cifar10").live_params, space.index(architecture)

    for name in space.architectures()[::20]:
        assert min(space.members(name), key=key) == name


@given(architectures)
@settings(deadline=None)
def test_canonical_twice_is_canonical_once(architecture):
    once = SPACE.canonical(architecture)
    assert SPACE.canonical(once) == once
    assert architecture in SPACE.members(once)
    assert once in SPACE.architectures()


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "darts",
        DEAD_CONVOLUTION[:-1],
        DEAD_CONVOLUTION + DEAD_CONVOLUTION,
        DEAD_CONVOLUTION.replace("~1", "~2"),
        DEAD_CONVOLUTION.replace("+", " + "),
        DEAD_CONVOLUTION.replace("nor_conv_3x3", "nor_conv_5x5"),
        "line\nbreak" * 1000,
        float("nan"),
    ],
)
@pytest.mark.parametrize("ability", ["validate", "canonical", "index", "operations", "neighbours", "members"])
def test_a_foreign_string_is_refused_in_one_short_line(foreign, ability):
    with pytest.raises(InvalidArchitectureError) as refusal:
        getattr(SPACE, ability)(foreign)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_official_parameters_and_multiply_adds_are_exact_on_all_architectures(table):
    assert (table["params"] == (table["params_M_c10"] * 1e6).round()).all()
    assert (table["macs"] == (table["flops_M_c10"] * 1e6).round()).all()
    sixteen = [SPACE.complexity(name, "imagenet16-120").macs for name in table["architecture"]]
    assert (sixteen == (table["flops_M_in16"] * 1e6).round()).all()


def test_known_counts_of_dead_and_live_convolutions(table):
    least = table["live_params"].min()
    assert (table["live_params"] > least).sum() == 13_642
    assert (table["live_params"] < table["params"]).sum() == 4_250
    ranges = table.groupby("canonical")["live_params"].agg(["min", "max"])
    assert (ranges["min"] < ranges["max"]).sum() == 430


def test_rank_correlations_of_parameters_are_the_published_ones(table):
    accuracy = table["c10_test200_mean"]
    means = table.groupby("canonical")[["params", "c10_test200_mean"]].mean()
    assert kendalltau(means["params"], means["c10_test200_mean"]).statistic == pytest.approx(0.603, abs=0.002)
    assert kendalltau(table["params"], accuracy).statistic == pytest.approx(0.578, abs=0.0005)
    assert kendalltau(table["live_params"], accuracy).statistic == pytest.approx(0.654, abs=0.0005)


@pytest.mark.parametrize(
    ("column", "best", "index"),
    [
        ("c10_test200_mean", 94.373, 6111),
        ("c100_test200_mean", 73.513, 9930),
        ("in16_test200_mean", 47.311, 857),
    ],
)
def test_the_best_architectures_stand_at_their_official_index(table, column, best, index):
    row = table.loc[table[column].idxmax()]
    assert row[column] == pytest.approx(best, abs=0.0005)
    assert SPACE.index(row["architecture"]) == index


def counted(network, images):
    """Parameters, and multiply-adds that torch counts for one image."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, *images.shape))
    return sum(it.numel() for it in network.parameters()), counter.get_total_flops() // 2


@pytest.mark.parametrize("images", ["cifar10", "imagenet16-120", "digits"])
@pytest.mark.parametrize("architecture", [CONVOLUTION_TO_POOL, DEAD_CONVOLUTION, NO_PATH])
def test_the_closed_form_counts_the_built_networks(architecture, images):
    closed, data = SPACE.complexity(architecture, images), dataset(images)
    kept = counted(SPACE.build(architecture, images, dead="keep"), data)
    dropped = counted(SPACE.build(architecture, images), data)
    assert kept == (closed.params, closed.macs - data.classes)
    assert dropped == (closed.live_params, closed.live_macs - data.classes)


@given(architectures, st.integers(1, 4), st.integers(1, 2))
@settings(max_examples=15, deadline=None)
def test_the_closed_form_holds_at_every_size(architecture, channels, cells):
    space, data = NASBench201(channels, cells), dataset("digits")
    closed = space.complexity(architecture, data)
    assert counted(space.build(architecture, data), data) == (closed.live_params, closed.live_macs - 10)
    assert counted(space.build(architecture, data, dead="keep"), data) == (closed.params, closed.macs - 10)


def test_images_whose_side_cannot_be_halved_twice_are_refused():
    for ability in (SPACE.build, SPACE.complexity):
        with pytest.raises(UnsupportedError, match="side is 30; use a side that is a multiple of 4"):
            ability(NO_PATH, Dataset("odd", classes=2, size=30))


@pytest.mark.parametrize("sizes", [{"channels": 0}, {"cells": 0}])
def test_sizes_below_one_are_refused(sizes):
    with pytest.raises(UnsupportedError, match="at least 1"):
        NASBench201(**sizes).build(NO_PATH, "digits")


def test_an_unknown_treatment_of_dead_operations_is_refused():
    with pytest.raises(UnknownNameError, match="Known: drop, keep"):
        SPACE.build(NO_PATH, "digits", dead="droop")


def test_a_smaller_sample_is_a_prefix_of_a_larger_one():
    large, small = (SPACE.sample(n, np.random.default_rng(3)) for n in (500, 300))
    assert large[:300] == small
    assert len(set(large)) == 500
    assert SPACE.sample(6466, np.random.default_rng(3))[:500] == large


@pytest.mark.parametrize("n", [-1, 6467])
def test_a_sample_larger_than_the_space_is_refused(n):
    with pytest.raises(BenchsuiteError, match="choose 0 to 6466"):
        SPACE.sample(n, np.random.default_rng(0))


@given(architectures, st.integers(0, 2**32))
@settings(deadline=None)
def test_a_mutation_differs_in_one_operation(architecture, seed):
    mutant = SPACE.mutate(architecture, np.random.default_rng(seed))
    differences = [a != b for a, b in zip(parse(architecture), parse(mutant), strict=True)]
    assert sum(differences) == 1


@given(architectures)
@settings(deadline=None)
def test_the_neighbours_are_all_architectures_one_operation_away(architecture):
    neighbours = SPACE.neighbours(architecture)
    own = parse(architecture)
    assert len(set(neighbours)) == 24
    assert all(sum(a != b for a, b in zip(own, parse(it), strict=True)) == 1 for it in neighbours)


def test_strings_and_complexity_load_no_torch():
    code = (
        "import sys; from benchsuite.spaces.nasbench201.space import NASBench201 as S; "
        "S().complexity(S().architectures()[0], 'cifar10'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
