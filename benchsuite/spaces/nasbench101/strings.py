"""Architecture strings of NAS-Bench-101: the operations of a module's inner vertices, then its edges."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from benchsuite.core.errors import InvalidArchitectureError
from benchsuite.spaces.nasbench101.graphs import MOST_EDGES, MOST_VERTICES, ModuleGraph, edges_of, graph_of

if TYPE_CHECKING:
    from collections.abc import Sequence

OPERATIONS = ("conv3x3", "conv1x1", "maxpool3x3")  # in the order of the benchmark, which its hash depends on
_FORM = r"([a-z0-9,]*):([0-6]-[0-6](?:,[0-6]-[0-6])*)"
_EXAMPLE = "conv3x3,maxpool3x3:0-1,1-2,2-3"


def parse(architecture: str) -> tuple[tuple[tuple[int, ...], ...], tuple[str, ...]]:
    """Return adjacency matrix and operations of the inner vertices, as they are written: nothing is pruned.

    Parameters
    ----------
    architecture
        A string such as "conv3x3,maxpool3x3:0-1,1-2,2-3"; white space around it does not matter.

    Returns
    -------
    tuple
        Rows of 0 and 1, and names of operations.

    Raises
    ------
    InvalidArchitectureError
        If the string has another form, an unknown operation, more than 7 vertices, an edge that is repeated or does
        not go forwards.

    Examples
    --------
    >>> parse("conv3x3:0-1,0-2,1-2")
    (((0, 1, 1), (0, 0, 1), (0, 0, 0)), ('conv3x3',))
    """
    module = written_module(architecture)
    edges = set(module.edges)
    size = range(module.vertices)
    matrix = tuple(tuple(int((source, target) in edges) for target in size) for source in size)
    return matrix, operations_of(module)


def render(matrix: Sequence[Sequence[int]], operations: Sequence[str]) -> str:
    """Return the string of a module as it is, neither pruned nor canonical.

    Parameters
    ----------
    matrix
        Rows of 0 and 1: an edge from the row's to the column's vertex; the input is first and the output last.
    operations
        Of the inner vertices, in the benchmark's words ("conv3x3-bn-relu") or without the suffix ("conv3x3").

    Returns
    -------
    str
        The architecture string.

    Raises
    ------
    InvalidArchitectureError
        If the matrix is not strictly upper triangular or larger than 7 by 7, or an operation is unknown.

    Examples
    --------
    >>> render([[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["conv3x3-bn-relu"])
    'conv3x3:0-1,0-2,1-2'
    """
    vertices = len(operations) + 2
    edges = [(source, target) for source, row in enumerate(matrix) for target, entry in enumerate(row) if entry]
    if [len(row) for row in matrix] != [vertices] * vertices or {entry for row in matrix for entry in row} - {0, 1}:
        raise InvalidArchitectureError(
            f"the matrix of a module with {len(operations)} operations has {vertices} rows of {vertices} numbers 0 or 1"
        )
    names = ",".join(operation.removesuffix("-bn-relu") for operation in operations)
    architecture = f"{names}:{','.join(f'{source}-{target}' for source, target in edges)}"
    written_module(architecture)
    return architecture


def written_module(architecture: str) -> ModuleGraph:
    """Return the module that a string names, as it is written.

    Parameters
    ----------
    architecture
        As for `parse`.

    Returns
    -------
    ModuleGraph
        Neither pruned nor canonical.

    Raises
    ------
    InvalidArchitectureError
        As for `parse`.
    """
    text = str(architecture).strip()
    match = re.fullmatch(_FORM, text)
    if match is None:
        raise InvalidArchitectureError(f"{text[:120]!r} is not a NAS-Bench-101 architecture; write it like {_EXAMPLE}")
    return ModuleGraph(_read_edges(match[2], len(_read_labels(match[1])) + 2), _read_labels(match[1]))


@lru_cache(maxsize=1 << 12)
def _read_labels(text: str) -> tuple[int, ...]:
    operations = text.split(",") if text else []
    for operation in operations:
        if operation not in OPERATIONS:
            raise InvalidArchitectureError(
                f"unknown NAS-Bench-101 operation {operation[:40]!r}; allowed: {', '.join(OPERATIONS)}"
            )
    if len(operations) > MOST_VERTICES - 2:
        raise InvalidArchitectureError(
            f"{len(operations)} operations; a NAS-Bench-101 module has at most {MOST_VERTICES - 2} of them"
        )
    return tuple(OPERATIONS.index(operation) for operation in operations)


@lru_cache(maxsize=1 << 12)
def _read_edges(text: str, vertices: int) -> int:
    edges = [(int(edge[0]), int(edge[2])) for edge in text.split(",")]
    if len(set(edges)) < len(edges) or not all(source < target < vertices for source, target in edges):
        raise InvalidArchitectureError(
            f"the edges {text[:120]!r} do not fit a NAS-Bench-101 module of {vertices} vertices; "
            f"write each once, from a lower to a higher number below {vertices}"
        )
    return graph_of(edges)


def operations_of(module: ModuleGraph) -> tuple[str, ...]:
    """Return the names of a module's operations.

    Parameters
    ----------
    module
        A module, pruned or not.

    Returns
    -------
    tuple
        A name for each inner vertex.
    """
    return tuple(OPERATIONS[label] for label in module.labels)


def pruned_module(module: ModuleGraph) -> ModuleGraph | None:
    """Return a module without vertices on no path from input to output.

    Parameters
    ----------
    module
        A module as it is written.

    Returns
    -------
    ModuleGraph or None
        None if no path is left, or more than 9 edges are: then it is outside the space.
    """
    pruned = module.pruned()
    return None if pruned is None or len(pruned.edges) > MOST_EDGES else pruned


def live_module(architecture: str) -> ModuleGraph:
    """Return the pruned module that a string names.

    Parameters
    ----------
    architecture
        Any string of the space.

    Returns
    -------
    ModuleGraph
        The vertices that the output depends on, in the order of the string.

    Raises
    ------
    InvalidArchitectureError
        If the string is not an architecture of the space.
    """
    live = pruned_module(written_module(architecture))
    if live is None:
        raise InvalidArchitectureError(
            f"{str(architecture)[:120]!r} is not a NAS-Bench-101 architecture: its output must be reached from the "
            f"input, by at most {MOST_EDGES} edges on paths between them"
        )
    return live


def string_of(labels: tuple[int, ...], graph: int) -> str:
    """Return the string of a module.

    Parameters
    ----------
    labels
        Numbers of the operations of the inner vertices.
    graph
        The integer that stands for the edges.

    Returns
    -------
    str
        The architecture string.
    """
    return f"{_label_text(labels)}:{_edge_text(graph)}"


@lru_cache(maxsize=1 << 12)
def _label_text(labels: tuple[int, ...]) -> str:
    return ",".join(OPERATIONS[label] for label in labels)


@lru_cache(maxsize=1 << 12)
def _edge_text(graph: int) -> str:
    return ",".join(f"{source}-{target}" for source, target in edges_of(graph))
