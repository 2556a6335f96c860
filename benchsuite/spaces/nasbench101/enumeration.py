"""The list of all modules of NAS-Bench-101, made in a tenth of a second."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations, product
from typing import TYPE_CHECKING, overload

import numpy as np

from benchsuite.spaces.nasbench101.graphs import BITS, LABELS, MOST_EDGES, MOST_VERTICES
from benchsuite.spaces.nasbench101.strings import string_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class ModuleStrings(Sequence[str]):
    """The canonical strings of all modules, made when they are asked for: three numbers stand for each."""

    def __init__(self) -> None:
        parts = [(vertices - 2, *all_modules(vertices)) for vertices in range(2, MOST_VERTICES + 1)]
        self._graphs = np.concatenate([graphs for _, graphs, _ in parts])
        self._labels = np.concatenate([labels for *_, labels in parts])
        self._inner = np.repeat(
            np.array([inner for inner, *_ in parts], dtype=np.uint8), [len(graphs) for _, graphs, _ in parts]
        )

    def __len__(self) -> int:
        return len(self._graphs)

    @overload
    def __getitem__(self, position: int) -> str: ...
    @overload
    def __getitem__(self, position: slice) -> list[str]: ...
    def __getitem__(self, position: int | slice) -> str | list[str]:
        if isinstance(position, slice):
            return [self[each] for each in range(*position.indices(len(self)))]
        return _listed(int(self._graphs[position]), int(self._labels[position]), int(self._inner[position]))

    def __iter__(self) -> Iterator[str]:
        return map(_listed, self._graphs.tolist(), self._labels.tolist(), self._inner.tolist())


def _listed(graph: int, number: int, inner: int) -> str:
    return string_of(_label_digits(number, inner), graph)


@lru_cache(maxsize=1 << 9)
def _label_digits(number: int, inner: int) -> tuple[int, ...]:
    return tuple(number // LABELS**digit % LABELS for digit in reversed(range(inner)))


def all_modules(vertices: int) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Return the canonical modules of all isomorphism classes of pruned modules, in the benchmark's order.

    Parameters
    ----------
    vertices
        Number of vertices, input and output included.

    Returns
    -------
    tuple
        Graphs, and their labels as one number each: digits to the base 3, first vertex first.
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
    """Return all graphs within the limit of edges whose vertices all lie on a path from input to output."""
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
    """Return the graphs with their vertices in another order, and which of them still have forward edges only."""
    position = {old: new for new, old in enumerate(order)}
    moved, forwards = np.zeros_like(graphs), np.ones(len(graphs), dtype=bool)
    for (source, target), bit in BITS.items():
        if target < len(order):
            present = graphs & np.uint32(bit) != 0
            new = BITS.get((position[source], position[target]))
            if new is None:
                forwards &= ~present
            else:
                moved |= np.where(present, np.uint32(new), np.uint32(0))
    return moved, forwards
