"""Live paths and unique strings of cells, against networkx-free brute force."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from benchsuite.spaces.cells import live_edges, unique_string


def paths(edges, start, end):
    """All paths between two nodes as sets of edges."""
    if start == end:
        return [set()]
    return [{edge} | rest for edge in edges if edge[0] == start for rest in paths(edges, edge[1], end)]


@st.composite
def graphs(draw):
    last = draw(st.integers(1, 5))
    edges = sorted(combinations(range(last + 1), 2), key=lambda edge: (edge[1], edge[0]))
    return edges, draw(st.lists(st.booleans(), min_size=len(edges), max_size=len(edges)))


@given(graphs())
def test_an_edge_is_live_exactly_if_some_path_uses_it(graph):
    edges, present = graph
    used = set().union(*paths([edge for edge, here in zip(edges, present, strict=True) if here], 0, edges[-1][1]))
    assert live_edges(edges, present) == tuple(edge in used for edge in edges)


EDGES = [(0, 1), (0, 2), (1, 2)]


def test_identities_vanish_and_sums_are_sorted():
    assert unique_string(EDGES, ["a", "b", "skip_connect"]) == unique_string(EDGES, ["b", "a", "skip_connect"])
    assert unique_string(EDGES, ["skip_connect", "b", "a"]) == "(0)@a+(0)@b"


def test_zeros_pass_through_operations_but_stay_in_sums():
    assert unique_string(EDGES, ["none", "a", "b"]) == "#+(0)@a"
    square = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
    assert unique_string(square, ["none", "none", "none", "none", "none", "a"]) == "#+#+(#+#)@a"
