"""How each ranking compares with the ground truth, architecture by architecture."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas

from benchsuite.report.contract import Schema
from benchsuite.report.render import charts, svg
from benchsuite.report.render.packed import MOST_ARCHITECTURES
from benchsuite.report.render.parts import Figure, Panels, Scatter, figure_name
from benchsuite.report.render.table import rows_of
from benchsuite.report.render.words import interval, number
from benchsuite.report.runs import ranks
from benchsuite.report.sizes import size_groups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part
    from benchsuite.report.runs import Runs

TITLE = "How does each ranking compare with the ground truth?"
TAB = "Ranks"
ORDER = 200
READS = ("leaderboard", "architectures")
TABLES = {
    "ranks": Schema(
        {
            "estimator": "Name of the estimator",
            "architecture": "An architecture that it has scored in its first run",
            "truth": "Rank by ground truth among these, 1 = best",
            "score": "Rank by the first run's score, 1 = best",
            "group": "Group of parameters, 1 = fewest",
        },
        written=False,
    )
}
MOST_POINTS = 2000  # per rank plot; more dots than this say nothing more and make the page heavy
_NOTE = "One dot per architecture; scores of the first run, 1 = best."


def tables(evidence: Evidence) -> Tables:
    """Return the ranks of all architectures by score and by ground truth.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    return {"ranks": ranks_by_estimator(evidence.runs, evidence.truth, evidence.sizes.get("params"))}


def ranks_by_estimator(runs: Runs, truth: pd.Series, params: pd.Series | None) -> pd.DataFrame:
    """Rank all architectures by ground truth and by each estimator's first run.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.
    truth
        Accuracies by architecture.
    params
        Parameters by architecture, which make the groups; one group where they are not known.

    Returns
    -------
    DataFrame
        The columns of the table "ranks".
    """
    frames = []
    groups = pd.Series(1, truth.index) if params is None else size_groups(params)["group"]
    for name, each in runs.items():
        values = each[0][each[0].index.isin(truth.index)]
        known = truth.reindex(values.index)
        frame = {"estimator": name, "architecture": values.index, "truth": ranks(known), "score": ranks(values)}
        frames.append(pd.DataFrame(frame).assign(group=groups.reindex(values.index).array))
    return pd.concat(frames, ignore_index=True)


def parts(tables: Tables) -> Iterator[Part]:
    """Show a scatter to move through, and a small plot for each estimator.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    board, total = tables["leaderboard"], len(tables["architectures"])
    chosen = {
        most: f" A random {most:,} of the {total:,} are drawn." if total > most else ""
        for most in (MOST_ARCHITECTURES, MOST_POINTS)
    }
    order = board["estimator"].tolist()
    yield Scatter(tables["ranks"], tables["architectures"], tuple(order), _NOTE + chosen[MOST_ARCHITECTURES])
    by_estimator = dict(tuple(tables["ranks"].groupby("estimator", sort=False)))
    figures = tuple(_figure(row, by_estimator[row["estimator"]]) for row in rows_of(board))
    yield Panels(figures, f"{_NOTE} The line is a perfect ranking.{chosen[MOST_POINTS]}", coloured=True)


def _figure(row: dict[str, float | str], rows: pd.DataFrame) -> Figure:
    """Return the plot of one estimator, which is a row of the leaderboard."""
    name, tau = str(row["estimator"]), number(float(row["kendall_tau"]), 2)
    ends = interval(float(row["kendall_tau_low"]), float(row["kendall_tau_high"]))
    words = f"Rank by {name} against rank by ground truth, {len(rows)} architectures; tau-b {tau} ({ends})."
    return Figure(figure_name("rank", name), name, words, partial(rank_plot, rows))


def rank_plot(ranks: pd.DataFrame) -> Canvas:
    """Draw rank by score against rank by ground truth, a dot per architecture, coloured by parameter group.

    Parameters
    ----------
    ranks
        Columns truth and score (1 = best) and group (1 = fewest parameters).
    """
    figure = Canvas(figsize=(2.1, 2.0))
    axes = figure.add_axes((0.17, 0.17, 0.80, 0.80))
    shown = thinned(ranks)
    size = 3.4 if len(shown) <= 150 else 2.5 if len(shown) <= 800 else 1.7
    for group in sorted(set(shown["group"])):
        rows = shown[shown["group"] == group]
        charts.dots(axes, rows["truth"].to_numpy(), rows["score"].to_numpy(), svg.GROUPS[group - 1], size)
    last = len(ranks)
    axes.plot([1, last], [1, last], color=svg.REFERENCE, linewidth=0.8, dashes=(3, 3))
    margin = 0.03 * last
    axes.set(xlim=(1 - margin, last + margin), ylim=(1 - margin, last + margin), xticks=[1, last], yticks=[1, last])
    axes.xaxis.get_majorticklabels()[1].set_horizontalalignment("right")  # inside the figure
    axes.set_xlabel("rank by truth", labelpad=-7)
    axes.set_ylabel("rank by score", labelpad=-10)
    return figure


def thinned(ranks: pd.DataFrame) -> pd.DataFrame:
    """Return at most MOST_POINTS rows, a fixed random choice.

    Parameters
    ----------
    ranks
        The ranks of one estimator.
    """
    if len(ranks) <= MOST_POINTS:
        return ranks
    keep = np.random.default_rng(0).choice(len(ranks), MOST_POINTS, replace=False)
    return ranks.iloc[np.sort(keep)]
