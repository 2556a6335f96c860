"""The list of all modules of NAS-Bench-101, made in a tenth of a second."""

from __future__ import annotations

from itertools import permutations, product
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.spaces.nasbench101.graphs import BITS, LABELS, MOST_EDGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def all_modules(vertices: int) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Graph and labels of all classes of pruned modules of so many vertices, in the benchmark's order.

    Labels are one number each: their digits to the base 3, first vertex first.
    """
    graphs, orders = _full_graphs(vertices), _inner_orders(vertices)
    for order in orders:
        moved, forwards = _moved(graphs, order)
        graphs = graphs[~forwards | (moved >= graphs)]
    labels = np.array(list(product(range(LABELS), repeat=vertices - 2)), dtype=np.int64).reshape(
        LABELS ** (vertices - 2), -1
    )
    weights = LABELS ** np.arange(vertices - 3, -1, -1)
    least = np.ones((len(graphs), len(labels)), dtype=bool)
    for order in orders:
        moved, forwards = _moved(graphs, order)
        reordered = labels[:, [vertex - 1 for vertex in order[1:-1]]] @ weights
        least[forwards & (moved == graphs)] &= reordered >= np.arange(len(labels))
    which, labelling = np.nonzero(least)
    return graphs[which], labelling.astype(np.uint8)


def _inner_orders(vertices: int) -> list[tuple[int, ...]]:
    return [(0, *inner, vertices - 1) for inner in permutations(range(1, vertices - 1))]


def _full_graphs(vertices: int) -> NDArray[np.uint32]:
    """All graphs within the limit of edges whose vertices all lie on a path from input to output."""
    pairs = [edge for edge in BITS if edge[1] < vertices]
    graphs = np.arange(1 << len(pairs), dtype=np.uint32)
    for vertex in range(vertices):
        leaving = sum(BITS[edge] for edge in pairs if edge[0] == vertex)
        entering = sum(BITS[edge] for edge in pairs if edge[1] == vertex)
        for mask in filter(None, (leaving, entering)):
            graphs = graphs[graphs & np.uint32(mask) != 0]
    number = np.zeros(len(graphs), dtype=np.uint8)
    for edge in pairs:
        number += graphs & np.uint32(BITS[edge]) != 0
    return graphs[number <= MOST_EDGES]


def _moved(graphs: NDArray[np.uint32], order: Sequence[int]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """The graphs with their vertices in another order, and which of them still have forward edges only."""
    place = {old: new for new, old in enumerate(order)}
    moved, forwards = np.zeros_like(graphs), np.ones(len(graphs), dtype=bool)
    for (source, target), bit in BITS.items():
        if target < len(order):
            present = graphs & np.uint32(bit) != 0
            new = BITS.get((place[source], place[target]))
            if new is None:
                forwards &= ~present
            else:
                moved |= np.where(present, np.uint32(new), np.uint32(0))
    return moved, forwards
