"""NAS-Bench-201 (Dong and Yang, ICLR 2020): cells of four nodes and six edges with five operations each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from benchsuite.core import Complexity, Dataset, InvalidArchitectureError, UnknownNameError
from benchsuite.data.datasets import dataset as describe
from benchsuite.data.home import shipped
from benchsuite.spaces.base import SearchSpace
from benchsuite.spaces.cells import Edge, live_edges, unique_string

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES: tuple[Edge, ...] = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
_FORM = r"\|(\w+)~0\|\+\|(\w+)~0\|(\w+)~1\|\+\|(\w+)~0\|(\w+)~1\|(\w+)~2\|"


def parse(architecture: str) -> tuple[str, ...]:
    """The six operations in the order of EDGES.

    Raises
    ------
    InvalidArchitectureError
        If the string has another form or an unknown operation; white space around it does not matter.

    Examples
    --------
    >>> parse("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")
    ('none', 'none', 'none', 'skip_connect', 'none', 'nor_conv_3x3')
    """
    match = re.fullmatch(_FORM, str(architecture).strip())
    if match is None:
        raise InvalidArchitectureError(
            f"{str(architecture)[:120]!r} is no NAS-Bench-201 architecture; write |op~0|+|op~0|op~1|+|op~0|op~1|op~2|"
        )
    operations = match.groups()
    for operation in operations:
        if operation not in OPERATIONS:
            allowed = ", ".join(OPERATIONS)
            raise InvalidArchitectureError(f"no NAS-Bench-201 operation {operation[:40]!r}; allowed: {allowed}")
    return operations


def render(operations: Sequence[str]) -> str:
    """The official string of six operations in the order of EDGES.

    Examples
    --------
    >>> render(["skip_connect"] + 5 * ["none"])
    '|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|'
    """
    first, *rest = operations
    second = "".join(f"{operation}~{source}|" for source, operation in enumerate(rest[:2]))
    third = "".join(f"{operation}~{source}|" for source, operation in enumerate(rest[2:]))
    return f"|{first}~0|+|{second}+|{third}"


@lru_cache
def _live(present: tuple[bool, ...]) -> tuple[bool, ...]:
    return live_edges(EDGES, present)


def _live_part(operations: Sequence[str]) -> list[tuple[Edge, str]]:
    """Edges on live paths with their operations; empty if no path joins input and output."""
    alive = _live(tuple(operation != "none" for operation in operations))
    return [pair for pair, here in zip(zip(EDGES, operations, strict=True), alive, strict=True) if here]


@dataclass(frozen=True, slots=True)
class NASBench201(SearchSpace):
    """The 15,625 cells of NAS-Bench-201 in a network of three stages of `cells` cells, `channels` wide at first."""

    channels: int = 16
    cells: int = 5
    name: ClassVar[str] = "nasbench201"
    datasets: ClassVar[tuple[str, ...]] = ("cifar10", "cifar100", "imagenet16-120", "digits")

    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        """The untrained network, initialised from torch's current random state.

        Parameters
        ----------
        dead
            "drop" leaves out operations on no live path, "keep" builds and runs them as the official network does.
            Both compute the same function; children have the same names in both.
        """
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.nasbench201_network import Cell, CellNetwork  # noqa: PLC0415

        operations = parse(architecture)
        if dead not in {"drop", "keep"}:
            raise UnknownNameError("treatment of dead operations", dead, ("drop", "keep"))
        edges = _live_part(operations) if dead == "drop" else list(zip(EDGES, operations, strict=True))
        return CellNetwork(lambda width: Cell(edges, width), self.channels, self.cells, describe(dataset))
