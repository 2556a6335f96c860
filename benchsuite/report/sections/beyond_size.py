"""What an estimator knows beyond size: tau inside size groups, and partial correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.bias import complexity_correlations
from benchsuite.analysis.variance import mean_over_runs
from benchsuite.report.contract import Schema
from benchsuite.report.criteria import TAU
from benchsuite.report.render.parts import Folded
from benchsuite.report.render.table import Column, Table, matrix
from benchsuite.report.render.words import listed
from benchsuite.report.sections.bias import group_columns, official_orders
from benchsuite.report.sentences import bias as said
from benchsuite.report.sizes import ALL, NAMES, orders_of, own_orders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from benchsuite.report.contract import Sentence, Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part
    from benchsuite.report.runs import Runs

TITLE = "What does it know beyond size?"
TAB = "Bias"
ORDER = 310
READS = ("leaderboard", "bias", "size_orders")
TABLES = {
    "size": Schema(
        {
            "estimator": "Name of the estimator",
            "complexity": "A size measure",
            "statistic": "What the value is, as benchsuite.analysis.bias.complexity_correlations names it",
            "value": "Mean over runs",
            "low": "Lower end of its 95% CI",
            "high": "Upper end of it",
        }
    )
}
_TITLES = {"params": "params", "macs": "MACs", "live_params": "live params", "live_macs": "live MACs"}
_FIGURES = {
    "tau_score_complexity": ("τ(score, {})", "1 = the score orders architectures as this size measure does"),
    "tau_truth_complexity": ("τ(truth, {})", "Rank correlation of accuracy itself with this size measure"),
    "rho_difference_complexity": (
        "Bias with {}",
        "Spearman's rho of rank difference and this size measure; positive: large architectures are ranked too high",
    ),
    "partial_rho": (
        "Partial, given {}",
        "Partial rank correlation of score and accuracy: 0 = nothing beyond this size measure",
    ),
}


def tables(evidence: Evidence) -> Tables:
    """Return how scores go with size, and what they know beyond it.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    if not evidence.sizes:
        return {"size": TABLES["size"].empty()}
    return {"size": size_correlations(evidence.runs, evidence.truth, evidence.sizes)}


def size_correlations(runs: Runs, truth: pd.Series, sizes: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Compute how scores go with every size measure and what they know beyond it, averaged over runs.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.
    truth
        Accuracies by architecture.
    sizes
        Size measures by their column.

    Returns
    -------
    DataFrame
        The columns of the table "size".
    """
    orders = own_orders(orders_of(sizes))
    frames = [
        complexity_correlations(values, truth, sizes[kind]).assign(estimator=name, complexity=kind)
        for kind in orders
        for name, each in runs.items()
        for values in each
    ]
    rows = pd.concat(frames).drop(columns="n")
    means = mean_over_runs(rows, ["estimator", "complexity", "statistic"], {"value": ("low", "high")}).reset_index()
    same = [means[means["complexity"] == kind].assign(complexity=also) for kind in orders for also in orders[kind]]
    return pd.concat([means, *same], ignore_index=True)


def parts(tables: Tables) -> Iterator[Part]:
    """Show tau inside size groups, and correlations with every size measure that orders in a way of its own.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    for place, table in enumerate(inside_tables(tables)):
        yield Folded(table, opened=not place)
    order = tables["leaderboard"]["estimator"].tolist()
    for kind, others in own_orders(tables["size_orders"]).items():
        columns = {name: Column(title.format(_TITLES[kind]), text) for name, (title, text) in _FIGURES.items()}
        also = (
            f" ({listed([NAMES[other] for other in others])} order these architectures identically)" if others else ""
        )
        caption = f"What the scores know beyond the number of {NAMES[kind]}{also}; below each value: 95% CI"
        rows = tables["size"][tables["size"]["complexity"] == kind]
        yield Folded(matrix(Table(f"size_{kind}", caption, (), ()), rows, "statistic", columns, order, 3))


def inside_tables(tables: Tables) -> Iterator[Table]:
    """Yield tau inside every size group beside that over all sizes, a table for each official size measure.

    Parameters
    ----------
    tables
        The leaderboard, "bias" and "size_orders".
    """
    board, bias = tables["leaderboard"], tables["bias"]
    ends = {TAU.key: "value", f"{TAU.key}_low": "low", f"{TAU.key}_high": "high"}
    whole = board[["estimator", *ends]].rename(columns=ends).assign(group=ALL)
    for kind in official_orders(tables["size_orders"]):
        rows = bias.loc[bias["complexity"] == kind, ["estimator", "group", "label", "n", "tau", "tau_low", "tau_high"]]
        columns = {ALL: Column("all sizes", TAU.meaning), **group_columns(rows)}
        inside = rows.rename(columns={"tau": "value", "tau_low": "low", "tau_high": "high"})
        caption = f"Tau-b within groups of similar {NAMES[kind]}; below each value: 95% CI over architectures"
        table = Table(f"inside_{kind}", caption, (), ())
        yield matrix(table, pd.concat([whole, inside]), "group", columns, board["estimator"].tolist(), 3)


def sentences(tables: Tables) -> Iterable[Sentence]:
    """Say whether the leader still ranks among architectures of similar size.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    return said.inside_sizes(tables["bias"], tables["leaderboard"])
