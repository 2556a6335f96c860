"""Drawings of architectures packed for a page: what many of them share is said once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchsuite.core.drawing import CellDrawing
from benchsuite.core.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from benchsuite.core.drawing import ArchitectureDrawing, ChainDrawing, DrawnOperation


@dataclass(frozen=True, slots=True)
class Drawings:
    """Draws architectures of one search space.

    Attributes
    ----------
    draw
        Returns the drawing of an architecture; UnsupportedError where the space offers none. None: nothing is drawn.
    """

    draw: Callable[[str], ArchitectureDrawing] | None = None

    def packed(self, architectures: Iterable[str]) -> dict[str, Any]:
        """Pack the drawings of architectures.

        Parameters
        ----------
        architectures
            Their strings.

        Returns
        -------
        dict
            "items": operations [name, kind] and blocks [name, kind, height, mark]; "shapes": what is left of a drawing
            without them, as `_shape` says it; "drawn": a list for each architecture, the number of its shape and those
            of its items (-1 = none), or None for one that is not drawn.
        """
        items: dict[Hashable, int] = {}
        shapes: dict[Hashable, int] = {}
        drawn = [self._drawn(name, items, shapes) for name in architectures]
        return {"items": list(items), "shapes": list(shapes), "drawn": drawn}

    def _drawn(self, architecture: str, items: dict[Hashable, int], shapes: dict[Hashable, int]) -> list[int] | None:
        drawing = self._drawing(architecture)
        if drawing is None:
            return None
        shape = shapes.setdefault(_shape(drawing), len(shapes))
        return [shape, *(-1 if item is None else items.setdefault(item, len(items)) for item in _items(drawing))]

    def _drawing(self, architecture: str) -> ArchitectureDrawing | None:
        if self.draw is None:
            return None
        try:
            return self.draw(architecture)
        except UnsupportedError:
            return None


def _shape(drawing: ArchitectureDrawing) -> Hashable:
    """Return (form, note, parts): (vertices, edges) of each cell, an edge a pair; (blocks, caption) of each stage."""
    if isinstance(drawing, CellDrawing):
        cells = tuple(
            (len(cell.vertices), tuple((edge.source, edge.target) for edge in cell.edges)) for cell in drawing.cells
        )
        return (drawing.form, drawing.note, cells)
    return (drawing.form, drawing.note, tuple((len(stage.blocks), stage.caption) for stage in drawing.stages))


def _items(drawing: CellDrawing | ChainDrawing) -> Iterator[Hashable]:
    """Yield the operations of the vertices, then of the edges of each cell; or the blocks of a chain."""
    if isinstance(drawing, CellDrawing):
        for cell in drawing.cells:
            yield from map(_operation, cell.vertices)
            yield from (_operation(edge.operation) for edge in cell.edges)
    else:
        for stage in drawing.stages:
            for block in stage.blocks:
                yield (block.operation.name, block.operation.kind, round(block.height, 4), block.mark)


def _operation(operation: DrawnOperation | None) -> Hashable:
    return None if operation is None else (operation.name, operation.kind)
