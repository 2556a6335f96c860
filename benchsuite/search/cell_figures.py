"""Pictures of the cells that a differentiable search found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path

from benchsuite.report.render import svg

if TYPE_CHECKING:
    from collections.abc import Collection

    from matplotlib.axes import Axes

    from benchsuite.search.own import Cells

_WIDTH = 7.2
_RISE = 0.42  # height of an edge's control point for each node that it passes


def cell_chart(cells: Cells, skips: Collection[str] = ()) -> Figure:
    """Draw cells, one below the other: nodes from left to right, edges with their operations.

    Parameters
    ----------
    cells
        Edges (source, target, operation) of each kind of cell.
    skips
        Operations that are the identity, which are grey.
    """
    heights = [_height(source, target) for edges in cells.values() for source, target, _ in edges]
    low, high = min(heights, default=0) - 0.25, max(heights, default=0) + 0.35
    figure = Figure(figsize=(_WIDTH, (1.2 * (high - low) + 0.3) * len(cells)), layout="constrained")
    for axes, (name, edges) in zip(figure.subplots(len(cells), squeeze=False)[:, 0], cells.items(), strict=True):
        last = max((target for _, target, _ in edges), default=0)
        for source, target, operation in edges:
            _edge(axes, source, target, operation, svg.REFERENCE if operation in skips else svg.ACCENT)
        for node in range(last + 1):
            axes.text(node, 0, str(node), ha="center", va="center", color="white", zorder=4)
        axes.scatter(range(last + 1), [0] * (last + 1), s=230, color=svg.INK, zorder=3)
        axes.set(xlim=(-0.3, max(last, 1) + 0.3), ylim=(low, high), title=name if len(cells) > 1 else "")
        axes.axis("off")
    return figure


def _edge(axes: Axes, source: int, target: int, operation: str, colour: str) -> None:
    height, middle = _height(source, target), (source + target) / 2
    shape = Path([(source, 0), (middle, 2 * height), (target, 0)], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    axes.add_patch(FancyArrowPatch(path=shape, arrowstyle="-|>", mutation_scale=10, color=colour, linewidth=1.4))
    axes.text(middle, height + 0.09, operation, ha="center", va="bottom", color=svg.INK)


def _height(source: int, target: int) -> float:
    """Of an edge's arc: above for even sources and below for odd ones, straight between neighbours."""
    return _RISE * (target - source - 1) * (1 if source % 2 == 0 else -1)
