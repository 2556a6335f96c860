"""How the figures of an estimator change with the epoch of the training that it reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.variance import ranking_stability
from benchsuite.report.tables import Column, Table, matrix

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from benchsuite.report.judge import Judgement

_EPOCH = re.compile(r"\bepoch=(\d+)(, )?")


def without_epoch(estimator: str) -> tuple[str, int | None]:
    """An estimator's label without its epoch, and the epoch; None where the label names none.

    >>> without_epoch("uniform(epoch=40, readout=loss)"), without_epoch("uniform(epoch=40)"), without_epoch("snip")
    (('uniform(readout=loss)', 40), ('uniform', 40), ('snip', None))
    """
    found = _EPOCH.search(estimator)
    if not found:
        return estimator, None
    return _EPOCH.sub("", estimator).replace(", )", ")").replace("()", ""), int(found[1])


def epoch_table(leaderboard: pd.DataFrame) -> pd.DataFrame:
    """Tau by epoch of estimators that differ in their epoch alone; empty where there are none.

    Columns: estimator (the label of each), without_epoch (what they share), epoch, kendall_tau, kendall_tau_low,
    kendall_tau_high.
    """
    columns = ["estimator", "kendall_tau", "kendall_tau_low", "kendall_tau_high"]
    parts = pd.DataFrame(map(without_epoch, leaderboard["estimator"]), columns=["without_epoch", "epoch"])
    table = pd.concat([leaderboard[columns].reset_index(drop=True), parts], axis=1)
    several = table.groupby("without_epoch")["epoch"].transform("nunique") > 1
    return table[several & table["epoch"].notna()].sort_values(["without_epoch", "epoch"], ignore_index=True)


def stability_by_trial(trials: Mapping[str, Sequence[pd.Series]]) -> dict[str, pd.DataFrame]:
    """Tau between the scores of every two trials, by estimator with at least three; of two there is one tau."""
    several = {name: each for name, each in trials.items() if len(each) > 2}
    return {name: _matrix(each, [_trial(values.name) for values in each]) for name, each in several.items()}


def stability_by_epoch(trials: Mapping[str, Sequence[pd.Series]], epochs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Tau between the scores (of the first trial) at every two epochs, by what `epoch_table` calls without_epoch."""
    matrices = {}
    for name, rows in epochs.groupby("without_epoch", sort=False):
        columns = [trials[each][0] for each in rows["estimator"]]
        matrices[str(name)] = _matrix(columns, [f"{epoch:g}" for epoch in rows["epoch"]])
    return matrices


def _matrix(columns: Sequence[pd.Series], labels: list[str]) -> pd.DataFrame:
    """Tau between columns on the architectures that all of them have scored."""
    taus = ranking_stability(pd.concat(columns, axis=1, join="inner", keys=range(len(columns))))
    return taus.set_axis(labels).set_axis(labels, axis=1)


def _trial(seeds: Hashable) -> str:
    """Seed of the initialisation and of the minibatch, as far as there are any.

    >>> _trial((0, 1)), _trial((2, pd.NA))
    ('0, 1', '2')
    """
    levels = seeds if isinstance(seeds, tuple) else (seeds,)
    return ", ".join(f"{seed}" for seed in levels if not pd.isna(seed))


def epoch_numbers(judgement: Judgement) -> Table:
    """Tau by epoch of estimators that differ in their epoch alone."""
    epochs = judgement.epochs.drop(columns="estimator").rename(
        columns={
            "without_epoch": "estimator",
            "kendall_tau": "value",
            "kendall_tau_low": "low",
            "kendall_tau_high": "high",
        }
    )
    columns = {epoch: Column(f"epoch {epoch:g}") for epoch in sorted(epochs["epoch"].unique())}
    names = list(dict.fromkeys(epochs["estimator"]))
    caption = "Tau-b by epoch; small print: intervals over architectures"
    return matrix(Table("epochs", caption, (), ()), epochs, "epoch", columns, names, 3)
