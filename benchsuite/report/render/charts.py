"""Figures of a report: each function draws one table of a judgement; the page and the Markdown show the same SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from benchsuite.report.render import svg
from benchsuite.report.render.words import MINUS, duration, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

MOST_POINTS = 2000  # per rank plot; more dots than this say nothing more and make the page heavy
_ROW = 0.21  # inches that one estimator takes in a chart with one row each
_LETTER = 0.068  # inches, of a name
_UPRIGHT = 10  # letters of a label that fit below a column
_SHADES = 20  # of each colour of a correlation
_WIDTH = 4.2
_APART = 0.15  # of the outermost lines of whole numbers
_NUMBERED = 5  # squares of a matrix this wide have room for their numbers


def rank_plot(ranks: pd.DataFrame) -> Figure:
    """Score rank against truth rank, a dot per architecture, coloured by parameter group.

    `ranks` has the columns truth and score (1 = best) and group (1 = fewest parameters).
    """
    figure = Figure(figsize=(2.1, 2.0))
    axes = figure.add_axes((0.17, 0.17, 0.80, 0.80))
    shown = thinned(ranks)
    size = 3.4 if len(shown) <= 150 else 2.5 if len(shown) <= 800 else 1.7
    for group in sorted(set(shown["group"])):
        rows = shown[shown["group"] == group]
        _dots(axes, rows["truth"].to_numpy(), rows["score"].to_numpy(), svg.GROUPS[group - 1], size)
    last = len(ranks)
    axes.plot([1, last], [1, last], color=svg.REFERENCE, linewidth=0.8, dashes=(3, 3))
    margin = 0.03 * last
    axes.set(xlim=(1 - margin, last + margin), ylim=(1 - margin, last + margin), xticks=[1, last], yticks=[1, last])
    axes.xaxis.get_majorticklabels()[1].set_horizontalalignment("right")  # inside the figure
    axes.set_xlabel("rank by truth", labelpad=-7)
    axes.set_ylabel("rank by score", labelpad=-10)
    return figure


def thinned(ranks: pd.DataFrame) -> pd.DataFrame:
    """At most MOST_POINTS rows, a fixed random choice."""
    if len(ranks) <= MOST_POINTS:
        return ranks
    keep = np.random.default_rng(0).choice(len(ranks), MOST_POINTS, replace=False)
    return ranks.iloc[np.sort(keep)]


def tau_chart(leaderboard: pd.DataFrame, ceiling: float | None) -> Figure:
    """Tau of every estimator with its interval, best on top; the ceiling and parameter counting as lines."""
    figure, axes = _rows(leaderboard["estimator"])
    places = np.arange(len(leaderboard))
    colours = np.where(leaderboard["reference"], svg.REFERENCE, svg.ACCENT)
    tau = leaderboard["kendall_tau"].to_numpy()
    axes.barh(places, tau, height=0.56, color=colours, alpha=0.35)
    axes.hlines(places, leaderboard["kendall_tau_low"], leaderboard["kendall_tau_high"], color=colours, linewidth=1.6)
    axes.scatter(tau, places, s=16, color=colours, zorder=3)
    axes.axvline(0, color=svg.MUTED, linewidth=0.7)
    size = leaderboard.loc[leaderboard["estimator"] == "params", "kendall_tau"]
    if size.notna().any():
        _line(axes, float(size.iloc[0]), "params", svg.REFERENCE, side="right")
    if ceiling is not None:
        _line(axes, ceiling, "ceiling", svg.CEILING, side="left")
    axes.set_xlabel("Kendall's tau-b")
    axes.grid(visible=True, axis="x")
    return figure


def cost_chart(leaderboard: pd.DataFrame) -> Figure:
    """Tau against CPU seconds per architecture on a logarithmic axis, with the front of the cheapest best."""
    shown = leaderboard[(leaderboard["cpu_seconds"] > 0) & leaderboard["kendall_tau"].notna()]
    width = _WIDTH - 1 + _LETTER * int(shown["estimator"].str.len().max() if len(shown) else 0)
    figure = Figure(figsize=(width, max(2.6, _ROW * (len(shown) + 3))), layout="constrained")
    axes = figure.subplots()
    if shown.empty:
        return _nothing(figure, axes, "no estimator has both a cost and a tau")
    cost, tau = shown["cpu_seconds"].to_numpy(), shown["kendall_tau"].to_numpy()
    colours = np.where(shown["reference"], svg.REFERENCE, svg.ACCENT)
    by_cost = np.argsort(cost, kind="stable")
    front = np.maximum.accumulate(tau[by_cost])
    axes.step(cost[by_cost], front, where="post", color=svg.GRID, linewidth=1.6)
    axes.set_xscale("log")
    axes.set_xlim(cost.min() / 2, cost.max() * 2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.vlines(cost, shown["kendall_tau_low"], shown["kendall_tau_high"], color=colours, linewidth=1, alpha=0.6)
    axes.scatter(cost, tau, s=22, color=colours, zorder=3)
    _labels_at_the_side(figure, axes, shown["estimator"].tolist(), cost, tau)
    axes.set(xlabel="CPU seconds per architecture", ylabel="Kendall's tau-b")
    axes.grid(visible=True)
    return figure


def bias_chart(bias: pd.DataFrame, order: list[str], groups: str) -> Figure:
    """Bias in groups that `groups` names, a row per estimator: positive (orange) is over-estimated.

    `bias` has the columns estimator, group, label, rank_difference, low, high, in percent.
    """
    figure, axes = _rows(order, room=0.72 * bias["group"].nunique())
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


def variance_chart(variance: pd.DataFrame) -> Figure:
    """Tau between the scores of different trials, a row per estimator that has several: 1 = all rank alike."""
    figure, axes = _rows(variance["estimator"])
    places = np.arange(len(variance))
    axes.hlines(places, variance["tau_low"], variance["tau_high"], color=svg.ACCENT, linewidth=1.6, alpha=0.6)
    axes.scatter(variance["tau_between_seeds"], places, s=20, color=svg.ACCENT, zorder=3)
    axes.axvline(1, color=svg.CEILING, linewidth=1)
    axes.set_xlim(min(0.0, variance["tau_low"].min()) - 0.02, 1.02)
    figure.supxlabel("tau between trials: mean, least and greatest pair", fontsize="medium", color=svg.MUTED)
    axes.grid(visible=True, axis="x")
    return figure


def stability_chart(matrix: pd.DataFrame) -> Figure:
    """Tau between every two rankings of an estimator: the darker the square, the more alike they are."""
    figure = Figure(figsize=(2.1, 2.1), layout="constrained")
    axes = figure.subplots()
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


def agreement_chart(matrix: pd.DataFrame) -> Figure:
    """Correlation between every two of its labels: blue squares agree, orange ones disagree, the darker the more."""
    names, last = matrix.index.tolist(), len(matrix)
    side = 0.3 + max(0.2 * last, 1.2) + _LETTER * max(map(len, names))
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    values = np.nan_to_num(matrix.to_numpy())
    levels = np.rint(_SHADES * np.clip(values, -1, 1)).astype(int)
    for level in np.unique(levels[levels != 0]):  # a path of all squares of one shade: far less text than one for each
        rows, columns = np.nonzero(levels == level)
        colour = svg.UNDER if level > 0 else svg.OVER
        axes.add_patch(
            PathPatch(_squares(columns, rows), facecolor=colour, linewidth=0, alpha=0.85 * abs(level) / _SHADES)
        )
    axes.set_xticks(range(last), names, rotation=90)
    axes.set_yticks(range(last), names)
    axes.tick_params(labelcolor=svg.INK, labelsize=8)
    axes.set(xlim=(-0.5, last - 0.5), ylim=(last - 0.5, -0.5), aspect="equal")
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


def _squares(columns: np.ndarray, rows: np.ndarray) -> Path:
    """One path of squares around the given places."""
    corners = np.array([[-0.48, -0.48], [0.48, -0.48], [0.48, 0.48], [-0.48, 0.48], [-0.48, -0.48]])
    vertices = (np.column_stack([columns, rows])[:, None] + corners).reshape(-1, 2)
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(rows)
    return Path(vertices, codes)


def regret_chart(search: pd.DataFrame, shown: list[str], plain: list[str], banded: list[str]) -> Figure:
    """Regret after training the k best-scored architectures, a line for every estimator of `shown`, `plain` ones grey.

    `search` has the columns estimator, k, regret, low, high; low to high is a band for those `banded`.
    """
    figure = Figure(figsize=(_WIDTH, 3.2 + 0.08 * len(shown)), layout="constrained")
    axes = figure.subplots()
    dashes, colours = iter(["--", ":", "-."]), (f"C{number}" for number in range(len(shown)))
    for name in shown:
        rows = search[search["estimator"] == name]
        colour, dash = (svg.REFERENCE, next(dashes)) if name in plain else (next(colours), "-")
        axes.plot(rows["k"], rows["regret"], linewidth=1.4, label=name, color=colour, linestyle=dash)
        if name in banded:
            axes.fill_between(rows["k"], rows["low"], rows["high"], color=colour, alpha=0.16, linewidth=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(0, _useful(search[search["estimator"].isin(shown)]))
    axes.set(xlabel="architectures trained, best-scored first", ylabel="regret, accuracy points")
    axes.grid(visible=True)
    figure.legend(loc="outside lower left", frameon=False, fontsize=8, ncols=2)
    return figure


def _useful(search: pd.DataFrame) -> float:
    """Upper end of an axis of regrets: a bad first choice would flatten all that follows."""
    return max(1.15 * float(search.groupby("estimator")["regret"].first().median()), 1e-3)


def mean_rank_chart(ranks: pd.DataFrame, groups: Sequence[Sequence[str]], difference: float) -> Figure:
    """Mean rank of estimators over benchmarks, a row each; a bar joins those that no test tells apart.

    `ranks` has the columns estimator and mean_rank (1 = best), best first; `difference` is the critical one.
    """
    figure, axes = _rows(ranks["estimator"])
    places = {name: place for place, name in enumerate(ranks["estimator"])}
    axes.scatter(ranks["mean_rank"], list(places.values()), s=20, color=svg.ACCENT, zorder=3)
    last = float(ranks["mean_rank"].max())
    for number, group in enumerate(groups):
        rows = [places[name] for name in group]
        axes.vlines(last + 0.06 * last * (number + 1), min(rows) - 0.3, max(rows) + 0.3, color=svg.MUTED, linewidth=2)
    axes.set_xlim(left=0.5)
    figure.supxlabel(f"mean place; critical difference {difference:.1f}", fontsize="medium", color=svg.MUTED)
    axes.grid(visible=True, axis="x")
    return figure


def epoch_chart(epochs: pd.DataFrame) -> Figure:
    """Tau by epoch with its interval, a line for every kind of estimator.

    `epochs` has the columns without_epoch, epoch, kendall_tau, kendall_tau_low, kendall_tau_high.
    """
    groups = list(epochs.groupby("without_epoch", sort=False))
    figure = Figure(figsize=(_WIDTH, 3.2 + 0.16 * len(groups)), layout="constrained")
    axes = figure.subplots()
    width = 0.008 * (epochs["epoch"].max() - epochs["epoch"].min())
    for number, (name, rows) in enumerate(groups):
        x = rows["epoch"] + width * (number - (len(groups) - 1) / 2)  # intervals beside each other
        axes.vlines(
            x, rows["kendall_tau_low"], rows["kendall_tau_high"], color=f"C{number % 10}", linewidth=1, alpha=0.5
        )
        axes.plot(
            x, rows["kendall_tau"], color=f"C{number % 10}", linewidth=1.3, marker="o", markersize=3.5, label=name
        )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch of the weights that are read", ylabel="Kendall's tau-b")
    axes.grid(visible=True)
    figure.legend(loc="outside lower left", frameon=False, fontsize=8)
    return figure


def by_epoch_chart(trainings: pd.DataFrame, column: str, label: str) -> Figure:
    """A column by epoch: a line for each training, a colour for each kind of supernet; single epochs are left out.

    `trainings` has the columns supernet, training, epoch and the one that is drawn. Lines of whole numbers are drawn a
    little apart, so that none hides another.
    """
    courses = trainings[trainings.groupby("training")["epoch"].transform("size") > 1]
    colours = {name: f"C{place % 10}" for place, name in enumerate(courses["supernet"].unique())}
    figure = Figure(figsize=(_WIDTH, 3.2 + 0.16 * len(colours)), layout="constrained")
    axes = figure.subplots()
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


def _rows(names: pd.Series | list[str], room: float = 2.6) -> tuple[Figure, Axes]:
    """A figure with one row for every name, the first on top, and `room` inches beside the names."""
    width = room + 0.3 + _LETTER * max(map(len, names), default=0)
    figure = Figure(figsize=(width, _ROW * len(names) + 0.75), layout="constrained")
    axes = figure.subplots()
    axes.set_yticks(range(len(names)), list(names))
    axes.tick_params(axis="y", labelcolor=svg.INK, labelsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    return figure, axes


def _line(axes: Axes, value: float, name: str, colour: str, side: str) -> None:
    """A vertical line; its name ends (right) or begins (left) there, so that two names cannot meet."""
    axes.axvline(value, color=colour, linewidth=1.2, dashes=(4, 3))
    text = f"{name} {value:.2f}".replace("-", MINUS)
    axes.annotate(text, (value, 1), xycoords=("data", "axes fraction"), ha=side, va="bottom", color=colour)


def _dots(axes: Axes, x: np.ndarray, y: np.ndarray, colour: str, size: float) -> None:
    """Dots as one path of segments without length: a tenth of the text that matplotlib's markers take."""
    vertices = np.repeat(np.column_stack([x, y]), 2, axis=0)
    codes = np.tile([Path.MOVETO, Path.LINETO], len(x))
    axes.add_patch(
        PathPatch(Path(vertices, codes), edgecolor=colour, facecolor="none", linewidth=size, capstyle="round")
    )


def _labels_at_the_side(figure: Figure, axes: Axes, names: list[str], x: np.ndarray, y: np.ndarray) -> None:
    """Names in a column right of the axes, in the order of y, each joined to its dot by a thin line."""
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


def spread(wanted: np.ndarray, gap: float) -> np.ndarray:
    """Decreasing heights in 0..1 near the wanted ones, at least `gap` apart.

    >>> [round(float(height), 2) for height in spread(np.array([0.9, 0.9, 0.2]), 0.1)]
    [0.9, 0.8, 0.2]
    """
    heights: np.ndarray = np.clip(wanted, 0, 1)
    for place in range(1, len(heights)):
        heights[place] = min(heights[place], heights[place - 1] - gap)
    for place in range(len(heights) - 1, -1, -1):
        floor = heights[place + 1] + gap if place + 1 < len(heights) else 0.0
        heights[place] = max(heights[place], floor)
    return heights


def _nothing(figure: Figure, axes: Axes, words: str) -> Figure:
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", color=svg.MUTED)
    return figure
