"""How the supernets were trained: how their trainings ended, what they cost, and when that pays."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from benchsuite.analysis.cost import break_even
from benchsuite.report.contract import Schema
from benchsuite.report.render import charts
from benchsuite.report.render.parts import Figure
from benchsuite.report.render.table import Cell, Column, Table, rows_of
from benchsuite.report.render.words import MISSING, number
from benchsuite.report.results import TRAINING_COLUMNS
from benchsuite.report.runs import COMBINATION

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator
    from typing import Any

    import pandas as pd

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

TITLE = "How were the supernets trained?"
TAB = "Variance"
ORDER = 420
READS = ("leaderboard", "estimators")
TABLES = {"trainings": Schema(TRAINING_COLUMNS, written=False)}
MEMORY = Column(
    "Memory, MiB",
    "Peak memory per epoch beyond the memory in use at its start (median over epochs)",
)


def tables(evidence: Evidence) -> Tables:
    """Return the learning curves of all trainings of supernets.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    curves = evidence.results.trainings
    return {"trainings": TABLES["trainings"].empty() if curves is None else curves}


def parts(tables: Tables) -> Iterator[Part]:
    """Show loss by epoch, and what each training left and cost.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    curves = tables["trainings"]
    if curves.empty:
        return
    if curves["epoch"].max() > 1:
        yield Figure(
            "training",
            "Training of the supernets",
            "Mean training loss by epoch, a line for each training; figures in the table of trainings.",
            partial(charts.by_epoch_chart, curves, "loss", "training loss"),
            "A line for each training.",
        )
    yield trainings_table(curves, tables["leaderboard"], tables["estimators"])


def trainings_table(curves: pd.DataFrame, leaderboard: pd.DataFrame, estimators: pd.DataFrame) -> Table:
    """Return what the last epoch of each supernet's training left, what the training cost, and when it pays.

    Parameters
    ----------
    curves
        The table "trainings".
    leaderboard
        The leaderboard.
    estimators
        What is recorded of each estimator.
    """
    board = {row["estimator"]: row for row in rows_of(leaderboard)}
    rival = next((board[row["estimator"]] for row in rows_of(estimators) if _needs_no_training(row)), None)
    columns = (
        Column("Supernet", "Common prefix of the estimators evaluated with this supernet", numeric=False),
        Column("Seed"),
        Column("Epochs"),
        Column("Loss", "Mean training loss of the sampled architectures in the last epoch"),
        Column("Accuracy, %", "Mean training accuracy of the sampled architectures in the last epoch"),
        Column("CPU s", "Total training time"),
        MEMORY,
        Column(
            f"Breaks even with {rival['estimator']}" if rival else "Breaks even",
            "Number of architectures from which training and evaluation cost less than the best zero-shot estimator, "
            "whatever the scores are worth",
        ),
    )
    other = rival["cpu_seconds"] if rival else math.nan
    rows = []
    for _, curve in curves.groupby("training", sort=False):
        last, cost = curve.iloc[-1].to_dict(), float(curve["cpu_seconds"].sum())
        reading = board[last["estimator"]]["cpu_seconds"] if last["estimator"] in board else math.nan
        last["peak_memory"] = curve["peak_memory"].median()
        rows.append(_row(last, cost, break_even(cost, reading, other)))
    caption = "Trained supernets; each is evaluated by all estimators that share its training"
    return Table("trainings", caption, columns, tuple(rows))


def _needs_no_training(row: dict[str, Any]) -> bool:
    """Return whether an estimator scores networks without a supernet, and its scores were timed."""
    return not (row["reference"] or row["trained"] or row["imported"] or row["family"] == COMBINATION)


def _row(last: dict[Hashable, Any], cost: float, architectures: float) -> tuple[Cell, ...]:
    return (
        Cell(last["supernet"], last["supernet"]),
        Cell(f"{last['seed']:g}", last["seed"]),
        Cell(f"{last['epoch']:,}", last["epoch"]),
        Cell(number(last["loss"], 3), last["loss"]),
        Cell(number(last["accuracy"], 1), last["accuracy"]),
        Cell(f"{cost:,.0f}", cost),
        Cell(number(last["peak_memory"], 0), last["peak_memory"]),
        Cell(_architectures(architectures), architectures),
    )


def _architectures(value: float) -> str:
    """Return a number of architectures in words.

    >>> _architectures(1234.5), _architectures(math.inf)
    ('1,235', 'never')
    """
    if math.isinf(value):
        return "never"
    return MISSING if math.isnan(value) else f"{math.ceil(value):,}"
