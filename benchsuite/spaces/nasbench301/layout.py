"""The macro network of the DARTS space: where cells stand, which of them are read, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from benchsuite.core.errors import UnsupportedError
from benchsuite.spaces.base import check_halves_twice
from benchsuite.spaces.costs import Convolution, Cost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nasbench301.space import NASBench301

NODES = 4  # intermediate nodes of a cell, numbered from 2: inputs 0 and 1 are the cell before the last and the last


@dataclass(frozen=True, slots=True)
class Part:
    """What is built of a cell: edges (source, target, operation) in the order of their nodes, and inputs."""

    edges: tuple[tuple[int, int, str], ...]
    inputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One cell of the macro network: its kind, channels of its inputs and of each node, side of inputs and nodes."""

    reduction: bool
    after_reduction: bool
    inputs: tuple[int, int]
    width: int
    input_side: int
    side: int

    def stride(self, source: int) -> int:
        """By what an edge from a node divides the size: a reduction cell halves what its inputs bring."""
        return 2 if self.reduction and source < 2 else 1


@lru_cache
def layout(space: NASBench301, data: Dataset) -> tuple[Place, ...]:
    """The places of the cells, first to last.

    Raises
    ------
    UnsupportedError
        If the sizes leave out a cell, or images cannot be halved twice.
    """
    _refuse(space, data)
    places: list[Place] = []
    width, side, states, after = space.channels, data.size, (3 * space.channels,) * 2, False
    for position in range(space.cells):
        reduction = position in {space.cells // 3, 2 * space.cells // 3}
        scale = 2 if reduction else 1
        width *= scale
        places.append(Place(reduction, after, states, width, side, side // scale))
        states, side, after = (states[1], NODES * width), side // scale, reduction
    return tuple(places)


def _refuse(space: NASBench301, data: Dataset) -> None:
    if space.channels < 1 or space.cells < 3 or space.auxiliary not in {0, 1}:
        allowed = "channels of at least 1, cells of at least 3 (a normal and two reductions), auxiliary 0 or 1"
        raise UnsupportedError(f"NAS-Bench-301 needs {allowed}, not {dict(space.sizes)}")
    check_halves_twice("NAS-Bench-301", data)
    if space.auxiliary and not 8 <= data.size // 4 <= 10:
        raise UnsupportedError(f"the auxiliary head needs images of side 32 to 40, not {data.size}; choose auxiliary=0")


Plan = tuple[tuple[Place, Part | None], ...]


def plan(places: Sequence[Place], normal: Part, reduction: Part) -> Plan:
    """Each place with the part of the cell that stands there; None where no later cell reads the output."""
    needed = {len(places) - 1}
    parts: list[tuple[Place, Part | None]] = []
    for position in reversed(range(len(places))):
        part = reduction if places[position].reduction else normal
        if position in needed:
            needed.update(position - 2 + number for number in part.inputs)
        parts.append((places[position], part if position in needed else None))
    return tuple(reversed(parts))


@lru_cache
def _operation_cost(operation: str, width: int, side: int, stride: int) -> Cost:
    """Cost of an operation at output features of so many pixels a side."""
    pointwise = Convolution(width, width).cost(side)
    if operation == "skip_connect" and stride == 2:
        return pointwise
    kind, _, kernel = operation.partition("_conv_")
    repeats = {"sep": 2, "dil": 1}.get(kind, 0)
    if not repeats:
        return Cost()
    weights = Convolution(width, width, int(kernel[0]), groups=width).weights  # depthwise, not normalised
    return (Cost(weights, weights * side**2) + pointwise) * repeats


def _part_cost(place: Place, part: Part) -> Cost:
    """Cost of a cell."""
    inputs = (Convolution(place.inputs[number], place.width).cost(place.input_side) for number in part.inputs)
    edges = (
        _operation_cost(operation, place.width, place.side, place.stride(source)) for source, _, operation in part.edges
    )
    return sum(chain(inputs, edges), Cost())


def plan_cost(cells: Plan, data: Dataset) -> Cost:
    """Cost of stem, cells and classifier, without its bias in the multiply-adds."""
    stem, last = cells[0][0].inputs[0], NODES * cells[-1][0].width
    frame = Convolution(data.channels, stem, 3).cost(data.size) + Cost((last + 1) * data.classes, last * data.classes)
    return sum((_part_cost(place, part) for place, part in cells if part is not None), frame)


def auxiliary_params(space: NASBench301, places: Sequence[Place], data: Dataset) -> int:
    """Parameters of the auxiliary classifier, 0 without one."""
    features = NODES * places[2 * space.cells // 3].width
    return space.auxiliary * (128 * features + 2 * 128 + 768 * 128 * 4 + 2 * 768 + (768 + 1) * data.classes)
