"""The cells of the DARTS space as graphs: live parts, isomorphism, random cells, neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
NONE = "none"  # passes nothing on; read in strings because tables of trained genotypes have it, never drawn
NOISE = "noise"  # only of RobustDARTS's operation set S4: a string that has it is outside the space
NODES = 4  # intermediate nodes of a cell, numbered from 2: inputs 0 and 1 are the cell before the last and the last
Incoming = tuple[str, int]  # an edge into a node: operation, number of the source
NodeEdges = tuple[Incoming, Incoming]
CellNodes = tuple[NodeEdges, NodeEdges, NodeEdges, NodeEdges]


@dataclass(frozen=True, slots=True)
class CellPart:
    """What is built of a cell.

    Attributes
    ----------
    edges
        Source, target and operation of each, in the order of their nodes.
    inputs
        Numbers of the inputs that are read.
    """

    edges: tuple[tuple[int, int, str], ...]
    inputs: tuple[int, ...]


def grouped(edges: Sequence[Incoming]) -> CellNodes:
    """Return eight edges as four nodes of two.

    Parameters
    ----------
    edges
        Eight pairs of an operation and a source, node by node.

    Returns
    -------
    tuple
        The nodes.
    """
    one, two, three, four = zip(edges[::2], edges[1::2], strict=True)
    return one, two, three, four


def whole(cell: CellNodes) -> CellPart:
    """Return the cell as the official network has it: both inputs, and operations "none" as edges.

    Parameters
    ----------
    cell
        Its four nodes.

    Returns
    -------
    CellPart
        All of it.
    """
    edges = tuple((source, node, operation) for node, pair in enumerate(cell, start=2) for operation, source in pair)
    return CellPart(edges, (0, 1))


def live_part(cell: CellNodes) -> CellPart:
    """Return the edges that pass on something of an input, and the inputs that they read.

    Every node is part of the output, so that only "none" makes an edge or an input useless.

    Parameters
    ----------
    cell
        Its four nodes.

    Returns
    -------
    CellPart
        The part that the output depends on.

    Examples
    --------
    >>> nothing = (("none", 0), ("none", 1))
    >>> live_part((nothing, (("sep_conv_3x3", 2), ("skip_connect", 1)), nothing, nothing))
    CellPart(edges=((1, 3, 'skip_connect'),), inputs=(1,))
    """
    reached = {0, 1}
    edges = []
    for source, target, operation in whole(cell).edges:
        if operation != NONE and source in reached:
            reached.add(target)
            edges.append((source, target, operation))
    return CellPart(tuple(edges), tuple(number for number in (0, 1) if any(source == number for source, *_ in edges)))


@lru_cache(maxsize=4096)
def canonical_cell(cell: CellNodes) -> CellNodes:
    """Return the canonical cell of an isomorphism class.

    Parameters
    ----------
    cell
        Its four nodes.

    Returns
    -------
    tuple
        The first in lexical order of all cells that differ only in the order of edges and the numbers of nodes.
    """
    return min(_renumbered(cell, order) for order in _orders(cell))


def shuffled(cell: CellNodes, rng: np.random.Generator) -> CellNodes:
    """Return an isomorphic cell: with random numbers of its nodes, the edges of a node in a random order.

    Parameters
    ----------
    cell
        Its four nodes.
    rng
        Source of randomness.

    Returns
    -------
    tuple
        Four nodes.
    """
    orders = _orders(cell)
    nodes = _renumbered(cell, orders[rng.integers(len(orders))])
    return grouped([node[position] for node in nodes for position in rng.permutation(2)])


def _orders(cell: CellNodes) -> list[tuple[int, ...]]:
    """Return all new numbers of the nodes with which every node comes after those that it reads."""
    reads = [(node, source - 2) for node, pair in enumerate(cell) for _, source in pair if source >= 2]
    orders = permutations(range(2, 2 + NODES))
    return [order for order in orders if all(order[source] < order[node] for node, source in reads)]


def _renumbered(cell: CellNodes, order: Sequence[int]) -> CellNodes:
    """Return the cell with new numbers of its nodes, the edges of a node by input."""
    numbers = (0, 1, *order)
    nodes = [sorted((numbers[source], operation) for operation, source in pair) for pair in cell]
    by_number = [nodes[order.index(number)] for number in range(2, 2 + NODES)]
    return grouped([(operation, source) for node in by_number for source, operation in node])


def random_cell(rng: np.random.Generator) -> CellNodes:
    """Draw a cell: operations, and pairs of different inputs, all with the same probability.

    Parameters
    ----------
    rng
        Source of randomness.

    Returns
    -------
    tuple
        Four nodes.
    """
    operations = rng.integers(len(OPERATIONS), size=2 * NODES)
    sources = [int(source) for node in range(2, 2 + NODES) for source in sorted(rng.permutation(node)[:2])]
    return grouped([(OPERATIONS[number], source) for number, source in zip(operations, sources, strict=True)])


def neighbouring_cells(cell: CellNodes) -> list[CellNodes]:
    """Return the cells with another operation or another input on one edge, some path left by "none".

    Parameters
    ----------
    cell
        Its four nodes.

    Returns
    -------
    list
        Cells, each once.
    """
    edges = [edge for node in cell for edge in node]
    found = []
    for position, (operation, source) in enumerate(edges):
        taken = {source, edges[position ^ 1][1]}
        others = [(other, source) for other in OPERATIONS if other != operation]
        others += [(operation, other) for other in range(2 + position // 2) if other not in taken]
        found += [[*edges[:position], other, *edges[position + 1 :]] for other in others]
    return [cell for cell in map(grouped, found) if live_part(cell).edges]
