"""How differentiable searches went: what is shown of them by epoch, and how architecture parameters moved."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchsuite.report.render import svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

COURSES = {"skips": "Skip connections of the choice", "alignment": "Mean layer alignment"}
COURSE_NOTES = {
    "skips": "Of the architecture that the method would choose after each epoch; many are the performance collapse of "
    "DARTS.",
    "alignment": "Over the updates of the epoch; 1 = all cells want the same of the probabilities that they share, 0 = "
    "they want nothing in common. Nothing where no two cells share any.",
}
PROBABILITIES_NOTE = "Probability of each operation by epoch, edge by edge."
_WIDTH = 4.8
_MOST = 30  # epochs of a line; more say nothing more and make the page heavy


def probability_chart(alpha: pd.DataFrame) -> Figure:
    """Probability of each operation by epoch, a small chart for each edge; dashed is the edge's share of its node.

    `alpha` has the columns epoch, table, source, target, operation, probability, of one search.
    """
    alpha = alpha[alpha["epoch"].isin(_shown(alpha["epoch"].unique()))]
    edges = list(alpha.groupby(["table", "source", "target"], sort=False))
    columns = 3 if len(edges) <= 6 else 4
    size = (_WIDTH, 1.2 * math.ceil(len(edges) / columns) + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    every = figure.subplots(math.ceil(len(edges) / columns), columns, sharex=True, sharey=True, squeeze=False).flat
    names = list(alpha["operation"].unique())
    several = len(alpha["table"].unique()) > 1
    for axes, ((table, source, target), rows) in zip(every, edges, strict=False):
        _lines(axes, rows, names)
        axes.set_title(f"{table} {source} to {target}" if several else f"{source} to {target}", fontsize=8)
    for axes in list(every)[len(edges) :]:
        axes.axis("off")
    lines = {str(line.get_label()): line for axes in figure.axes for line in axes.lines}  # edges differ in operations
    figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=3, fontsize=8)
    return figure


def _lines(axes: Axes, rows: pd.DataFrame, names: Sequence[str]) -> None:
    for name, line in rows.groupby("operation", sort=False):
        own = name == "edge"
        colour, style = (svg.REFERENCE, "--") if own else (f"C{names.index(str(name))}", "-")
        label = "share of the edge" if own else str(name)
        axes.plot(line["epoch"], line["probability"], color=colour, linestyle=style, linewidth=1.2, label=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    axes.grid(visible=True)


def _shown(epochs: np.ndarray) -> list[int]:
    """At most so many epochs as are drawn, the first and the last among them."""
    places = np.linspace(0, len(epochs) - 1, min(len(epochs), _MOST)).round().astype(int)
    return [int(epoch) for epoch in epochs[places]]
