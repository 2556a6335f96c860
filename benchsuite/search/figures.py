"""Figures of a search, in the style of the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from benchsuite.report.render import svg
from benchsuite.report.render.words import large

if TYPE_CHECKING:
    import pandas as pd

    from benchsuite.search.finding import Finding

_SIZE = (4.6, 3.2)
_COLOURS = (svg.ACCENT, svg.REFERENCE, svg.CEILING)
_MANY_TIMES = 100.0  # scores that differ by more are drawn on a logarithmic axis


def front_chart(finding: Finding) -> Figure:
    """Draw score against MACs: a dot for each architecture, coloured by parameters; the front is ringed.

    Parameters
    ----------
    finding
        What the search found.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.subplots()
    shown = finding.evaluated[finding.evaluated["score"].notna()]
    edges = np.quantile(shown["params"], [0.2, 0.4, 0.6, 0.8])
    for rows, options in (
        (shown, {"s": 9, "alpha": 0.45, "linewidths": 0}),
        (finding.front, {"s": 34, "edgecolors": svg.INK, "linewidths": 0.8, "zorder": 3}),
    ):
        colours = [svg.GROUPS[group] for group in np.searchsorted(edges, rows["params"])]
        axes.scatter(rows["macs"], rows["score"], c=colours, **options)
    least, most = shown["score"].min(), shown["score"].max()
    if least > 0 and most > _MANY_TIMES * least:
        axes.set_yscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: large(value)))
    axes.set(xlabel="MACs", ylabel=f"score of {finding.search.estimator}")
    axes.grid(visible=True)
    return figure


def regret_chart(curves: pd.DataFrame) -> Figure:
    """Draw the regret after each evaluation: a line for each method; the band is the range of 95% of the seeds.

    Parameters
    ----------
    curves
        See `benchsuite.search.evaluated.compared`.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.subplots()
    for (method, rows), colour in zip(curves.groupby("method", sort=False), _COLOURS, strict=True):
        places = rows["evaluations"].to_numpy()
        axes.step(places, rows["regret"], where="post", color=colour, linewidth=1.6, label=str(method))
        if rows["low"].notna().any():
            axes.fill_between(places, rows["low"], rows["high"], step="post", color=colour, alpha=0.15, linewidth=0)
    begun = curves[curves["evaluations"] >= curves["evaluations"].max() / 10]  # the first draws are far above
    top = 1.5 * max(begun["regret"].max(), 0.01)
    axes.set(xlabel="evaluations", ylabel="regret (accuracy points)", ylim=(0, top), xlim=(1, None))
    axes.legend(loc="upper right")
    axes.grid(visible=True)
    return figure
