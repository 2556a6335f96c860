"""Estimators beside each other: how far they agree, what one adds to another, which to combine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.complementarity import best_subsets
from benchsuite.report.criteria import COMBINATION, rows_of
from benchsuite.report.tables import ESTIMATOR, Cell, Column, Table
from benchsuite.report.words import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchsuite.report.judge import Judgement

FOLDS = 5
_FEWEST = 10  # architectures in a fold; tau of less is chance
_NOT_COMBINED = (COMBINATION, "curve")  # made of others; read of the trainings that it is judged against


def subsets_table(
    trials: Mapping[str, Sequence[pd.Series]], truth: pd.Series, families: Mapping[str, str]
) -> pd.DataFrame:
    """The best estimators to combine, as `best_subsets` says them; empty for few architectures."""
    single = {name: each for name, each in trials.items() if families[name] not in _NOT_COMBINED}
    if len(truth) < FOLDS * _FEWEST:
        return pd.DataFrame(columns=["size", "estimators", "held_out", "deviation", "all", "folds_agreeing"])
    return best_subsets(single, truth, folds=FOLDS)


def agreement_numbers(judgement: Judgement) -> Table:
    """Spearman's rho between the scores of every two estimators, alike ones side by side."""
    return _square("agreement", "Spearman's rho between the scores of every two estimators", judgement.agreement)


def added_numbers(judgement: Judgement) -> Table:
    """What the row's estimator knows beyond parameters and the column's, in the order of agreement."""
    order = judgement.agreement.index.tolist()
    caption = "What the row adds to parameters and the column: partial rank correlation with the truth"
    return _square("added", caption, judgement.added.loc[order, order])


def _square(name: str, caption: str, values: pd.DataFrame) -> Table:
    columns = (ESTIMATOR, *(Column(str(each)) for each in values))
    rows = zip(values.index, values.to_numpy().tolist(), strict=True)
    body = tuple((Cell(each, each), *(Cell(number(value, 2), value) for value in row)) for each, row in rows)
    return Table(name, caption, columns, body)


def subsets_numbers(judgement: Judgement) -> Table:
    """The best subset of each size with its tau on architectures that it was not chosen by."""
    columns = (
        Column("Combined", "The best subset on all architectures, by the mean of its ranks", numeric=False),
        Column("Estimators"),
        Column("τ-b held out", "Mean over folds; in each, the subset that is best on the other folds"),
        Column("± folds", "Sample deviation over folds"),
        Column("τ-b on all", "Of this subset on the architectures that it was chosen by: flatters"),
        Column("Folds agreeing", f"Of {FOLDS} folds, those that chose this subset"),
    )
    rows = tuple(
        (
            Cell(row["estimators"], row["estimators"]),
            Cell(f"{row['size']}", row["size"]),
            Cell(number(row["held_out"]), row["held_out"]),
            Cell(number(row["deviation"]), row["deviation"]),
            Cell(number(row["all"]), row["all"]),
            Cell(f"{row['folds_agreeing']}", row["folds_agreeing"]),
        )
        for row in rows_of(judgement.subsets)
    )
    return Table("subsets", f"Best combinations by mean rank, {FOLDS}-fold cross-validated", columns, rows)
