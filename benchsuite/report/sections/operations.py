"""Which operations an estimator favours: what its score does when one operation takes another's place."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.analysis.operations import operation_bias, single_operation_pairs
from benchsuite.analysis.variance import mean_over_runs
from benchsuite.core.errors import UnsupportedError
from benchsuite.report.contract import Schema
from benchsuite.report.render import charts
from benchsuite.report.render.parts import Figure, Folded
from benchsuite.report.render.table import Cell, Column, Table, matrix, rows_of
from benchsuite.report.render.words import number
from benchsuite.report.sentences import operations as said
from benchsuite.report.sizes import ALL, size_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from benchsuite.report.contract import Sentence, Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part
    from benchsuite.report.runs import Runs

TITLE = "Which operations does it favour?"
TAB = "Bias"
ORDER = 320
READS = ("leaderboard",)
TABLES = {
    "exchanges": Schema(
        {
            "estimator": "Name of the estimator",
            "group": "Group of parameters in which the pairs lie, 0 = all, 1 = fewest",
            "label": "Parameters of the group",
            "before": "An operation",
            "after": "The one that takes its place",
            "n": "Pairs of architectures of the group that differ in this alone",
            "truth_rises": "Share of the pairs in which the accuracy rises",
            "score_rises": "Share of the pairs in which the score rises, a tie counting half",
            "bias": "Score's share less the accuracy's",
            "bias_low": "Lower end of its 95% CI",
            "bias_high": "Upper end of it",
        }
    )
}
MOST = 10  # exchanges that are shown, those of the most pairs; the files have all
_WHICH = ["estimator", "group", "label", "before", "after"]
_NOTE = (
    "Over pairs of architectures that differ in a single operation: how much more often the score increases than the "
    "accuracy when the second operation replaces the first, in percent of the pairs (a tie counts half); + (orange): "
    "the second operation is overestimated. Fewer than ten pairs, or pairs of equal outcome, have no interval."
)


def tables(evidence: Evidence) -> Tables:
    """Return how often ground truth and score rise by exchange of operations, size group and estimator.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    return {
        "exchanges": exchanges(evidence.runs, evidence.truth, evidence.results.operations, evidence.sizes.get("params"))
    }


def exchanges(
    runs: Runs, truth: pd.Series, operations: Mapping[str, Sequence[str]], params: pd.Series | None
) -> pd.DataFrame:
    """Compute how often ground truth and score rise by exchange, size group and estimator, averaged over runs.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.
    truth
        Accuracies by architecture.
    operations
        Operations of each architecture, position by position.
    params
        Parameters by architecture, which make the groups, if they are known.

    Returns
    -------
    DataFrame
        The columns of the table "exchanges"; all sizes first, and in each group the most frequent exchange. Empty where
        no two architectures differ in one operation alone, their operations do not identify them, or sizes are unknown.
    """
    known = {name: operations[name] for name in truth.index if name in operations}
    try:
        pairs = single_operation_pairs(known) if known else pd.DataFrame()
    except UnsupportedError:
        pairs = pd.DataFrame()
    if pairs.empty or params is None:
        return TABLES["exchanges"].empty()
    groups = size_groups(params)
    frames = [
        operation_bias(values, truth, pairs, groups=groups["group"]).assign(estimator=name)
        for name, each in runs.items()
        for values in each
    ]
    rows = pd.concat(frames)
    labels = {ALL: "all", **dict(zip(groups["group"], groups["label"], strict=True))}
    rows = rows.astype({"before": str, "after": str}).assign(label=rows["group"].map(labels))
    means = mean_over_runs(rows, _WHICH, {"bias": ("bias_low", "bias_high")}).reset_index()
    found = means.sort_values(["group", "n"], ascending=[True, False], kind="stable", ignore_index=True)
    return found[list(TABLES["exchanges"].columns)]


def parts(tables: Tables) -> Iterator[Part]:
    """Show bias by operation over all pairs, and among the largest architectures that have such pairs.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    found, order = tables["exchanges"], tables["leaderboard"]["estimator"].tolist()
    if found.empty:
        return
    yield Figure(
        "exchanges",
        "Bias by operation",
        "How much more often the score increases than the accuracy by exchange of operations; numbers in the table.",
        partial(charts.bias_chart, shown_exchanges(found), order, "one operation to another"),
        _NOTE,
    )
    for group in dict.fromkeys([ALL, found["group"].max()]):
        yield Folded(_table(found, group, order))


def _table(found: pd.DataFrame, group: int, order: Sequence[str]) -> Table:
    """Return how much more often scores rise than the ground truth does in a size group, in percent of the pairs.

    Below stand the ground truth's own share and the number of pairs.
    """
    shown = shown_exchanges(found, group).rename(columns={"rank_difference": "value"})
    kinds = rows_of(shown.drop_duplicates("group"))
    where = f" of architectures with {kinds[0]['parameters']} parameters, the largest that have such pairs"
    caption = (
        f"Bias by operation: how much more often the score increases than the accuracy, in percent of the pairs"
        f"{where if group else ''}"
    )
    columns = {row["group"]: Column(row["label"]) for row in kinds}
    name = "exchanges_largest" if group else "exchanges"
    table = matrix(Table(name, caption, (), ()), shown, "group", columns, order, 0)
    return replace(table, summary=tuple(_summary(kinds)))


def sentences(tables: Tables) -> Iterable[Sentence]:
    """Say which operation the leader over-estimates most, if that is significant.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    return said.sentences(shown_exchanges(tables["exchanges"]), tables["leaderboard"])


def shown_exchanges(exchanges: pd.DataFrame, group: int = ALL) -> pd.DataFrame:
    """Return the most frequent exchanges in a size group as a table that `bias_chart` draws.

    Parameters
    ----------
    exchanges
        The table "exchanges".
    group
        The size group.

    Returns
    -------
    DataFrame
        Columns estimator, group (the place of the exchange), label, the bias in percent, and what else the table has;
        `parameters` are those of the size group.
    """
    rows = exchanges[exchanges["group"] == group].rename(columns={"label": "parameters"})
    label = rows["before"] + " to " + rows["after"]
    order = {name: place for place, name in enumerate(label.unique()[:MOST])}
    shown = rows.assign(label=label, group=label.map(order)).dropna(subset="group")
    percents = {"rank_difference": "bias", "low": "bias_low", "high": "bias_high"}
    return shown.assign(**{name: 100 * shown[column] for name, column in percents.items()})


def _summary(kinds: list[dict[str, Any]]) -> Iterator[tuple[Cell, ...]]:
    """Yield what holds for every estimator: how often the ground truth rises, and in how many pairs."""
    rises = (Cell(f"{number(100 * row['truth_rises'], 0)} %", 100 * row["truth_rises"]) for row in kinds)
    yield (Cell("accuracy increases", "accuracy increases", mark="ground truth", reference=True), *rises)
    yield (Cell("pairs", "pairs", mark="count", reference=True), *(Cell(f"{row['n']:,.0f}", row["n"]) for row in kinds))
