"""Where an estimator is biased by size: mean rank differences in groups of parameters and of MACs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.bias import bias_by_complexity
from benchsuite.analysis.variance import mean_over_runs
from benchsuite.report.contract import Schema
from benchsuite.report.render import charts
from benchsuite.report.render.parts import Figure, Folded, Text
from benchsuite.report.render.table import Column, Table, matrix, rows_of
from benchsuite.report.render.words import number
from benchsuite.report.sentences import bias as said
from benchsuite.report.sizes import NAMES, OFFICIAL, orders_of, own_orders, size_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from benchsuite.report.contract import Sentence, Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part
    from benchsuite.report.runs import Runs

TITLE = "Where is it biased by size?"
TAB = "Bias"
ORDER = 300
READS = ("leaderboard",)
TABLES = {
    "bias": Schema(
        {
            "estimator": "Name of the estimator",
            "complexity": "Size measure that makes the groups",
            "group": "Group of size, 1 = smallest",
            "label": "Smallest and largest size in the group",
            "n": "Architectures in the group",
            "rank_difference": "True rank less rank by score in percent of the architectures, mean over runs",
            "low": "Lower end of its 95% CI",
            "high": "Upper end of it",
            "tau": "Tau-b inside the group",
            "tau_low": "Lower end of its 95% CI",
            "tau_high": "Upper end of it",
        }
    ),
    "size_orders": Schema(
        {
            "complexity": "A size measure",
            "same_as": "The first measure that orders the architectures exactly as it does",
            "tau": "Tau-b of the measure with parameters",
        },
        written=False,
    ),
}
_ALIKE = 0.95  # tau of two size measures from which on a second picture would be the first one again
_ENDS = {
    "rank_difference": ("rank_difference_low", "rank_difference_high"),
    "kendall_tau": ("tau_low", "tau_high"),
}
_NOTE = (
    "Mean rank difference in percentile points, with the half-width of its 95% CI; + (orange): ranked too high. A "
    "random ranking shows the same pattern if accuracy depends on size; compare with the random baseline."
)


def tables(evidence: Evidence) -> Tables:
    """Return rank differences and tau by size group, and how far size measures give the same order.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    if not evidence.sizes:
        return {name: schema.empty() for name, schema in TABLES.items()}
    return {
        "bias": bias_by_size(evidence.runs, evidence.truth, evidence.sizes),
        "size_orders": orders_of(evidence.sizes),
    }


def bias_by_size(runs: Runs, truth: pd.Series, sizes: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Compute mean rank difference and tau by size group and estimator, averaged over runs.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.
    truth
        Accuracies by architecture.
    sizes
        Size measures by their column. Groups are of the official ones, and of all architectures, whichever of them an
        estimator has scored.

    Returns
    -------
    DataFrame
        The columns of the table "bias".
    """
    groups = {kind: size_groups(sizes[kind]) for kind in OFFICIAL}
    frames = [
        bias_by_complexity(values, truth, sizes[kind], groups=groups[kind]["group"]).assign(
            estimator=name, complexity=kind
        )
        for kind in OFFICIAL
        for name, each in runs.items()
        for values in each
    ]
    means = mean_over_runs(pd.concat(frames), ["estimator", "complexity", "group"], _ENDS).reset_index()
    labels = {kind: dict(zip(found["group"], found["label"], strict=True)) for kind, found in groups.items()}
    means["label"] = [labels[kind][group] for kind, group in zip(means["complexity"], means["group"], strict=True)]
    percents = {"rank_difference": "rank_difference", "low": "rank_difference_low", "high": "rank_difference_high"}
    means = means.assign(**{name: 100 * means[column] for name, column in percents.items()})
    return means.rename(columns={"kendall_tau": "tau"})[list(TABLES["bias"].columns)]


def parts(tables: Tables) -> Iterator[Part]:
    """Show a picture for each size measure that orders architectures in a way of its own, and the numbers.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    bias, orders, order = tables["bias"], tables["size_orders"], tables["leaderboard"]["estimator"].tolist()
    if bias.empty:
        return
    for kind in pictured(orders):
        name, rows = NAMES[kind], bias[bias["complexity"] == kind]
        yield Figure(
            f"bias-{kind}",
            f"Bias by {name}",
            f"Mean rank difference in groups of {name}, one row for every estimator; numbers in the bias table.",
            partial(charts.bias_chart, rows, order, f"{name} of the group, fewest to most"),
            _NOTE,
        )
    yield Text(order_words(orders))
    for kind in official_orders(orders):
        rows = bias[bias["complexity"] == kind].rename(columns={"rank_difference": "value"})
        caption = f"Mean rank difference by {NAMES[kind]}, in percentile points; positive = ranked too high"
        yield Folded(matrix(Table(f"bias_{kind}", caption, (), ()), rows, "group", group_columns(rows), order, 1))


def sentences(tables: Tables) -> Iterable[Sentence]:
    """Say which size group is ranked worst, if that is significant.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    return said.sentences(tables["bias"], tables["leaderboard"])


def pictured(orders: pd.DataFrame) -> list[str]:
    """Return the official size measures worth a picture: parameters, and MACs where they order otherwise.

    Parameters
    ----------
    orders
        The table "size_orders".
    """
    return ["params", *(["macs"] if _agreement(orders) < _ALIKE else [])]


def official_orders(orders: pd.DataFrame) -> list[str]:
    """Return the official size measures, each order of the architectures once.

    Parameters
    ----------
    orders
        The table "size_orders".
    """
    return [kind for kind in own_orders(orders) if kind in OFFICIAL]


def order_words(orders: pd.DataFrame) -> str:
    """Say how far the two official size measures are one.

    Parameters
    ----------
    orders
        The table "size_orders".
    """
    if "macs" in own_orders(orders)["params"]:
        return (
            "MACs order these architectures exactly as parameters do, so everything said about parameters also holds "
            "for MACs."
        )
    tau = f"(tau-b {number(_agreement(orders))})"
    if pictured(orders) == ["params"]:
        return f"MACs order these architectures almost as parameters do {tau}; the table by MACs is folded."
    return f"MACs order these architectures differently than parameters do {tau}, so size bias is reported for both."


def _agreement(orders: pd.DataFrame) -> float:
    """Return tau-b of the official size measures."""
    return float(orders.loc[orders["complexity"] == "macs", "tau"].item())


def group_columns(rows: pd.DataFrame) -> dict[int, Column]:
    """Return a column for every group of sizes.

    Parameters
    ----------
    rows
        Columns group, label and n.
    """
    most = rows.sort_values(["group", "n"], ascending=[True, False])
    groups = rows_of(most.drop_duplicates("group"))
    return {row["group"]: Column(row["label"], f"{row['n']:.0f} architectures") for row in groups}
