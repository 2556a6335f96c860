"""The graphs of NAS-Bench-101 against nasbench-pytorch: pruning, isomorphism, hash, neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nasbench101_modules import KNOWN, LISTED, PROJECTION, SPACE, numberings, renumbered, valid, written_modules

from benchsuite.core.errors import InvalidArchitectureError
from benchsuite.spaces.nasbench101.strings import OPERATIONS, parse, render

DEAD_VERTEX = "conv3x3,conv1x1,maxpool3x3:0-1,0-2,1-4,2-3"  # 2 and 3 lead nowhere


@pytest.mark.slow
def test_no_two_modules_have_the_same_hash():
    assert len({SPACE.module_hash(architecture) for architecture in LISTED}) == 423_624


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
