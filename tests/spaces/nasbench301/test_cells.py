"""Isomorphism of cells of the DARTS space, against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
from darts_cells import SPACE, cells, edges_of
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.spaces.nasbench301.strings import parse, render


def graph(cell):
    """The cell as a graph: inputs are told apart, nodes are not."""
    result = nx.DiGraph()
    result.add_nodes_from((node, {"kind": min(node, 2)}) for node in range(6))
    result.add_edges_from((source, node, {"operation": operation}) for source, node, operation in edges_of(cell))
    return result


def isomorphic(one, other):
    return nx.is_isomorphic(
        graph(one),
        graph(other),
        node_match=lambda a, b: a["kind"] == b["kind"],
        edge_match=lambda a, b: a["operation"] == b["operation"],
    )


def rewritten(cell, rng):
    """The same cell: nodes numbered in another order in which each follows its inputs, edges shuffled."""
    ranks = {0: 0, 1: 1}
    while len(ranks) < 6:
        ready = [
            node
            for node, pair in enumerate(cell, start=2)
            if node not in ranks and all(source in ranks for _, source in pair)
        ]
        ranks[int(rng.choice(ready))] = len(ranks)
    nodes = {
        ranks[node]: tuple((pair[at][0], ranks[pair[at][1]]) for at in rng.permutation(2))
        for node, pair in enumerate(cell, start=2)
    }
    return tuple(nodes[number] for number in range(2, 6))


@given(cells(), cells(), st.integers(0, 2**32))
def test_the_order_of_edges_and_nodes_makes_no_other_architecture(normal, reduction, seed):
    rng = np.random.default_rng(seed)
    again = render(rewritten(normal, rng), rewritten(reduction, rng))
    once = SPACE.canonical(render(normal, reduction))
    assert SPACE.canonical(again) == SPACE.canonical(once) == once
    assert all(isomorphic(*pair) for pair in zip(parse(once), (normal, reduction), strict=True))


@given(cells(), cells(), st.integers(0, 2**32))
def test_equivalent_strings_have_isomorphic_cells(normal, reduction, seed):
    other = SPACE.equivalent(render(normal, reduction), np.random.default_rng(seed))
    assert all(isomorphic(*pair) for pair in zip(parse(other), (normal, reduction), strict=True))


def test_nodes_and_edges_of_equivalent_strings_come_in_any_order():
    pair = "|sep_conv_3x3~0|skip_connect~1|", "|max_pool_3x3~0|skip_connect~1|"
    cell = "+".join([pair[0], *[pair[1]] * 3])
    rng = np.random.default_rng(0)
    written = {SPACE.equivalent(f"{cell}/{cell}", rng).partition("/")[0] for _ in range(1000)}
    assert len(written) == 4 * 2**4  # places of the different node, orders of the edges of each


few = cells(("skip_connect", "max_pool_3x3"))


@given(few, few)
@settings(max_examples=300)
def test_cells_have_one_canonical_form_exactly_if_their_graphs_are_isomorphic(one, other):
    same = SPACE.canonical(render(one, one)) == SPACE.canonical(render(other, other))
    assert same == isomorphic(one, other)
