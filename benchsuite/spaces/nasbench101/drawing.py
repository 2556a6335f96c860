"""How modules of NAS-Bench-101 are drawn: operations as vertices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.core.drawing import CellDrawing, DrawnCell, DrawnEdge, DrawnOperation
from benchsuite.spaces.nasbench101.strings import operations_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchsuite.core.drawing import Kind
    from benchsuite.spaces.nasbench101.graphs import ModuleGraph

_KINDS: Mapping[str, Kind] = {
    "conv3x3": "convolution 3x3",
    "conv1x1": "convolution 1x1",
    "maxpool3x3": "max pooling",
}


def drawing(module: ModuleGraph) -> CellDrawing:
    """Return the drawing of a module.

    Parameters
    ----------
    module
        As it is to be drawn, pruned or not.

    Returns
    -------
    CellDrawing
        One cell whose inner vertices have operations.
    """
    inner = (DrawnOperation(name, _KINDS[name]) for name in operations_of(module))
    edges = tuple(DrawnEdge(*edge) for edge in module.edges)
    return CellDrawing((DrawnCell((None, *inner, None), edges),))
