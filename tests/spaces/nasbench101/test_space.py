"""NAS-Bench-101 against published counts and tables, and against nasbench-pytorch's hash and networks."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchsuite.core.errors import BenchsuiteError, InvalidArchitectureError, UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.spaces.nasbench101.space import NASBench101
from benchsuite.spaces.nasbench101.strings import OPERATIONS, parse, render
from benchsuite.testing import check_space

SPACE = NASBench101()
TINY = NASBench101(channels=5, cells=2, stacks=2)
KNOWN = "conv3x3,maxpool3x3,conv3x3,conv3x3,conv1x1:0-1,0-4,0-5,1-2,2-3,2-6,3-5,4-5,5-6"
DEAD_VERTEX = "conv3x3,conv1x1,maxpool3x3:0-1,0-2,1-4,2-3"  # 2 and 3 lead nowhere
PROJECTION = ":0-1"
UNEVEN = "conv3x3,conv1x1,maxpool3x3,conv3x3:0-1,1-2,1-3,1-4,2-5,3-5,4-5"  # 1 feeds 2, 3, 4 of unequal widths
LISTED = SPACE.architectures()


@st.composite
def written_modules(draw, fewest=1):
    """Matrix and operations of a module with at least so many edges to each vertex, some vertices dead."""
    vertices = draw(st.integers(2, 7))
    matrix = np.zeros((vertices, vertices), dtype=int)
    for target in range(1, vertices):
        matrix[list(draw(st.sets(st.integers(0, target - 1), min_size=fewest, max_size=2))), target] = 1
    operations = draw(st.lists(st.sampled_from(OPERATIONS), min_size=vertices - 2, max_size=vertices - 2))
    return matrix, operations


def valid(matrix, operations):
    architecture = render(matrix, operations)
    try:
        SPACE.validate(architecture)
    except InvalidArchitectureError:
        assume(condition=False)
    return architecture


def renumbered(matrix, operations, order):
    """The module with its inner vertices in another order; None where an edge would go backwards."""
    whole = [0, *order, len(matrix) - 1]
    moved = np.asarray(matrix)[np.ix_(whole, whole)]
    return None if np.tril(moved).any() else (moved, [operations[vertex - 1] for vertex in order])


def numberings(architecture):
    """Matrix and operations of a module in all its numberings."""
    matrix, operations = parse(architecture)
    every = (renumbered(matrix, operations, order) for order in permutations(range(1, len(matrix) - 1)))
    return [it for it in every if it is not None]


@pytest.fixture(scope="module")
def table(shared):
    """The public part of the benchmark, with our strings."""
    table = pd.read_parquet(shared / "data" / "nasbench101_30k.parquet")
    rows = [np.array(list(bits), dtype=int).reshape(n, n) for bits, n in zip(table.adjacency, table.num_vertices)]  # noqa: B905 - columns of one table
    operations = [text.split(",") if text else [] for text in table.ops]
    return table.assign(architecture=[render(*module) for module in zip(rows, operations, strict=True)])


# The list of modules


def test_there_are_as_many_modules_of_each_size_as_published():
    operations = [architecture.partition(":")[0] for architecture in LISTED]
    vertices = [2 + (it.count(",") + 1 if it else 0) for it in operations]
    assert Counter(vertices) == {2: 1, 3: 6, 4: 84, 5: 2441, 6: 62010, 7: 359082}
    assert vertices == sorted(vertices)
    assert len(LISTED) == 423_624


def test_listed_strings_differ_and_can_be_picked_by_position():
    strings = list(LISTED)
    assert len(set(strings)) == 423_624
    assert [LISTED[position] for position in (0, 91, -1)] == [strings[position] for position in (0, 91, -1)]
    assert LISTED[5:100_000:9_999] == strings[5:100_000:9_999]
    with pytest.raises(IndexError):
        LISTED[423_624]


def test_listed_modules_are_canonical():
    assert all(SPACE.canonical(architecture) == architecture for architecture in LISTED[::40])


def test_no_two_small_modules_are_isomorphic_and_none_is_missing():
    def least(matrix, operations):
        inner = permutations(range(1, len(matrix) - 1))
        moved = [it for order in inner if (it := renumbered(matrix, operations, order)) is not None]
        return min((matrix.tobytes(), tuple(operations)) for matrix, operations in moved)

    found = set()
    for bits in product((0, 1), repeat=6):
        matrix = np.zeros((4, 4), dtype=int)
        matrix[np.triu_indices(4, 1)] = bits
        if matrix[:3].any(1).all() and matrix[:, 1:].any(0).all():
            found |= {least(matrix, list(operations)) for operations in product(OPERATIONS, repeat=2)}
    listed = [parse(architecture) for architecture in LISTED[7 : 7 + 84]]
    ours = [least(np.array(matrix), list(operations)) for matrix, operations in listed]
    assert len(set(ours)) == 84
    assert set(ours) == found


def test_every_module_of_the_benchmark_has_its_own_matrix_as_representative(table):
    canonical = [SPACE.canonical(architecture) for architecture in table.architecture]
    assert canonical == table.architecture.tolist()
    assert set(canonical) <= set(LISTED)


@pytest.mark.slow
def test_the_hash_tells_all_modules_apart():
    assert len({SPACE.module_hash(architecture) for architecture in LISTED}) == 423_624


# Strings and classes


@given(written_modules())
def test_strings_and_matrices_convert_both_ways(module):
    matrix, operations = module
    assume(matrix.any())
    architecture = render(matrix, operations)
    assert parse(f" {architecture}\n") == (tuple(map(tuple, matrix.tolist())), tuple(operations))
    assert render(matrix.tolist(), [f"{it}-bn-relu" if "conv" in it else it for it in operations]) == architecture


@given(written_modules(), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_canonical_forms_are_those_of_any_numbering_and_of_the_pruned_module(module, random):
    matrix, operations = module
    canonical = SPACE.canonical(valid(matrix, operations))
    assert SPACE.canonical(canonical) == canonical
    order = list(range(1, len(matrix) - 1))
    random.shuffle(order)
    moved = renumbered(matrix, operations, order)
    assume(moved is not None)
    assert SPACE.canonical(render(*moved)) == canonical
    assert SPACE.module_hash(render(*moved)) == SPACE.module_hash(canonical)
    assert set(SPACE.neighbours(render(*moved))) == set(SPACE.neighbours(canonical))


def test_equivalent_modules_are_all_numberings_with_forward_edges():
    rng = np.random.default_rng(0)
    found = {SPACE.equivalent("conv3x3,conv1x1,maxpool3x3:0-1,0-2,1-3,2-4,3-4", rng) for _ in range(100)}
    assert found == {
        "conv3x3,conv1x1,maxpool3x3:0-1,0-2,1-3,2-4,3-4",
        "conv1x1,conv3x3,maxpool3x3:0-1,0-2,1-4,2-3,3-4",
        "conv3x3,maxpool3x3,conv1x1:0-1,0-3,1-2,2-4,3-4",
    }


@given(written_modules(fewest=0))
@settings(max_examples=150)
def test_modules_are_pruned_and_limited_as_by_the_public_reader(module):
    model_spec = pytest.importorskip("nasbench_pytorch.model.model_spec")
    matrix, operations = module
    assume(matrix.any())
    try:
        spec = model_spec.ModelSpec(matrix, ["input", *operations, "output"])
    except RuntimeError:  # what it does where no path is left
        spec = None
    if spec is None or int(spec.matrix.sum()) > 9:
        with pytest.raises(InvalidArchitectureError, match="at most 9 edges"):
            SPACE.canonical(render(matrix, operations))
    else:
        pruned = render(spec.matrix.tolist(), spec.ops[1:-1])
        assert SPACE.canonical(render(matrix, operations)) == SPACE.canonical(pruned)
        assert SPACE.operations(render(matrix, operations)) == tuple(spec.ops[1:-1])
        assert SPACE.complexity(render(matrix, operations), "cifar10") == SPACE.complexity(pruned, "cifar10")


def test_dead_vertices_are_pruned():
    assert SPACE.canonical(DEAD_VERTEX) == "conv3x3:0-1,1-2"
    assert SPACE.operations(DEAD_VERTEX) == ("conv3x3",)
    matrix, operations = parse(DEAD_VERTEX)
    assert len(matrix) == 5
    assert operations == ("conv3x3", "conv1x1", "maxpool3x3")


def test_the_hash_is_the_published_one(table):
    some = table.iloc[::12]
    assert [SPACE.module_hash(architecture) for architecture in some.architecture] == some.module_hash.tolist()
    assert SPACE.module_hash(KNOWN) == "00005c142e6f48ac74fdcf73e3439874"


def test_the_hash_is_that_of_the_public_code_under_any_numbering():
    graph_util = pytest.importorskip("nasbench_pytorch.model.graph_util")
    rng = np.random.default_rng(0)
    for architecture in SPACE.sample(2000, rng):
        matrix, operations = (np.array(part) for part in parse(architecture))
        labels = [-1, *(OPERATIONS.index(operation) for operation in operations), -2]
        inner = 1 + rng.permutation(len(operations))
        graph, labels = graph_util.permute_graph(matrix, labels, [0, *inner.tolist(), len(matrix) - 1])
        assert SPACE.module_hash(architecture) == graph_util.hash_module(graph, labels)


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


@pytest.mark.parametrize(
    ("matrix", "operations"),
    [
        ([[0, 1], [1, 0]], []),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], []),
        ([[0, 1, 0], [0, 0, 1]], ["conv3x3"]),
        ([[0, 2, 0], [0, 0, 1], [0, 0, 0]], ["conv3x3"]),
        ([[0, 0.5, 1], [0, 0, 1], [0, 0, 0]], ["conv3x3"]),
        ([[0, "1", 0], [0, 0, 1], [0, 0, 0]], ["conv3x3"]),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input"]),
        (np.triu(np.ones((8, 8)), 1), ["conv3x3"] * 6),
        ([[0, 0], [0, 0]], []),
    ],
)
def test_what_is_no_module_is_not_rendered(matrix, operations):
    with pytest.raises(InvalidArchitectureError):
        render(matrix, operations)


# Complexity and networks


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


def their_weights(ours, theirs):
    """Copy a network's weights, and random statistics, into nasbench-pytorch's network of the same module."""
    pairs = [(ours.stem, theirs.layers[0].conv_bn_relu), (ours.classifier, theirs.classifier)]
    for mine, other in zip(ours.layers, list(theirs.layers)[1:], strict=True):
        if hasattr(mine, "projections"):
            pairs += [(it, other.input_op[int(at)].conv_bn_relu) for at, it in mine.projections.items()]
            both = zip(mine.operations, list(other.vertex_op)[1:], strict=True)
            pairs += [(it, next(at.children()).conv_bn_relu) for it, at in both if not isinstance(it, nn.MaxPool2d)]
    for mine, other in pairs:
        for name, value in mine.state_dict().items():
            if value.is_floating_point() and value.dim() == 1:
                value.uniform_(0.5, 1.5)
            other.state_dict()[name].copy_(value)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("architecture", [KNOWN, PROJECTION, UNEVEN, *SPACE.sample(6, np.random.default_rng(1))])
def test_networks_compute_what_the_public_ones_compute(architecture, training):
    model = pytest.importorskip("nasbench_pytorch.model.model")
    matrix, operations = parse(architecture)
    official = [f"{it}-bn-relu" if "conv" in it else it for it in operations]
    spec = (np.array(matrix), ["input", *official, "output"])
    theirs = model.Network(spec, 4, 2, TINY.channels, TINY.stacks, TINY.cells).double().train(training)
    ours = TINY.build(architecture, Dataset("some", classes=4, channels=2, size=8)).double().train(training)
    their_weights(ours, theirs)
    images = torch.randn(3, 2, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(ours(images), theirs(images), rtol=1e-12, atol=1e-12)


def test_networks_start_as_the_benchmarks_do():
    network = NASBench101(channels=64, cells=1, stacks=2).build("conv3x3:0-1,0-2,1-2", "cifar10")
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            weights, fan_in = module.weight.detach(), module.weight[0].numel()
            assert float(weights.std()) == pytest.approx(fan_in**-0.5, rel=0.05)
            assert float(weights.abs().max()) <= 2 * fan_in**-0.5 / 0.8796
        elif isinstance(module, nn.BatchNorm2d):
            assert module.eps == 1e-5
    assert not network.classifier.bias.any()
    assert float(network.classifier.weight.detach().std()) == pytest.approx((2 / (128 + 10)) ** 0.5, rel=0.1)


def test_the_full_network_has_the_published_layout():
    network = SPACE.build("conv3x3:0-1,1-2", "cifar10")
    outputs = [it.out_channels for it in network.modules() if isinstance(it, nn.Conv2d)]
    assert outputs == [128] * 7 + [256] * 6 + [512] * 6
    assert sum(isinstance(it, nn.MaxPool2d) for it in network.layers) == 2


@pytest.mark.parametrize("sizes", [{"channels": 3}, {"cells": 0}, {"stacks": 0}])
def test_sizes_that_no_network_can_have_are_refused(sizes):
    for ability in (NASBench101(**sizes).build, NASBench101(**sizes).complexity):
        with pytest.raises(UnsupportedError, match="at least 1, channels at least 4"):
            ability(KNOWN, "digits")


def test_no_module_divides_its_output_among_more_than_four_vertices():
    graphs = {architecture.partition(":")[2] for architecture in LISTED}
    assert max(sum(it[0] != "0" and it[2] == graph[-1] for it in graph.split(",")) for graph in graphs) == 4


def test_an_unknown_treatment_of_dead_operations_is_refused():
    with pytest.raises(UnknownNameError, match="Known: drop, keep"):
        SPACE.build(KNOWN, "digits", dead="droop")


def test_the_space_keeps_its_promises_at_its_smallest_sizes():
    check_space(NASBench101(channels=4, cells=1, stacks=2), dataset=Dataset("digits", classes=10, channels=1, size=12))


# Samples and neighbours


def test_samples_are_uniform_over_the_modules_and_longer_ones_continue_shorter_ones():
    large, small = (SPACE.sample(n, np.random.default_rng(3)) for n in (4000, 300))
    assert large[:300] == small
    assert len(set(large)) == 4000
    seven = np.mean([architecture.partition(":")[0].count(",") == 4 for architecture in large])
    assert seven == pytest.approx(359_082 / 423_624, abs=0.02)
    with pytest.raises(BenchsuiteError, match="choose 0 to 423624"):
        SPACE.sample(423_625, np.random.default_rng(0))


def differ_in_one(one, other):
    """Whether two modules of equal size differ, in some numberings, in one operation or one edge."""
    return any(
        np.sum(matrix != other_matrix) + sum(map(str.__ne__, operations, other_operations)) == 1
        for matrix, operations in numberings(one)
        for other_matrix, other_operations in numberings(other)
    )


def test_neighbours_of_the_same_size_are_those_that_a_search_through_all_finds():
    modules = LISTED[7 : 7 + 84]
    for one in modules[::5]:
        expected = {other for other in modules if differ_in_one(one, other)}
        assert expected == {other for other in SPACE.neighbours(one) if other in modules}


def test_neighbours_lose_and_gain_vertices():
    neighbours = SPACE.neighbours("conv3x3,conv1x1:0-1,0-3,1-2,2-3")
    assert {"conv3x3,conv1x1:0-1,1-2,2-3", ":0-1", "conv3x3:0-1,0-2,1-2"} & set(neighbours) == {
        "conv3x3,conv1x1:0-1,1-2,2-3",  # without the edge from input to output
        ":0-1",  # without any other
    }
    assert set(SPACE.neighbours(":0-1")) == {f"{operation}:0-1,0-2,1-2" for operation in OPERATIONS}


def test_random_neighbours_lead_from_the_smallest_module_to_the_largest():
    rng, walk = np.random.default_rng(0), [PROJECTION]
    for _ in range(100):
        walk.append(SPACE.mutate(walk[-1], rng))
        assert walk[-1] != walk[-2]
    assert max(len(SPACE.operations(architecture)) for architecture in walk) == 5


def test_strings_and_complexity_load_no_torch():
    code = (
        "import sys; from benchsuite.spaces.nasbench101.space import NASBench101 as S; "
        "S().complexity(S().architectures()[0], 'cifar10'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
