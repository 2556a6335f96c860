"""Estimators beside each other: how far they agree, what one adds to another, which to combine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.align import side_by_side
from benchsuite.analysis.best_subsets import best_subsets
from benchsuite.report.criteria import COMBINATION
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, rows_of, with_interval
from benchsuite.report.render.words import number

if TYPE_CHECKING:
    from benchsuite.report.judge import Judgement

Trials = Mapping[str, Sequence[pd.Series]]

FOLDS = 5
_FEWEST = 10  # architectures in a fold; tau of less is chance
_NOT_COMBINED = (COMBINATION, "curve")  # made of others; read of the trainings that it is judged against


@dataclass(frozen=True, slots=True)
class Beside:
    """Estimators that have scored the same `n` architectures, and for those left out how many they have scored."""

    trials: Trials
    n: int
    left_out: Mapping[str, int]

    def words(self) -> str:
        """On what estimators are set beside each other, and which are not."""
        missing = ", ".join(f"{name} ({number} scored)" for name, number in self.left_out.items())
        shown = f"On the {self.n:,} architectures that all of these have scored"
        return f"{shown}; left out, for too few in common with the others: {missing}." if missing else f"{shown}."


def beside(trials: Trials, truth: pd.Series) -> Beside:
    """As many estimators as leave half of the architectures of the one that scored most in common."""
    table = side_by_side(trials, truth)
    by_number = sorted(table.scored, key=lambda name: -int(table.scored[name].sum()))
    common, chosen = np.ones(len(truth), dtype=bool), list[str]()
    for name in by_number:
        left = common & table.scored[name]
        if not chosen or 2 * left.sum() >= table.scored[by_number[0]].sum():
            common = left
            chosen.append(name)
    left_out = {name: int(table.scored[name].sum()) for name in trials if name not in chosen}
    return Beside({name: trials[name] for name in trials if name in chosen}, int(common.sum()), left_out)


def subsets_table(compared: Beside, truth: pd.Series, families: Mapping[str, str]) -> pd.DataFrame:
    """The best estimators to combine, as `best_subsets` says them; empty for few architectures."""
    single = {name: each for name, each in compared.trials.items() if families[name] not in _NOT_COMBINED}
    if not single or compared.n < FOLDS * _FEWEST:
        return pd.DataFrame(
            columns=["size", "estimators", "held_out", "low", "high", "deviation", "all", "folds_agreeing"]
        )
    return best_subsets(single, truth, folds=FOLDS)


def agreement_numbers(judgement: Judgement) -> Table:
    """Spearman's rho between the scores of every two estimators, alike ones side by side."""
    return _square(
        "agreement", "Spearman's rho between the scores of every two estimators", judgement.agreement, judgement
    )


def added_numbers(judgement: Judgement) -> Table:
    """What the row's estimator knows beyond parameters and the column's, in the order of agreement."""
    order = judgement.agreement.index.tolist()
    caption = "What the row adds to parameters and the column: partial rank correlation with the truth"
    return _square("added", caption, judgement.added.loc[order, order], judgement)


def _square(name: str, caption: str, values: pd.DataFrame, judgement: Judgement) -> Table:
    """A figure of every two estimators; the ends of its intervals are for files."""
    found = judgement.information.set_index(["estimator", "other"])
    ends = dict(zip(found.index, found[[f"{name}_low", f"{name}_high"]].to_numpy().tolist(), strict=True))
    columns = (ESTIMATOR, *(Column(str(each)) for each in values))
    body = []
    for row, figures in zip(values.index, values.to_numpy().tolist(), strict=True):
        cells = zip(values, figures, strict=True)
        body.append((Cell(row, row), *(Cell(number(each, 2), each, ends=tuple(ends[row, at])) for at, each in cells)))
    return Table(name, f"{caption}; intervals over architectures are in the files", columns, tuple(body))


def subsets_numbers(judgement: Judgement) -> Table:
    """The best subset of each size with its tau on architectures that it was not chosen by."""
    columns = (
        Column("Combined", "The best subset on all architectures, by the mean of its ranks", numeric=False),
        Column("Estimators"),
        Column(
            "τ-b held out",
            "Mean over folds, in each of the subset that is best on the others; small print: over architectures",
        ),
        Column("± folds", "Sample deviation over folds"),
        Column("τ-b on all", "Of this subset on the architectures that it was chosen by: flatters"),
        Column("Folds agreeing", f"Of {FOLDS} folds, those that chose this subset"),
    )
    rows = tuple(
        (
            Cell(row["estimators"], row["estimators"]),
            Cell(f"{row['size']}", row["size"]),
            with_interval(row["held_out"], row["low"], row["high"], 3),
            Cell(number(row["deviation"]), row["deviation"]),
            Cell(number(row["all"]), row["all"]),
            Cell(f"{row['folds_agreeing']}", row["folds_agreeing"]),
        )
        for row in rows_of(judgement.subsets)
    )
    return Table("subsets", f"Best combinations by mean rank, {FOLDS}-fold cross-validated", columns, rows)
