"""Architecture strings of NAS-Bench-201: operations, edges, and the part of a cell that its output depends on."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from benchsuite.core.errors import InvalidArchitectureError
from benchsuite.spaces.cells import Edge, live_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES: tuple[Edge, ...] = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
NODES = 4
_FORM = r"\|(\w+)~0\|\+\|(\w+)~0\|(\w+)~1\|\+\|(\w+)~0\|(\w+)~1\|(\w+)~2\|"


def parse(architecture: str) -> tuple[str, ...]:
    """Return the six operations in the order of EDGES.

    Parameters
    ----------
    architecture
        A string such as "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|"; white space around it does not matter.

    Returns
    -------
    tuple
        Names of operations.

    Raises
    ------
    InvalidArchitectureError
        If the string has another form or an unknown operation.

    Examples
    --------
    >>> parse("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")
    ('none', 'none', 'none', 'skip_connect', 'none', 'nor_conv_3x3')
    """
    match = re.fullmatch(_FORM, str(architecture).strip())
    if match is None:
        raise InvalidArchitectureError(
            f"{str(architecture)[:120]!r} is not a NAS-Bench-201 architecture; "
            "write |op~0|+|op~0|op~1|+|op~0|op~1|op~2|"
        )
    operations = match.groups()
    for operation in operations:
        if operation not in OPERATIONS:
            raise InvalidArchitectureError(
                f"unknown NAS-Bench-201 operation {operation[:40]!r}; allowed: {', '.join(OPERATIONS)}"
            )
    return operations


def render(operations: Sequence[str]) -> str:
    """Return the official string of six operations.

    Parameters
    ----------
    operations
        In the order of EDGES.

    Returns
    -------
    str
        The architecture string.

    Examples
    --------
    >>> render(["skip_connect"] + 5 * ["none"])
    '|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|'
    """
    first, *rest = operations
    second = "".join(f"{operation}~{source}|" for source, operation in enumerate(rest[:2]))
    third = "".join(f"{operation}~{source}|" for source, operation in enumerate(rest[2:]))
    return f"|{first}~0|+|{second}+|{third}"


def live_part(operations: Sequence[str]) -> list[tuple[Edge, str]]:
    """Return the edges on paths from input to output, with their operations.

    Parameters
    ----------
    operations
        In the order of EDGES.

    Returns
    -------
    list
        Pairs of an edge and its operation; empty if no path joins input and output.

    Examples
    --------
    >>> live_part(parse("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"))
    [((0, 3), 'skip_connect')]
    """
    alive = _live(tuple(operation != "none" for operation in operations))
    return [pair for pair, here in zip(zip(EDGES, operations, strict=True), alive, strict=True) if here]


@lru_cache
def _live(present: tuple[bool, ...]) -> tuple[bool, ...]:
    return live_edges(EDGES, present)
