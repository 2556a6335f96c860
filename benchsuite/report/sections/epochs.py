"""How an estimator changes with the epoch of the weights that it reads."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from benchsuite.analysis.evaluate import evaluate
from benchsuite.analysis.variance import over_seeds
from benchsuite.report.contract import Schema
from benchsuite.report.criteria import CRITERIA, HEADLINE, TAU, at
from benchsuite.report.render import charts
from benchsuite.report.render.parts import Figure, Panels
from benchsuite.report.render.table import Column, Table, matrix, rows_of
from benchsuite.report.stability import stability_figure, taus_between

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.figure import Figure as Canvas

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part
    from benchsuite.report.results import Traits
    from benchsuite.report.runs import Runs

TITLE = "How does it change with the epoch?"
TAB = "Variance"
ORDER = 410
_SHOWN = (TAU, *(item for item in HEADLINE if item.criterion == "precision_at_top"))
_ENDS = {"": "value", "_low": "low", "_high": "high"}
_RELATIVE = {
    "without_epoch": "Name that estimators share which differ in their epoch alone",
    "epoch": "Epoch of the scores",
    "next_epoch": "Epoch of the scores that they are judged by",
}
TABLES = {
    "epochs": Schema(
        {
            "estimator": "Name of an estimator from which others differ in their epoch alone",
            **{f"{item.key}{end}": f"{item.meaning} ({name})" for item in _SHOWN for end, name in _ENDS.items()},
            "without_epoch": _RELATIVE["without_epoch"],
            "epoch": "Epoch of the weights that it reads",
        }
    ),
    "relative": Schema({**_RELATIVE, **{name: words for name, words in CRITERIA.items() if name != "estimator"}}),
    "stability_by_epoch": Schema(
        {
            "without_epoch": _RELATIVE["without_epoch"],
            "first": "An epoch",
            "second": "Another, or the same",
            "tau": "Tau-b between the scores of the first run",
        },
        written=False,
    ),
}
_SMALL = "below each value: 95% CI over architectures"
_NOTE = "Estimators that differ only in their epoch are joined by a line; bars: 95% CI over architectures."


def tables(evidence: Evidence) -> Tables:
    """Return criteria by epoch, those of an epoch judged by the next one, and tau between epochs.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    found = by_epoch(evidence.leaderboard, evidence.traits)
    return {
        "epochs": found,
        "relative": relative(evidence.runs, found),
        "stability_by_epoch": stability(evidence.runs, found),
    }


def by_epoch(leaderboard: pd.DataFrame, traits: Mapping[str, Traits]) -> pd.DataFrame:
    """Take from the leaderboard the estimators that differ in their epoch alone.

    Parameters
    ----------
    leaderboard
        The leaderboard.
    traits
        What is recorded of each estimator, its line and epoch among it.

    Returns
    -------
    DataFrame
        The columns of the table "epochs"; empty where no two estimators differ in their epoch alone.
    """
    columns = ["estimator", *(f"{item.key}{end}" for item in _SHOWN for end in _ENDS)]
    lines = [(traits[name].line, traits[name].epoch) for name in leaderboard["estimator"]]
    parts = pd.DataFrame(lines, columns=["without_epoch", "epoch"])
    table = pd.concat([leaderboard[columns].reset_index(drop=True), parts], axis=1)
    several = table.groupby("without_epoch")["epoch"].transform("nunique") > 1
    return table[several & table["epoch"].notna()].sort_values(["without_epoch", "epoch"], ignore_index=True)


def relative(runs: Runs, epochs: pd.DataFrame) -> pd.DataFrame:
    """Judge the scores at an epoch by those at the next one, averaged over runs.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.
    epochs
        The table "epochs".

    Returns
    -------
    DataFrame
        The columns of the table "relative". Architectures whose later score is undefined are left out.
    """
    frames = []
    for name, rows in epochs.groupby("without_epoch", sort=False):
        for earlier, later in itertools.pairwise(rows_of(rows)):
            found = [evaluate(*pair) for pair in _pairs(runs[earlier["estimator"]], runs[later["estimator"]])]
            if found:
                ends = {"without_epoch": name, "epoch": earlier["epoch"], "next_epoch": later["epoch"]}
                frames.append(over_seeds(found).assign(**ends))
    if not frames:
        return TABLES["relative"].empty()
    return pd.concat(frames, ignore_index=True)[list(TABLES["relative"].columns)]


def _pairs(earlier: Sequence[pd.Series], later: Sequence[pd.Series]) -> Iterator[tuple[pd.Series, pd.Series]]:
    """Yield scores at two epochs of the same run, those at the later one finite."""
    known = {repr(values.name): values for values in earlier}
    for values in later:
        truth = values[np.isfinite(values)]
        scores = known.get(repr(values.name), truth.iloc[:0])
        if scores.index.isin(truth.index).any():
            yield scores, truth


def stability(runs: Runs, epochs: pd.DataFrame) -> pd.DataFrame:
    """Compute tau between the scores (of the first run) at every two epochs.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.
    epochs
        The table "epochs".

    Returns
    -------
    DataFrame
        The columns of the table "stability_by_epoch".
    """
    frames = []
    for name, rows in epochs.groupby("without_epoch", sort=False):
        rankings = [runs[each][0] for each in rows["estimator"]]
        taus = taus_between(rankings, [f"{epoch:g}" for epoch in rows["epoch"]])
        frames.append(taus.assign(without_epoch=name))
    columns = list(TABLES["stability_by_epoch"].columns)
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def parts(tables: Tables) -> Iterator[Part]:
    """Show criteria by epoch, agreement between epochs, and how far an epoch's ranking is that of the next.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    if tables["epochs"].empty:
        return
    yield Figure(
        "epochs",
        "Rank correlation by epoch",
        "Kendall's tau-b by epoch with 95% CIs, a line for every kind of estimator; figures in the table.",
        partial(epoch_chart, tables["epochs"]),
        _NOTE,
    )
    yield from epoch_tables(tables["epochs"])
    by_line = tables["stability_by_epoch"].groupby("without_epoch", sort=False)
    figures = tuple(stability_figure(rows, str(name), "epochs") for name, rows in by_line)
    yield Panels(figures, "Tau between the scores at every two epochs, first run.")
    yield from relative_tables(tables["relative"])


def epoch_tables(epochs: pd.DataFrame) -> Iterator[Table]:
    """Yield criteria by epoch of estimators that differ in their epoch alone, a table each.

    Parameters
    ----------
    epochs
        The table "epochs".
    """
    found = epochs.drop(columns="estimator").rename(columns={"without_epoch": "estimator"})
    columns = {epoch: Column(f"epoch {epoch:g}") for epoch in sorted(found["epoch"].unique())}
    names = list(dict.fromkeys(found["estimator"]))
    for item in _SHOWN:
        rows = found.rename(columns={f"{item.key}{end}": name for end, name in _ENDS.items()})
        table = Table(f"epochs_{item.criterion}", f"{item.title} by epoch; {_SMALL}", (), ())
        yield matrix(table, rows, "epoch", columns, names, item.digits)


def relative_tables(relative: pd.DataFrame) -> Iterator[Table]:
    """Yield how far the ranking of an epoch is that of the next one, a table for each criterion.

    Parameters
    ----------
    relative
        The table "relative".
    """
    if relative.empty:  # in a suite that was stopped no run may have two epochs
        return
    found = relative.rename(columns={"without_epoch": "estimator"})
    found["steps"] = [f"{row['epoch']:g} to {row['next_epoch']:g}" for row in rows_of(found)]
    columns = {step: Column(f"epoch {step}") for step in found.sort_values(["epoch", "next_epoch"])["steps"].unique()}
    names = list(dict.fromkeys(found["estimator"]))
    for item in _SHOWN:
        rows = at(found, item)
        caption = f"Relative {item.title}: scores of an epoch evaluated against those of the next one; {_SMALL}"
        yield matrix(Table(f"relative_{item.criterion}", caption, (), ()), rows, "steps", columns, names, item.digits)


def epoch_chart(epochs: pd.DataFrame) -> Canvas:
    """Draw tau by epoch with its interval, a line for every kind of estimator.

    Parameters
    ----------
    epochs
        The table "epochs".
    """
    groups = list(epochs.groupby("without_epoch", sort=False))
    figure, axes = charts.canvas(charts.WIDTH, 3.2 + 0.16 * len(groups))
    width = 0.008 * (epochs["epoch"].max() - epochs["epoch"].min())
    for number, (name, rows) in enumerate(groups):
        x = rows["epoch"] + width * (number - (len(groups) - 1) / 2)  # intervals next to each other
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
