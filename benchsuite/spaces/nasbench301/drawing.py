"""How cells of the DARTS space are drawn: inputs and nodes as vertices, operations on the edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.core.drawing import CellDrawing, DrawnCell, DrawnEdge, DrawnOperation
from benchsuite.spaces.nasbench301.cells import NODES, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchsuite.core.drawing import Kind
    from benchsuite.spaces.nasbench301.cells import CellNodes

_KINDS: Mapping[str, Kind] = {
    "none": "none",
    "noise": "other",
    "max_pool_3x3": "max pooling",
    "avg_pool_3x3": "average pooling",
    "skip_connect": "skip",
    "sep_conv_3x3": "convolution 3x3",
    "sep_conv_5x5": "convolution 5x5",
    "dil_conv_3x3": "dilated convolution 3x3",
    "dil_conv_5x5": "dilated convolution 5x5",
}


def drawing(cells: Mapping[str, CellNodes]) -> CellDrawing:
    """Return the drawing of some cells.

    Parameters
    ----------
    cells
        Cells by name, with operations of the space or of a mixed supernet's operation set.

    Returns
    -------
    CellDrawing
        Two inputs and four nodes in each cell.
    """
    return CellDrawing(tuple(_cell(name, cell) for name, cell in cells.items()))


def _cell(name: str, cell: CellNodes) -> DrawnCell:
    edges = tuple(
        DrawnEdge(source, target, DrawnOperation(operation, _KINDS[operation]))
        for source, target, operation in whole(cell).edges
    )
    return DrawnCell((None,) * (2 + NODES), edges, name)
