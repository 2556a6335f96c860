"""The graphs of NAS-Bench-101's modules: pruning, isomorphism, neighbours, and the benchmark's hash.

A graph is an integer: bit s + t (t - 1) / 2 stands for the edge from vertex s to vertex t > s. Vertex 0 is the input
and the last one the output; the vertices between them carry operation numbers (labels). The benchmark (Ying et al.,
ICML 2019) generated its modules in the order of these integers, then of the labels, and kept the first of each class
of isomorphic ones; so the canonical module of a class is its least member.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, product
from typing import TYPE_CHECKING

from benchsuite.spaces.base import one_changed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from benchsuite.spaces.cells import Edge

MOST_VERTICES = 7  # input and output included
MOST_EDGES = 9
LABELS = 3
BITS = {
    (source, target): 1 << source + target * (target - 1) // 2
    for source in range(MOST_VERTICES)
    for target in range(source + 1, MOST_VERTICES)
}


def graph_of(edges: Sequence[Edge]) -> int:
    """Return the integer that stands for a set of edges.

    Parameters
    ----------
    edges
        Pairs of source and target, source < target.

    Returns
    -------
    int
        One bit for each edge.

    Examples
    --------
    >>> graph_of([(0, 1), (1, 2)])
    5
    """
    return sum(BITS[edge] for edge in edges)


@lru_cache(maxsize=1 << 16)
def edges_of(graph: int) -> tuple[Edge, ...]:
    """Return the edges of a graph.

    Parameters
    ----------
    graph
        The integer that stands for them.

    Returns
    -------
    tuple
        Pairs of source and target, by source, then by target.

    Examples
    --------
    >>> edges_of(5)
    ((0, 1), (1, 2))
    """
    return tuple(edge for edge, bit in BITS.items() if graph & bit)


@lru_cache(maxsize=1 << 16)
def _predecessors(graph: int, vertices: int) -> tuple[int, ...]:
    """Return for each vertex the set of those with an edge to it, one bit per vertex."""
    return tuple(graph >> target * (target - 1) // 2 & (1 << target) - 1 for target in range(vertices))


@dataclass(frozen=True, slots=True)
class ModuleGraph:
    """A graph with the labels of its inner vertices.

    Attributes
    ----------
    graph
        The integer that stands for the edges.
    labels
        The number of the operation of each inner vertex.
    """

    graph: int
    labels: tuple[int, ...]

    @property
    def vertices(self) -> int:
        """Number of vertices, input and output included."""
        return len(self.labels) + 2

    @property
    def edges(self) -> tuple[Edge, ...]:
        """Edges by source, then by target."""
        return edges_of(self.graph)

    def pruned(self) -> ModuleGraph | None:
        """Return the module without vertices and edges on no path from input to output; None if there is no path."""
        live = _live_vertices(self.graph, self.vertices)
        if len(live) == self.vertices:
            return self
        if not live:
            return None
        return self._in_order(live)

    def renumbered(self, rng: np.random.Generator) -> ModuleGraph:
        """Return the module with its inner vertices in a random order in which edges go forwards.

        Parameters
        ----------
        rng
            Source of randomness.

        Returns
        -------
        ModuleGraph
            An isomorphic module.
        """
        orders = list(_orders(_predecessors(self.graph, self.vertices), (0,)))
        return self._in_order(orders[rng.integers(len(orders))])

    def _in_order(self, order: Sequence[int]) -> ModuleGraph:
        """Return the module of the vertices in the order, the others left out."""
        return ModuleGraph(_relabelled(self.graph, order), tuple(self.labels[vertex - 1] for vertex in order[1:-1]))

    def least(self) -> ModuleGraph:
        """Return the canonical module of the isomorphism class of a pruned module."""
        graph, orders = _least(self.graph, self.vertices)
        labels = self.labels
        return ModuleGraph(graph, min(tuple([labels[vertex - 1] for vertex in order[1:-1]]) for order in orders))

    def changes(self) -> Iterator[ModuleGraph]:
        """Return modules that differ in one label, edge or vertex, neither pruned nor least, some of them equal.

        An edge is removed, or added in any direction that makes no cycle. A new vertex has one edge in and one out;
        without it, no change would lead from a module to one with more vertices.
        """
        yield from (ModuleGraph(self.graph, labels) for labels in one_changed(self.labels, range(LABELS)))
        yield from (ModuleGraph(self.graph & ~BITS[edge], self.labels) for edge in self.edges)
        numbered = (_forwards(edges, labels) for edges, labels in chain(_one_more_edge(self), _one_more_vertex(self)))
        yield from (module for module in numbered if module is not None)

    def digest(self) -> str:
        """Return the benchmark's hash of a pruned module, equal for isomorphic ones: 32 hexadecimal digits.

        Every vertex has a hash, at first of its numbers of outgoing and incoming edges and its label (input -1, output
        -2); it is hashed again with those around it, once per vertex. The module's is the hash of all, sorted.
        """
        before: list[list[int]] = [[] for _ in range(self.vertices)]
        after: list[list[int]] = [[] for _ in range(self.vertices)]
        for source, target in self.edges:
            after[source].append(target)
            before[target].append(source)
        labels = (-1, *self.labels, -2)
        hashes = [_md5(str((len(after[v]), len(before[v]), label))) for v, label in enumerate(labels)]
        for _ in labels:
            around = [
                ["".join(sorted(hashes[w] for w in near[v])) for near in (before, after)] for v in range(len(labels))
            ]
            hashes = [_md5("|".join((*near, own))) for near, own in zip(around, hashes, strict=True)]
        return _md5(str(sorted(hashes)))


def _one_more_edge(module: ModuleGraph) -> Iterator[tuple[tuple[Edge, ...], tuple[int, ...]]]:
    last = module.vertices - 1
    for edge in product(range(last), range(1, last + 1)):
        if edge not in module.edges:
            yield (*module.edges, edge), module.labels


def _one_more_vertex(module: ModuleGraph) -> Iterator[tuple[tuple[Edge, ...], tuple[int, ...]]]:
    if module.vertices == MOST_VERTICES:
        return
    last = module.vertices - 1  # becomes the new vertex's number, the output's is one more
    edges = [(source, target + (target == last)) for source, target in module.edges]
    for source, target in product(range(last), [*range(1, last), last + 1]):
        for label in range(LABELS):
            yield (*edges, (source, last), (last, target)), (*module.labels, label)


def _forwards(edges: Sequence[Edge], labels: tuple[int, ...]) -> ModuleGraph | None:
    """Return the module with its inner vertices numbered so that edges go forwards; None if they make a cycle."""
    predecessors = [0] * (len(labels) + 2)
    for source, target in edges:
        predecessors[target] |= 1 << source
    order = next(_orders(predecessors, (0,)), None)
    if order is None:
        return None
    position = {old: new for new, old in enumerate(order)}
    graph = graph_of([(position[source], position[target]) for source, target in edges])
    return ModuleGraph(graph, tuple(labels[vertex - 1] for vertex in order[1:-1]))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@lru_cache(maxsize=1 << 16)
def _live_vertices(graph: int, vertices: int) -> tuple[int, ...]:
    """Return the vertices on paths from input to output."""
    predecessors = _predecessors(graph, vertices)
    reached, needed = 1, 1 << vertices - 1
    for vertex in range(1, vertices):
        reached |= bool(predecessors[vertex] & reached) << vertex
    for vertex in range(vertices - 1, 0, -1):
        if needed >> vertex & 1:
            needed |= predecessors[vertex]
    return tuple(vertex for vertex in range(vertices) if reached & needed & 1 << vertex)


def _relabelled(graph: int, order: Sequence[int]) -> int:
    """Return the graph whose vertex i is the old vertex order[i]; those that are not in the order are left out."""
    position = {old: new for new, old in enumerate(order)}
    return sum(
        BITS[position[source], position[target]]
        for source, target in edges_of(graph)
        if source in position and target in position
    )


@lru_cache(maxsize=1 << 16)
def _least(graph: int, vertices: int) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """Return the least graph among the isomorphic ones, and all orders of the vertices that give it."""
    found: dict[int, list[tuple[int, ...]]] = {}
    for order in _orders(_predecessors(graph, vertices), (0,)):
        found.setdefault(_relabelled(graph, order), []).append(order)
    least = min(found)
    return least, tuple(found[least])


def _orders(predecessors: Sequence[int], start: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Return all orders of the vertices, output last, in which edges go forwards and which begin with `start`."""
    last = len(predecessors) - 1
    if len(start) == last:
        yield (*start, last)
    placed = sum(1 << vertex for vertex in start)
    for vertex in range(1, last):
        if not placed >> vertex & 1 and not predecessors[vertex] & ~placed:
            yield from _orders(predecessors, (*start, vertex))


@lru_cache(maxsize=1 << 12)
def widths(edges: tuple[Edge, ...], outputs: int) -> tuple[int, ...]:
    """Return the channels of each vertex of a pruned module.

    The vertices with an edge to the output divide its channels, the first ones take one more where this does not come
    out even; every other vertex has as many as the widest that it feeds. The input's are 0: edges from it are
    projections to the width of their target.

    Parameters
    ----------
    edges
        Edges of the module.
    outputs
        Channels of its output.

    Returns
    -------
    tuple
        A number for each vertex, input and output included.

    Examples
    --------
    Three vertices between input and output, side by side:

    >>> widths(((0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)), 128)
    (0, 43, 43, 42, 128)
    """
    last = max(target for _, target in edges)
    feeding = [source for source, target in edges if target == last and source > 0]
    wide = [0] * last + [outputs]
    for position, vertex in enumerate(feeding):
        wide[vertex] = outputs // len(feeding) + (position < outputs % len(feeding))
    for vertex in range(last - 1, 0, -1):
        if vertex not in feeding:
            wide[vertex] = max(wide[target] for source, target in edges if source == vertex)
    return tuple(wide)
