"""Cells as graphs whose edges carry operations: live paths, and expressions by which equal computations are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Edge = tuple[int, int]  # (source node, target node); node 0 is the input, the last node the output


def live_edges(edges: Sequence[Edge], present: Sequence[bool]) -> tuple[bool, ...]:
    """Return whether each edge lies on a path of present edges from the input node to the output node.

    Parameters
    ----------
    edges
        In an order in which every edge follows those that end in its source.
    present
        For each edge whether it passes anything on.

    Returns
    -------
    tuple
        One truth value for each edge.

    Examples
    --------
    The edge into node 1 is dead if the only edge out of it is absent:

    >>> live_edges([(0, 1), (0, 2), (1, 2)], [True, True, False])
    (False, True, False)
    """
    pairs = list(zip(edges, present, strict=True))
    reached, needed = {0}, {edges[-1][1]}
    for (source, target), here in pairs:
        if here and source in reached:
            reached.add(target)
    for (source, target), here in reversed(pairs):
        if here and target in needed:
            needed.add(source)
    return tuple(here and source in reached and target in needed for (source, target), here in pairs)


def unique_string(
    edges: Sequence[Edge], operations: Sequence[str], *, zero: str = "none", identity: str = "skip_connect"
) -> str:
    """Return the expression that the output node computes.

    It is equal for cells equal up to the order of sums and to identities. This is the form of NAS-Bench-201 (Dong and
    Yang, ICLR 2020): a node is the sorted sum of its edges, an operation on x is "(x)@operation", the identity of x is
    x. The zero operation, and every operation on a node that is exactly "#", is "#"; a sum keeps its "#", so that a
    sum of zeros is not taken for zero again.

    Parameters
    ----------
    edges
        In an order in which every edge follows those that end in its source.
    operations
        The operation on each edge.
    zero
        The operation that gives zeros.
    identity
        The operation that changes nothing.

    Returns
    -------
    str
        The expression.

    Examples
    --------
    >>> unique_string([(0, 1), (0, 2), (1, 2)], ["skip_connect", "conv", "none"])
    '#+(0)@conv'
    """
    terms: dict[int, list[str]] = {}
    nodes = {0: "0"}
    for (source, target), operation in zip(edges, operations, strict=True):
        if source not in nodes:
            nodes[source] = "+".join(sorted(terms[source]))
        inside = nodes[source]
        if operation == zero or inside == "#":
            term = "#"
        else:
            term = inside if operation == identity else f"({inside})@{operation}"
        terms.setdefault(target, []).append(term)
    return "+".join(sorted(terms[edges[-1][1]]))
