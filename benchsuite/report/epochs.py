"""How the figures of an estimator change with the epoch of the training that it reads."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.evaluate import evaluate
from benchsuite.analysis.variance import over_seeds, ranking_stability
from benchsuite.report.criteria import HEADLINE, TAU, at
from benchsuite.report.render.table import Column, Table, matrix, rows_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from benchsuite.report.judge import Judgement

_SHOWN = (TAU, *(item for item in HEADLINE if item.criterion == "precision_at_top"))
_ENDS = {"": "value", "_low": "low", "_high": "high"}
_RELATIVE = ["without_epoch", "epoch", "next_epoch"]
_SMALL = "small print: intervals over architectures"
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
    """Criteria by epoch of estimators that differ in their epoch alone; empty where there are none.

    Columns: estimator (the label of each), without_epoch (what they share), epoch, and for tau-b and P@top 5 % the
    value, and with _low and _high the ends of its interval, named as in the leaderboard.
    """
    columns = ["estimator", *(f"{item.key}{end}" for item in _SHOWN for end in _ENDS)]
    parts = pd.DataFrame(map(without_epoch, leaderboard["estimator"]), columns=["without_epoch", "epoch"])
    table = pd.concat([leaderboard[columns].reset_index(drop=True), parts], axis=1)
    several = table.groupby("without_epoch")["epoch"].transform("nunique") > 1
    return table[several & table["epoch"].notna()].sort_values(["without_epoch", "epoch"], ignore_index=True)


def relative_table(trials: Mapping[str, Sequence[pd.Series]], epochs: pd.DataFrame) -> pd.DataFrame:
    """Every criterion of the scores at an epoch with those at the next one as the truth, averaged over trials.

    Columns: without_epoch, epoch, next_epoch, then those of `benchsuite.analysis.variance.over_seeds`. Architectures
    whose later score is undefined are left out.
    """
    frames = []
    for name, rows in epochs.groupby("without_epoch", sort=False):
        for earlier, later in itertools.pairwise(rows_of(rows)):
            found = [evaluate(*pair) for pair in _pairs(trials[earlier["estimator"]], trials[later["estimator"]])]
            if found:
                ends = {"without_epoch": name, "epoch": earlier["epoch"], "next_epoch": later["epoch"]}
                frames.append(over_seeds(found).assign(**ends))
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=_RELATIVE)
    return table[[*_RELATIVE, *table.columns.drop(_RELATIVE)]]


def _pairs(earlier: Sequence[pd.Series], later: Sequence[pd.Series]) -> Iterator[tuple[pd.Series, pd.Series]]:
    """Scores at two epochs of the same trial, those at the later one finite."""
    known = {_trial(values.name): values for values in earlier}
    for values in later:
        truth = values[np.isfinite(values)]
        scores = known.get(_trial(values.name), truth.iloc[:0])
        if scores.index.isin(truth.index).any():
            yield scores, truth


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


def epoch_numbers(judgement: Judgement) -> Iterator[Table]:
    """Criteria by epoch of estimators that differ in their epoch alone, a table each."""
    epochs = judgement.epochs.drop(columns="estimator").rename(columns={"without_epoch": "estimator"})
    columns = {epoch: Column(f"epoch {epoch:g}") for epoch in sorted(epochs["epoch"].unique())}
    names = list(dict.fromkeys(epochs["estimator"]))
    for item in _SHOWN:
        rows = epochs.rename(columns={f"{item.key}{end}": name for end, name in _ENDS.items()})
        table = Table(f"epochs_{item.criterion}", f"{item.title} by epoch; {_SMALL}", (), ())
        yield matrix(table, rows, "epoch", columns, names, item.digits)


def relative_numbers(judgement: Judgement) -> Iterator[Table]:
    """How far the ranking of an epoch is that of the next one, a table for each criterion."""
    if judgement.relative.empty:  # in a run that was stopped no trial may have two epochs
        return
    found = judgement.relative.rename(columns={"without_epoch": "estimator"})
    found["steps"] = [f"{row['epoch']:g} to {row['next_epoch']:g}" for row in rows_of(found)]
    columns = {step: Column(f"epoch {step}") for step in found.sort_values(["epoch", "next_epoch"])["steps"].unique()}
    names = list(dict.fromkeys(found["estimator"]))
    for item in _SHOWN:
        rows = at(found, item)
        caption = f"Relative {item.title}: scores of an epoch judged by those of the next one; {_SMALL}"
        yield matrix(Table(f"relative_{item.criterion}", caption, (), ()), rows, "steps", columns, names, item.digits)
