"""Architecture strings of NAS-Bench-301, and the genotypes that others write."""

from __future__ import annotations

import ast
import re
from operator import index
from typing import TYPE_CHECKING

from benchsuite.core.errors import InvalidArchitectureError
from benchsuite.spaces.nasbench301.cells import NODES, NONE, OPERATIONS, grouped, live_part

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from benchsuite.spaces.nasbench301.cells import CellNodes, Incoming

READ = (*OPERATIONS, NONE)  # the operations of strings that are read
_EDGE = r"(\w+)~(\d)"
_CELL = r"\+".join([rf"\|{_EDGE}\|{_EDGE}\|"] * NODES)
_CONCATENATIONS = {"range(2, 6)", "[2, 3, 4, 5]", "(2, 3, 4, 5)"}
_NUMBERED = dict(enumerate(OPERATIONS))
_UNREADABLE = (SyntaxError, ValueError, TypeError, AttributeError, MemoryError, RecursionError)


def parse(architecture: str, allowed: Collection[str] = READ) -> tuple[CellNodes, CellNodes]:
    """Return the normal and the reduction cell: four nodes of two (operation, input) each, as they are written.

    Parameters
    ----------
    architecture
        Two cells of four nodes joined by "/"; white space around the string does not matter.
    allowed
        Operations that it may have.

    Returns
    -------
    tuple
        Both cells.

    Raises
    ------
    InvalidArchitectureError
        If the string has another form, an operation that is not allowed, or a node whose inputs are not two different
        earlier ones.

    Examples
    --------
    >>> node = "|sep_conv_3x3~0|skip_connect~1|"
    >>> normal, reduction = parse("+".join([node] * 4) + "/" + "+".join([node] * 4))
    >>> normal[3]
    (('sep_conv_3x3', 0), ('skip_connect', 1))
    """
    match = re.fullmatch(f"{_CELL}/{_CELL}", str(architecture).strip())
    if match is None:
        raise _foreign(architecture, "write |op~0|op~1|+|op~0|op~2|+|op~1|op~2|+|op~0|op~4|/ and four nodes more")
    words = match.groups()
    edges = [(operation, int(source)) for operation, source in zip(words[::2], words[1::2], strict=True)]
    return checked_cell(edges[:8], allowed), checked_cell(edges[8:], allowed)


def render(normal: CellNodes, reduction: CellNodes) -> str:
    """Return the string of two cells, nodes and edges in the order given.

    Parameters
    ----------
    normal, reduction
        The cells.

    Returns
    -------
    str
        The architecture string.

    Examples
    --------
    >>> cell = 4 * ((("skip_connect", 0), ("max_pool_3x3", 1)),)
    >>> render(cell, cell)[:45]
    '|skip_connect~0|max_pool_3x3~1|+|skip_connect'
    """
    return f"{cell_string(normal)}/{cell_string(reduction)}"


def cell_string(cell: CellNodes) -> str:
    """Return the string of one cell.

    Parameters
    ----------
    cell
        Its four nodes.

    Returns
    -------
    str
        Half an architecture string.
    """
    return "+".join(f"|{first}~{one}|{second}~{two}|" for (first, one), (second, two) in cell)


def from_genotype(text: str) -> str:
    """Return the architecture string of a genotype as DARTS prints it.

    Parameters
    ----------
    text
        The genotype.

    Returns
    -------
    str
        The architecture string.

    Raises
    ------
    InvalidArchitectureError
        If the text is not a genotype of the space: two cells of four nodes whose outputs are all concatenated.

    Examples
    --------
    >>> edges = [("skip_connect", 0), ("max_pool_3x3", 1)] * 4
    >>> genotype = f"Genotype(normal={edges}, normal_concat=range(2, 6), reduce={edges}, reduce_concat=[2, 3, 4, 5])"
    >>> from_genotype(genotype)[:31]
    '|skip_connect~0|max_pool_3x3~1|'
    """
    try:
        call = ast.parse(str(text).strip(), mode="eval").body
        parts = {keyword.arg: keyword.value for keyword in call.keywords}  # type: ignore[attr-defined]  # else refused
        cells = [ast.literal_eval(parts[name]) for name in ("normal", "reduce")]
        outputs = {ast.unparse(parts[f"{name}_concat"]) for name in ("normal", "reduce")}
    except (*_UNREADABLE, KeyError) as error:
        raise _foreign(text, "write Genotype(normal=..., normal_concat=..., reduce=..., reduce_concat=...)") from error
    if not outputs <= _CONCATENATIONS:
        raise _foreign(text, "normal_concat and reduce_concat must be range(2, 6)")
    return _from_lists(text, cells)


def from_pairs(text: str) -> str:
    """Return the architecture string of two tuples of eight pairs (input, number of the operation) of NASLib.

    Parameters
    ----------
    text
        The tuples.

    Returns
    -------
    str
        The architecture string.

    Raises
    ------
    InvalidArchitectureError
        If the text has another form.

    Examples
    --------
    >>> from_pairs(str((((0, 3), (1, 2)) * 4, ((0, 0), (1, 6)) * 4)))[:31]
    '|sep_conv_3x3~0|skip_connect~1|'
    """
    try:
        cells = [[(_NUMBERED[number], source) for source, number in cell] for cell in ast.literal_eval(str(text))]
    except (*_UNREADABLE, KeyError) as error:
        raise _foreign(text, "write (((input, operation), ... eight pairs), (... eight pairs))") from error
    return _from_lists(text, cells)


def _from_lists(text: str, cells: Sequence[Sequence[Incoming]]) -> str:
    try:
        normal, reduction = ([(str(operation), index(source)) for operation, source in cell] for cell in cells)
        eight = len(normal) == len(reduction) == 2 * NODES
    except (TypeError, ValueError):
        eight = False
    if not eight:
        raise _foreign(text, "it must have two cells of eight pairs of an operation and an input")
    return render(checked_cell(normal), checked_cell(reduction))


def checked_cell(edges: Sequence[Incoming], allowed: Collection[str] = READ) -> CellNodes:
    """Return eight edges as the four nodes of a cell.

    Parameters
    ----------
    edges
        Pairs of an operation and a source, node by node.
    allowed
        Operations that they may have.

    Returns
    -------
    tuple
        The nodes.

    Raises
    ------
    InvalidArchitectureError
        If they do not form a cell of the space.
    """
    for position, (operation, source) in enumerate(edges):
        node = 2 + position // 2
        if operation not in allowed:
            raise InvalidArchitectureError(
                f"unknown NAS-Bench-301 operation {operation[:40]!r}; allowed: {', '.join(allowed)}"
            )
        if not 0 <= source < node or source == edges[position ^ 1][1]:
            raise InvalidArchitectureError(
                f"input {source} at node {node} of a NAS-Bench-301 cell; allowed: two different ones of 0 to {node - 1}"
            )
    cell = grouped(edges)
    if not live_part(cell).edges:
        raise InvalidArchitectureError("a NAS-Bench-301 cell in which 'none' cuts every path has no output")
    return cell


def _foreign(text: object, allowed: str) -> InvalidArchitectureError:
    return InvalidArchitectureError(f"{str(text)[:120]!r} is not a NAS-Bench-301 architecture; {allowed}")
