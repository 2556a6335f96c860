"""Bias at the level of operations: what an estimator thinks of one operation in another's place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.analysis.operations import operation_bias, single_operation_pairs
from benchsuite.analysis.variance import mean_of_trials
from benchsuite.core.errors import UnsupportedError
from benchsuite.report.bias import ALL, size_groups
from benchsuite.report.render.table import Cell, Column, Table, matrix, rows_of
from benchsuite.report.render.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchsuite.report.judge import Judgement

MOST = 10  # exchanges that are shown, those of the most pairs; the files have all
_WHICH = ["estimator", "group", "label", "before", "after"]
_COLUMNS = [*_WHICH, "n", "truth_rises", "score_rises", "bias", "bias_low", "bias_high"]


def exchange_table(
    trials: Mapping[str, Sequence[pd.Series]],
    truth: pd.Series,
    operations: Mapping[str, Sequence[str]],
    params: pd.Series,
) -> pd.DataFrame:
    """How often truth and score rise by exchange, size group and estimator, averaged over trials.

    Columns: estimator, group (0 = all sizes, 1 = fewest parameters), label (the parameters of the group), before,
    after, n (pairs of architectures of the group that differ in this exchange alone), truth_rises, score_rises, bias,
    bias_low, bias_high (see `benchsuite.analysis.operations.operation_bias`); all sizes first, and in each group the
    most frequent exchange. Empty where no two architectures differ in one operation alone, or their operations do not
    tell them apart.
    """
    known = {name: operations[name] for name in truth.index if name in operations}
    try:
        pairs = single_operation_pairs(known) if known else pd.DataFrame()
    except UnsupportedError:
        pairs = pd.DataFrame()
    if pairs.empty:
        return pd.DataFrame(columns=_COLUMNS)
    groups = size_groups(params)
    frames = [
        operation_bias(values, truth, pairs, groups=groups["group"]).assign(estimator=name)
        for name, each in trials.items()
        for values in each
    ]
    rows = pd.concat(frames)
    labels = {ALL: "all", **dict(zip(groups["group"], groups["label"], strict=True))}
    rows = rows.astype({"before": str, "after": str}).assign(label=rows["group"].map(labels))
    means = mean_of_trials(rows, _WHICH, {"bias": ("bias_low", "bias_high")}).reset_index()
    return means.sort_values(["group", "n"], ascending=[True, False], kind="stable", ignore_index=True)[_COLUMNS]


def shown_exchanges(exchanges: pd.DataFrame, group: int = ALL) -> pd.DataFrame:
    """The most frequent exchanges in a size group as a table that `bias_chart` draws.

    It has the columns estimator, group (the place of the exchange), label, and the bias in percent; `parameters` are
    those of the size group.
    """
    rows = exchanges[exchanges["group"] == group].rename(columns={"label": "parameters"})
    label = rows["before"] + " to " + rows["after"]
    order = {name: place for place, name in enumerate(label.unique()[:MOST])}
    shown = rows.assign(label=label, group=label.map(order)).dropna(subset="group")
    percents = {"rank_difference": "bias", "low": "bias_low", "high": "bias_high"}
    return shown.assign(**{name: 100 * shown[column] for name, column in percents.items()})


def exchange_numbers(judgement: Judgement) -> Iterator[Table]:
    """How much more often scores rise than the truth does: over all pairs, and inside the group of the largest.

    In percent of the pairs; below stand the truth's own share and the number of pairs.
    """
    groups = judgement.exchanges["group"]
    for group in dict.fromkeys([ALL, groups.max()]):
        shown = shown_exchanges(judgement.exchanges, group).rename(columns={"rank_difference": "value"})
        kinds = rows_of(shown.drop_duplicates("group"))
        where = f" of architectures with {kinds[0]['parameters']} parameters, the largest that have such pairs"
        caption = (
            f"Bias by operation: how much more often the score rises than the truth, in percent of the pairs"
            f"{where if group else ''}"
        )
        columns = {row["group"]: Column(row["label"]) for row in kinds}
        name = "exchanges_largest" if group else "exchanges"
        table = matrix(Table(name, caption, (), ()), shown, "group", columns, judgement.order, 0)
        yield replace(table, summary=tuple(_summary(kinds)))


def _summary(kinds: list[dict[str, Any]]) -> Iterator[tuple[Cell, ...]]:
    """What holds for every estimator: how often the truth rises, and in how many pairs."""
    rises = (Cell(f"{number(100 * row['truth_rises'], 0)} %", 100 * row["truth_rises"]) for row in kinds)
    yield (Cell("truth rises", "truth rises", mark="truth"), *rises)
    yield (Cell("pairs", "pairs", mark="count"), *(Cell(f"{row['n']:,.0f}", row["n"]) for row in kinds))
