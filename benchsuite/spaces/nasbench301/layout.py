"""The macro network of the DARTS space: the shapes of its cells, which of them are read, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from benchsuite.spaces.costs import Convolution, Cost
from benchsuite.spaces.nasbench301.cells import NODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nasbench301.cells import CellPart

    NetworkPlan = tuple[tuple["CellShape", CellPart | None], ...]


@dataclass(frozen=True, slots=True)
class CellShape:
    """The shape of one cell of the macro network.

    Attributes
    ----------
    reduction
        Whether it is a reduction cell.
    after_reduction
        Whether the cell before it is one.
    inputs
        Channels of its two inputs.
    width
        Channels of each of its nodes.
    input_side
        Height and width of the newer input, in pixels.
    side
        Height and width of its nodes, in pixels.
    """

    reduction: bool
    after_reduction: bool
    inputs: tuple[int, int]
    width: int
    input_side: int
    side: int

    def stride(self, source: int) -> int:
        """Return by what an edge divides the size: a reduction cell halves its inputs.

        Parameters
        ----------
        source
            Number of the node that the edge leaves.

        Returns
        -------
        int
            1 or 2.
        """
        return 2 if self.reduction and source < 2 else 1


@lru_cache
def layout(channels: int, cells: int, data: Dataset) -> tuple[CellShape, ...]:
    """Return the shapes of the cells, first to last.

    Parameters
    ----------
    channels
        Channels of each node in the first third.
    cells
        Number of cells; numbers cells // 3 and 2 * cells // 3, counted from 0, are reduction cells.
    data
        Images, of a side that is a multiple of 4.

    Returns
    -------
    tuple
        A shape for each cell.
    """
    shapes: list[CellShape] = []
    width, side, states, after = channels, data.size, (3 * channels,) * 2, False
    for position in range(cells):
        reduction = position in {cells // 3, 2 * cells // 3}
        scale = 2 if reduction else 1
        width *= scale
        shapes.append(CellShape(reduction, after, states, width, side, side // scale))
        states, side, after = (states[1], NODES * width), side // scale, reduction
    return tuple(shapes)


def plan(shapes: Sequence[CellShape], normal: CellPart, reduction: CellPart) -> NetworkPlan:
    """Return each shape with the part of the cell that is built there.

    Parameters
    ----------
    shapes
        As `layout` returns them.
    normal, reduction
        Parts of both cells.

    Returns
    -------
    tuple
        Pairs of shape and part; the part is None where no later cell reads the output.
    """
    needed = {len(shapes) - 1}
    parts: list[tuple[CellShape, CellPart | None]] = []
    for position in reversed(range(len(shapes))):
        part = reduction if shapes[position].reduction else normal
        if position in needed:
            needed.update(position - 2 + number for number in part.inputs)
        parts.append((shapes[position], part if position in needed else None))
    return tuple(reversed(parts))


@lru_cache
def _operation_cost(operation: str, width: int, side: int, stride: int) -> Cost:
    """Return the cost of an operation at output features of so many pixels a side."""
    pointwise = Convolution(width, width).cost(side)
    if operation == "skip_connect" and stride == 2:
        return pointwise
    kind, _, kernel = operation.partition("_conv_")
    repeats = {"sep": 2, "dil": 1}.get(kind, 0)
    if not repeats:
        return Cost()
    weights = Convolution(width, width, int(kernel[0]), groups=width).weights  # depthwise, not normalised
    return (Cost(weights, weights * side**2) + pointwise) * repeats


def _part_cost(shape: CellShape, part: CellPart) -> Cost:
    """Return the cost of a cell."""
    inputs = (Convolution(shape.inputs[number], shape.width).cost(shape.input_side) for number in part.inputs)
    edges = (
        _operation_cost(operation, shape.width, shape.side, shape.stride(source)) for source, _, operation in part.edges
    )
    return sum(chain(inputs, edges), Cost())


def plan_cost(cells: NetworkPlan, data: Dataset) -> Cost:
    """Return the cost of stem, cells and classifier, without its bias in the MACs.

    Parameters
    ----------
    cells
        As `plan` returns them.
    data
        Images and classes.

    Returns
    -------
    Cost
        Their sum.
    """
    stem, last = cells[0][0].inputs[0], NODES * cells[-1][0].width
    frame = Convolution(data.channels, stem, 3).cost(data.size) + Cost((last + 1) * data.classes, last * data.classes)
    return sum((_part_cost(shape, part) for shape, part in cells if part is not None), frame)


def auxiliary_params(shapes: Sequence[CellShape], data: Dataset) -> int:
    """Return the number of parameters of an auxiliary classifier.

    Parameters
    ----------
    shapes
        As `layout` returns them.
    data
        Images and classes.

    Returns
    -------
    int
        Of its two convolutions, their normalisations, and the linear layer.
    """
    features = NODES * shapes[2 * len(shapes) // 3].width
    return 128 * features + 2 * 128 + 768 * 128 * 4 + 2 * 768 + (768 + 1) * data.classes
