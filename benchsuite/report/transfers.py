"""Scores of one data set judged by the truth of another of the same search space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.analysis.transfer import transfer
from benchsuite.report.criteria import TAU
from benchsuite.report.render.table import Column, Table, matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from benchsuite.report.judge import Judgement
    from benchsuite.report.results import BenchmarkResults

TRANSFER_NOTE = (
    "The scores of this page, made on its own data set, judged by the truth of the others. The last row says how far "
    "the truth of this data set orders the others: what a perfect estimator of it would reach there."
)
_MEANING = "Scores made on the first, judged by the truth of the second"


def transfer_from(
    results: BenchmarkResults, trials: Mapping[str, Sequence[pd.Series]], truth: pd.Series
) -> pd.DataFrame:
    """tau-b of the scores with the truth of their own and of every other data set that judges them too.

    Columns as `benchsuite.analysis.transfer.transfer` has them; empty where no other data set does.
    """
    if not results.elsewhere:
        return transfer({}, {})
    _, dataset = results.benchmark.split("/", 1)
    known = transfer({dataset: trials}, {dataset: truth, **results.elsewhere})
    return known[known["scored_on"] == dataset]


def transfer_numbers(judgement: Judgement) -> Table:
    """How far the scores order the accuracies on other data sets, the best estimator on their own first."""
    space, _ = judgement.results.benchmark.split("/", 1)
    return transfer_table(space, judgement.transfer, judgement.order)


def transfer_table(space: str, found: pd.DataFrame, order: Sequence[str] = ()) -> Table:
    """Estimators in rows, in the given order, then as found; pairs of data sets in columns."""
    label = found["scored_on"] + " on " + found["judged_on"]
    rows = found.assign(value=found[TAU.key], label=label)
    numbers = found["n"].groupby(label, sort=False).agg(["min", "max"])
    columns = {
        name: Column(f"{name} (n {_range(*ends)})", _MEANING) for name, ends in numbers.T.to_dict("list").items()
    }
    caption = (
        f"Transfer between data sets of {space}: tau-b of scores made on one with the truth of another, on the n "
        "architectures that both know"
    )
    names = list(dict.fromkeys([*order, *found["estimator"]]))
    return matrix(Table(f"transfer_{space}", caption, (), ()), rows, "label", columns, names, 3)


def _range(least: int, most: int) -> str:
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
