"""Figures of a differentiable search: the cells that it found, and how it came to them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from benchsuite.report import svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from benchsuite.search.own import Cells

_WIDTH = 7.2
_RISE = 0.42  # height of an edge's control point for each node that it passes


def cell_chart(cells: Cells) -> Figure:
    """The cells, one below the other: nodes from left to right, edges with their operations."""
    heights = [_height(source, target) for edges in cells.values() for source, target, _ in edges]
    low, high = min(heights, default=0) - 0.25, max(heights, default=0) + 0.35
    figure = Figure(figsize=(_WIDTH, (1.2 * (high - low) + 0.3) * len(cells)), layout="constrained")
    for axes, (name, edges) in zip(figure.subplots(len(cells), squeeze=False)[:, 0], cells.items(), strict=True):
        last = max((target for _, target, _ in edges), default=0)
        for source, target, operation in edges:
            _edge(axes, source, target, operation)
        for node in range(last + 1):
            axes.text(node, 0, str(node), ha="center", va="center", color="white", zorder=4)
        axes.scatter(range(last + 1), [0] * (last + 1), s=230, color=svg.INK, zorder=3)
        axes.set(xlim=(-0.3, max(last, 1) + 0.3), ylim=(low, high), title=name if len(cells) > 1 else "")
        axes.axis("off")
    return figure


def _edge(axes: Axes, source: int, target: int, operation: str) -> None:
    height, middle = _height(source, target), (source + target) / 2
    shape = Path([(source, 0), (middle, 2 * height), (target, 0)], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    colour = svg.REFERENCE if operation.startswith("skip") else svg.ACCENT
    axes.add_patch(FancyArrowPatch(path=shape, arrowstyle="-|>", mutation_scale=10, color=colour, linewidth=1.4))
    axes.text(middle, height + 0.09, operation, ha="center", va="bottom", color=svg.INK)


def _height(source: int, target: int) -> float:
    """Of an edge's arc: above for even sources and below for odd ones, straight between neighbours."""
    return _RISE * (target - source - 1) * (1 if source % 2 == 0 else -1)


def course_chart(derived: pd.DataFrame) -> Figure:
    """Skip connections of the derived architecture, and mean layer alignment, by epoch."""
    figure = Figure(figsize=(_WIDTH, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.step(derived["epoch"], derived["skips"], where="mid", color=svg.ACCENT, linewidth=1.6)
    left.set(ylabel="skip connections", ylim=(-0.2, max(derived["skips"].max(), 1) + 0.5))
    left.yaxis.set_major_locator(MaxNLocator(integer=True))
    right.plot(derived["epoch"], derived["alignment"], color=svg.ACCENT, linewidth=1.6)
    right.axhline(0, color=svg.REFERENCE, linewidth=0.8)
    right.set(ylabel="layer alignment")
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=True)
    return figure


def probability_chart(alpha: pd.DataFrame) -> Figure:
    """Probability of each operation by epoch, a small chart for each edge; dashed is the edge's share of its node."""
    edges = list(alpha.groupby(["table", "source", "target"], sort=False))
    columns = 3 if len(edges) <= 6 else 4
    size = (_WIDTH, 1.7 * math.ceil(len(edges) / columns) + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    every = figure.subplots(math.ceil(len(edges) / columns), columns, sharex=True, sharey=True, squeeze=False).flat
    names = list(alpha["operation"].unique())
    several = len(alpha["table"].unique()) > 1
    for axes, ((table, source, target), rows) in zip(every, edges, strict=False):
        _lines(axes, rows, names)
        axes.set_title(f"{table} {source} to {target}" if several else f"{source} to {target}", fontsize=8)
    for axes in list(every)[len(edges) :]:
        axes.axis("off")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure


def _lines(axes: Axes, rows: pd.DataFrame, names: Sequence[str]) -> None:
    for name, line in rows.groupby("operation", sort=False):
        own = name == "edge"
        colour, style = (svg.REFERENCE, "--") if own else (f"C{names.index(str(name))}", "-")
        label = "share of the edge" if own else str(name)
        axes.plot(line["epoch"], line["probability"], color=colour, linestyle=style, linewidth=1.2, label=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    axes.grid(visible=True)
