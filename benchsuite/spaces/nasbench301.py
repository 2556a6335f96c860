"""NAS-Bench-301 (Siems et al., 2020): the cells of DARTS (Liu, Simonyan and Yang, ICLR 2019), two per architecture."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from benchsuite.core import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Sequence


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
NODES = 4  # intermediate nodes of a cell, numbered from 2: inputs 0 and 1 are the cell before the last and the last
Choice = tuple[str, int]  # operation, input
Node = tuple[Choice, Choice]
Cell = tuple[Node, Node, Node, Node]

_CHOICE = r"(\w+)~(\d)"
_CELL = r"\+".join([rf"\|{_CHOICE}\|{_CHOICE}\|"] * NODES)
_CONCATENATIONS = {"range(2, 6)", "[2, 3, 4, 5]", "(2, 3, 4, 5)"}
_NUMBERED = dict(enumerate(OPERATIONS))
_UNREADABLE = (SyntaxError, ValueError, TypeError, AttributeError, MemoryError, RecursionError)


def parse(architecture: str) -> tuple[Cell, Cell]:
    """The normal and the reduction cell: four nodes of two (operation, input) each, as they are written.

    Raises
    ------
    InvalidArchitectureError
        If the string has another form, an unknown operation, or a node whose inputs are not two different earlier
        ones; white space around it does not matter.

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
    choices = [(operation, int(source)) for operation, source in zip(words[::2], words[1::2], strict=True)]
    return _cell(choices[:8]), _cell(choices[8:])


def render(normal: Cell, reduction: Cell) -> str:
    """The string of two cells, nodes and edges in the order given.

    Examples
    --------
    >>> cell = 4 * ((("skip_connect", 0), ("max_pool_3x3", 1)),)
    >>> render(cell, cell)[:45]
    '|skip_connect~0|max_pool_3x3~1|+|skip_connect'
    """
    return "/".join("+".join(_node_string(node) for node in cell) for cell in (normal, reduction))


def from_genotype(text: str) -> str:
    """The architecture string of a genotype as DARTS prints it.

    Raises
    ------
    InvalidArchitectureError
        If the text is no genotype of the space: two cells of four nodes whose outputs are all concatenated.

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
    """The architecture string of two tuples of eight pairs (input, number of the operation), as NASLib writes them.

    Raises
    ------
    InvalidArchitectureError
        If the text is nothing of that form.

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


def _from_lists(text: str, cells: Sequence[Sequence[Choice]]) -> str:
    try:
        normal, reduction = ([(str(operation), int(source)) for operation, source in cell] for cell in cells)
        eight = len(normal) == len(reduction) == 2 * NODES
    except (TypeError, ValueError):
        eight = False
    if not eight:
        raise _foreign(text, "it must have two cells of eight pairs of an operation and an input")
    return render(_cell(normal), _cell(reduction))


def _cell(choices: Sequence[Choice]) -> Cell:
    """Eight choices as four nodes; InvalidArchitectureError unless they are a cell."""
    for position, (operation, source) in enumerate(choices):
        node = 2 + position // 2
        if operation not in OPERATIONS and operation != NONE:
            raise InvalidArchitectureError(
                f"no NAS-Bench-301 operation {operation[:40]!r}; allowed: {', '.join((*OPERATIONS, NONE))}"
            )
        if not 0 <= source < node or source == choices[position ^ 1][1]:
            raise InvalidArchitectureError(
                f"input {source} at node {node} of a NAS-Bench-301 cell; allowed: two different ones of 0 to {node - 1}"
            )
    if all(operation == NONE for operation, _ in choices):
        raise InvalidArchitectureError("a NAS-Bench-301 cell of nothing but 'none' has no output")
    pairs = list(zip(choices[::2], choices[1::2], strict=True))
    return pairs[0], pairs[1], pairs[2], pairs[3]


def _foreign(text: object, allowed: str) -> InvalidArchitectureError:
    return InvalidArchitectureError(f"{str(text)[:120]!r} is no NAS-Bench-301 architecture; {allowed}")


def _node_string(node: Node) -> str:
    (first, one), (second, two) = node
    return f"|{first}~{one}|{second}~{two}|"
