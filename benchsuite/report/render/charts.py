"""Charts that several sections draw, and what all charts have in common; sections draw their own ones with these."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from benchsuite.report.render import svg
from benchsuite.report.render.words import MINUS, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from benchsuite.core.arrays import Floats

ROW = 0.21  # inches that one estimator takes in a chart with one row each
LETTER = 0.068  # inches, of a name
WIDTH = 4.2
_WIDE = 4.8
_UPRIGHT = 10  # letters of a label that fit below a column
_APART = 0.15  # of the outermost lines of whole numbers
_NUMBERED = 5  # squares of a matrix this wide have room for their numbers
_EPOCHS = 30  # of a line; more say nothing more and make the page heavy


def canvas(width: float, height: float) -> tuple[Canvas, Axes]:
    """Return an empty figure with one pair of axes.

    Parameters
    ----------
    width
        Inches.
    height
        Inches.

    Returns
    -------
    tuple
        The figure and its axes.
    """
    figure = Canvas(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def rows(names: pd.Series | list[str], room: float = 2.6) -> tuple[Canvas, Axes]:
    """Return an empty figure with one row for every name, the first on top.

    Parameters
    ----------
    names
        Names of the rows.
    room
        Inches beside the names.

    Returns
    -------
    tuple
        The figure and its axes.
    """
    width = room + 0.3 + LETTER * max(map(len, names), default=0)
    figure, axes = canvas(width, ROW * len(names) + 0.75)
    axes.set_yticks(range(len(names)), list(names))
    axes.tick_params(axis="y", labelcolor=svg.INK, labelsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    return figure, axes


def nothing(figure: Canvas, axes: Axes, words: str) -> Canvas:
    """Return the figure with words in place of what cannot be drawn.

    Parameters
    ----------
    figure
        The figure.
    axes
        Its axes.
    words
        What is lacking.
    """
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", color=svg.MUTED)
    return figure


def vertical_line(axes: Axes, value: float, name: str, colour: str, side: str) -> None:
    """Draw a vertical line; its name ends (right) or begins (left) there, so that two names cannot meet.

    Parameters
    ----------
    axes
        Where to draw.
    value
        Where the line is.
    name
        What it is called; the value follows.
    colour
        Its colour.
    side
        "left" or "right".
    """
    axes.axvline(value, color=colour, linewidth=1.2, dashes=(4, 3))
    text = f"{name} {value:.2f}".replace("-", MINUS)
    axes.annotate(text, (value, 1), xycoords=("data", "axes fraction"), ha=side, va="bottom", color=colour)


def dots(axes: Axes, x: Floats, y: Floats, colour: str, size: float) -> None:
    """Draw dots as one path of segments without length: a tenth of the text that matplotlib's markers take.

    Parameters
    ----------
    axes
        Where to draw.
    x
        Their places across, shape (n,).
    y
        Their places up, shape (n,).
    colour
        Their colour.
    size
        Their diameter in points.
    """
    vertices = np.repeat(np.column_stack([x, y]), 2, axis=0)
    codes = np.tile([Path.MOVETO, Path.LINETO], len(x))
    axes.add_patch(
        PathPatch(Path(vertices, codes), edgecolor=colour, facecolor="none", linewidth=size, capstyle="round")
    )


def labels_at_the_side(figure: Canvas, axes: Axes, names: list[str], x: Floats, y: Floats) -> None:
    """Write names in a column right of the axes, in the order of y, each joined to its dot by a thin line.

    Parameters
    ----------
    figure
        The figure.
    axes
        Its axes.
    names
        A name for each dot.
    x
        Places of the dots across, shape (n,).
    y
        Places of the dots up, shape (n,).
    """
    low, high = axes.get_ylim()
    order = np.argsort(-y, kind="stable")
    gap = min(0.17 / (0.8 * figure.get_figheight()), 1 / max(len(names) - 1, 1))
    heights = spread((y[order] - low) / (high - low), gap)
    for place, height in zip(order, heights, strict=True):
        axes.annotate(
            names[place],
            (x[place], y[place]),
            xytext=(1.03, height),
            textcoords="axes fraction",
            va="center",
            arrowprops={"arrowstyle": "-", "color": svg.GRID, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 3},
        )


def spread(wanted: Floats, gap: float) -> Floats:
    """Return decreasing heights in 0..1 near the wanted ones, at least `gap` apart.

    Parameters
    ----------
    wanted
        Decreasing heights, shape (n,).
    gap
        Smallest distance.

    Examples
    --------
    >>> [round(float(height), 2) for height in spread(np.array([0.9, 0.9, 0.2]), 0.1)]
    [0.9, 0.8, 0.2]
    """
    heights: Floats = np.clip(wanted, 0, 1)
    for place in range(1, len(heights)):
        heights[place] = min(heights[place], heights[place - 1] - gap)
    for place in range(len(heights) - 1, -1, -1):
        floor = heights[place + 1] + gap if place + 1 < len(heights) else 0.0
        heights[place] = max(heights[place], floor)
    return heights


def bias_chart(bias: pd.DataFrame, order: list[str], groups: str) -> Canvas:
    """Draw bias in groups, a row per estimator: positive (orange) is over-estimated.

    Parameters
    ----------
    bias
        Columns estimator, group, label, rank_difference, low, high, in percent.
    order
        The estimators from top to bottom.
    groups
        What the groups are.
    """
    figure, axes = rows(order, room=0.72 * bias["group"].nunique())
    values = bias.pivot_table(index="estimator", columns="group", values="rank_difference").reindex(order)
    widths = bias.assign(half_width=(bias["high"] - bias["low"]) / 2)
    widths = widths.pivot_table(index="estimator", columns="group", values="half_width")
    widths = widths.reindex(index=order, columns=values.columns)
    strongest = np.nanmax(np.abs(values.to_numpy()), initial=1e-9)
    for (row, column), value in np.ndenumerate(values.to_numpy()):
        if np.isfinite(value):
            colour = svg.OVER if value > 0 else svg.UNDER
            axes.barh(row, 0.96, left=column - 0.48, height=0.88, color=colour, alpha=0.6 * abs(value) / strongest)
            spread = widths.to_numpy()[row, column]
            text = signed(value) + (f" ±{spread:.0f}" if np.isfinite(spread) else "")
            axes.text(column, row, text, ha="center", va="center", fontsize=7.5)
    labels = bias.drop_duplicates("group").set_index("group")["label"].reindex(values.columns)
    lines = [label.replace(" to ", "\nto ") for label in labels]
    longest = max((len(line) for label in lines for line in label.split("\n")), default=0)
    axes.set_xticks(range(len(lines)), lines, rotation=0 if longest <= _UPRIGHT else 90)
    axes.set_xlim(-0.5, len(labels) - 0.5)
    figure.supxlabel(groups, fontsize="medium", color=svg.MUTED)
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


def stability_chart(matrix: pd.DataFrame) -> Canvas:
    """Draw tau between every two rankings of an estimator: the darker the square, the more similar they are.

    Parameters
    ----------
    matrix
        Tau, its labels in rows and columns.
    """
    figure, axes = canvas(2.1, 2.1)
    values, last = matrix.to_numpy(), len(matrix)
    for (row, column), value in np.ndenumerate(values):
        if row != column and np.isfinite(value):
            axes.barh(
                row, 0.96, left=column - 0.48, height=0.96, color=svg.ACCENT, alpha=0.75 * float(np.clip(value, 0, 1))
            )
            if last <= _NUMBERED:
                axes.text(column, row, f"{value:.2f}".replace("-", MINUS), ha="center", va="center", fontsize=7.5)
    labels = [str(label) for label in matrix]
    axes.set_xticks(range(last), labels, rotation=90 if max(map(len, labels)) > 2 else 0)
    axes.set_yticks(range(last), labels)
    axes.set(xlim=(-0.5, last - 0.5), ylim=(last - 0.5, -0.5), aspect="equal")
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


def by_epoch_chart(trainings: pd.DataFrame, column: str, label: str) -> Canvas:
    """Draw a column by epoch: a line for each training, a colour for each kind of supernet.

    Trainings of one epoch are left out. Lines of whole numbers are drawn a little apart, so that none hides another.

    Parameters
    ----------
    trainings
        Columns supernet, training, epoch and the one that is drawn.
    column
        The column that is drawn.
    label
        What it is called.
    """
    courses = trainings[trainings.groupby("training")["epoch"].transform("size") > 1]
    colours = {name: f"C{place % 10}" for place, name in enumerate(courses["supernet"].unique())}
    figure, axes = canvas(WIDTH, 3.2 + 0.16 * len(colours))
    whole, lines = courses[column].dtype.kind == "i", courses.groupby(["supernet", "training"], sort=False)
    apart = _APART * np.linspace(-1, 1, len(lines) + 2)[1:-1] * whole
    for shift, ((name, _), line) in zip(apart, lines, strict=True):
        axes.plot(line["epoch"], line[column] + shift, color=colours[str(name)], linewidth=1.3)
    for axis in (axes.xaxis, axes.yaxis) if whole else (axes.xaxis,):
        axis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel=label)
    axes.grid(visible=True)
    handles = [axes.plot([], [], color=colour, label=name)[0] for name, colour in colours.items()]
    figure.legend(handles=handles, loc="outside lower left", frameon=False, fontsize=8)
    return figure


def probability_chart(alpha: pd.DataFrame) -> Canvas:
    """Draw the probability of each operation by epoch, a small chart for each edge; dashed is its share of its node.

    Parameters
    ----------
    alpha
        Columns epoch, table, source, target, operation, probability, of one search.
    """
    alpha = alpha[alpha["epoch"].isin(_thinned(alpha["epoch"].unique()))]
    edges = list(alpha.groupby(["table", "source", "target"], sort=False))
    columns = 3 if len(edges) <= 6 else 4
    size = (_WIDE, 1.2 * math.ceil(len(edges) / columns) + 0.6)
    figure = Canvas(figsize=size, layout="constrained")
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


def _thinned(epochs: np.ndarray) -> list[int]:
    """Return as many epochs as are drawn, the first and the last among them."""
    places = np.linspace(0, len(epochs) - 1, min(len(epochs), _EPOCHS)).round().astype(int)
    return [int(epoch) for epoch in epochs[places]]
