"""How cells of NAS-Bench-201 are drawn: sums as vertices, operations on the edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.core.drawing import CellDrawing, DrawnCell, DrawnEdge, DrawnOperation
from benchsuite.spaces.nasbench201.strings import EDGES, NODES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchsuite.core.drawing import Kind

_KINDS: Mapping[str, Kind] = {
    "none": "none",
    "skip_connect": "skip",
    "nor_conv_1x1": "convolution 1x1",
    "nor_conv_3x3": "convolution 3x3",
    "avg_pool_3x3": "average pooling",
}


def drawing(operations: Sequence[str]) -> CellDrawing:
    """Return the drawing of a cell.

    Parameters
    ----------
    operations
        Six operations in the order of EDGES.

    Returns
    -------
    CellDrawing
        One cell of four vertices.
    """
    pairs = zip(EDGES, operations, strict=True)
    edges = tuple(DrawnEdge(*edge, DrawnOperation(operation, _KINDS[operation])) for edge, operation in pairs)
    return CellDrawing((DrawnCell((None,) * NODES, edges),))
