"""Trained supernets: how their trainings ended, what they cost, and when that pays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from benchsuite.analysis.cost import break_even
from benchsuite.report.render.table import Cell, Column, Table, rows_of
from benchsuite.report.render.words import MISSING, number

if TYPE_CHECKING:
    from collections.abc import Hashable

    from benchsuite.report.judge import Judgement

MEMORY = Column(
    "Memory, MiB",
    "What an epoch takes at most above what was held when it began: activations and gradients; median over epochs, of "
    "which a process's first also loads code; older stores lack it",
)


def training_numbers(judgement: Judgement) -> Table:
    """What the last epoch of each supernet's training left, what the training cost, and when it pays."""
    board = {row["estimator"]: row for row in rows_of(judgement.leaderboard)}
    rival = next((row for row in board.values() if row["family"] == "zero-shot"), None)
    columns = (
        Column("Supernet", "What the names of the estimators that read it have in common", numeric=False),
        Column("Seed"),
        Column("Epochs"),
        Column("Loss", "Mean training loss of the sampled architectures in the last epoch"),
        Column("Accuracy, %", "Mean training accuracy of the sampled architectures in the last epoch"),
        Column("CPU s", "Of the whole training"),
        MEMORY,
        Column(
            f"Breaks even with {rival['estimator']}" if rival else "Breaks even",
            "Architectures from which training and reading cost less than the best zero-shot estimator, whatever the "
            "scores are worth",
        ),
    )
    trainings = judgement.results.trainings
    curves = [] if trainings is None else [curve for _, curve in trainings.groupby("training", sort=False)]
    other = rival["cpu_seconds"] if rival else math.nan
    rows = []
    for curve in curves:
        last, cost = curve.iloc[-1].to_dict(), float(curve["cpu_seconds"].sum())
        reading = board[last["estimator"]]["cpu_seconds"] if last["estimator"] in board else math.nan
        last["peak_memory"] = curve["peak_memory"].median()
        rows.append(_row(last, cost, break_even(cost, reading, other)))
    caption = "Trained supernets; each is read by all estimators that share its training"
    return Table("trainings", caption, columns, tuple(rows))


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
    """A number of architectures in words.

    >>> _architectures(1234.5), _architectures(math.inf)
    ('1,235', 'never')
    """
    if math.isinf(value):
        return "never"
    return MISSING if math.isnan(value) else f"{math.ceil(value):,}"
