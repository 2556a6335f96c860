"""Modules of NAS-Bench-101 that several tests need."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from benchsuite.core.errors import InvalidArchitectureError
from benchsuite.spaces.nasbench101.space import NASBench101
from benchsuite.spaces.nasbench101.strings import OPERATIONS, parse, render

SPACE = NASBench101()
KNOWN = "conv3x3,maxpool3x3,conv3x3,conv3x3,conv1x1:0-1,0-4,0-5,1-2,2-3,2-6,3-5,4-5,5-6"
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
