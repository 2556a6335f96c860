"""The list of all modules of NAS-Bench-101 against published counts and against brute force."""

from __future__ import annotations

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
from nasbench101_modules import LISTED, SPACE, renumbered

from benchsuite.spaces.nasbench101.strings import OPERATIONS, parse


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


def test_every_module_of_the_benchmark_has_its_own_matrix_as_canonical_one(table):
    canonical = [SPACE.canonical(architecture) for architecture in table.architecture]
    assert canonical == table.architecture.tolist()
    assert set(canonical) <= set(LISTED)


def test_no_module_divides_its_output_among_more_than_four_vertices():
    graphs = {architecture.partition(":")[2] for architecture in LISTED}
    assert max(sum(it[0] != "0" and it[2] == graph[-1] for it in graph.split(",")) for graph in graphs) == 4
