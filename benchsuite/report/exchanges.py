"""Bias at the level of operations: what an estimator thinks of one operation in another's place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.operations import operation_bias, single_operation_pairs
from benchsuite.core import UnsupportedError
from benchsuite.report.criteria import rows_of
from benchsuite.report.tables import Cell, Column, Table, matrix
from benchsuite.report.words import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchsuite.report.judge import Judgement

MOST = 10  # exchanges that are shown, those of the most pairs; the files have all
_COLUMNS = ["estimator", "before", "after", "n", "truth_rises", "score_rises", "bias", "bias_low", "bias_high"]


def exchange_table(
    trials: Mapping[str, Sequence[pd.Series]], truth: pd.Series, operations: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """How often truth and score rise by exchange and estimator, averaged over trials, the most frequent exchange first.

    Columns: estimator, before, after, n (pairs of architectures that differ in this exchange alone), truth_rises,
    score_rises, bias, bias_low, bias_high (see `benchsuite.analysis.operations.operation_bias`). Empty where no two
    architectures differ in one operation alone, or their operations do not tell them apart.
    """
    known = {name: operations[name] for name in truth.index if name in operations}
    try:
        pairs = single_operation_pairs(known) if known else pd.DataFrame()
    except UnsupportedError:
        pairs = pd.DataFrame()
    if pairs.empty:
        return pd.DataFrame(columns=_COLUMNS)
    frames = [
        operation_bias(values, truth, pairs).assign(estimator=name) for name, each in trials.items() for values in each
    ]
    means = pd.concat(frames).drop(columns="group")
    means = means.astype({"before": str, "after": str}).groupby(["estimator", "before", "after"], sort=False).mean()
    return means.reset_index().sort_values("n", ascending=False, kind="stable", ignore_index=True)[_COLUMNS]


def shown_exchanges(exchanges: pd.DataFrame) -> pd.DataFrame:
    """The most frequent exchanges as a table that `bias_chart` draws: estimator, group, label, and percents."""
    label = exchanges["before"] + " to " + exchanges["after"]
    order = {name: place for place, name in enumerate(label.unique()[:MOST])}
    shown = exchanges.assign(label=label, group=label.map(order)).dropna(subset="group")
    percents = {"rank_difference": "bias", "low": "bias_low", "high": "bias_high"}
    return shown.assign(**{name: 100 * shown[column] for name, column in percents.items()})


def exchange_numbers(judgement: Judgement) -> Table:
    """How much more often scores rise than the truth does, in percent of the pairs; the truth below them."""
    shown = shown_exchanges(judgement.exchanges).rename(columns={"rank_difference": "value"})
    kinds = rows_of(shown.drop_duplicates("group"))
    columns = {row["group"]: Column(row["label"], f"{row['n']:,.0f} pairs") for row in kinds}
    caption = "Bias by operation: how much more often the score rises than the truth, in percent of the pairs"
    table = matrix(Table("exchanges", caption, (), ()), shown, "group", columns, judgement.order, 0)
    rises = (Cell(f"{number(100 * row['truth_rises'], 0)} %", 100 * row["truth_rises"]) for row in kinds)
    last = (Cell("truth rises", "truth rises", mark="truth"), *rises)
    return replace(table, summary=(last,))
