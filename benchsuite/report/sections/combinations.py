"""Which estimators to combine: the best subsets, chosen and judged on different architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.analysis.best_subsets import best_subsets
from benchsuite.report.contract import Schema
from benchsuite.report.render.parts import Text
from benchsuite.report.render.table import Cell, Column, Table, rows_of, with_interval
from benchsuite.report.render.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

TITLE = "Which ones to combine?"
TAB = "Together"
ORDER = 710
TABLES = {
    "subsets": Schema(
        {
            "size": "Number of estimators",
            "estimators": "Their names",
            "held_out": "Tau-b of the mean rank of the subset chosen on the other folds, mean over folds",
            "low": "Lower end of its 95% CI over architectures",
            "high": "Upper end of it",
            "standard_deviation": "Standard deviation over folds",
            "all": "Tau-b of this subset on the architectures that it was chosen by",
            "folds_agreeing": "Folds that chose this subset",
        }
    )
}
FOLDS = 5
_FEWEST = 10  # architectures in a fold; tau of less is chance
_NOTE = (
    "Chosen among all estimators except combinations and those that read the ground truth's trainings, by their first "
    "runs. Held out: the subset is selected on the other folds, so selection does not bias the estimate."
)


def tables(evidence: Evidence) -> Tables:
    """Return the best subsets of estimators; none for few architectures.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    compared, combined = evidence.compared, {each.title for each in evidence.results.combinations}
    single = {
        name: each
        for name, each in compared.runs.items()
        if name not in combined and not evidence.traits[name].reads_truth
    }
    if not single or compared.n < FOLDS * _FEWEST:
        return {"subsets": TABLES["subsets"].empty()}
    return {"subsets": best_subsets(single, evidence.truth, folds=FOLDS)}


def parts(tables: Tables) -> Iterator[Part]:
    """Show the best subset of each size.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    if len(tables["subsets"]):
        yield subsets_table(tables["subsets"])
        yield Text(_NOTE)


def subsets_table(subsets: pd.DataFrame) -> Table:
    """Return the best subset of each size with its tau on architectures that it was not chosen by.

    Parameters
    ----------
    subsets
        The table "subsets".
    """
    columns = (
        Column("Combined", "The best subset on all architectures, by the mean of its ranks", numeric=False),
        Column("Estimators"),
        Column(
            "τ-b held out",
            "Mean over folds of the subset that is best on the other folds; below: 95% CI over architectures",
        ),
        Column("± folds", "Standard deviation over folds"),
        Column("τ-b on all", "On the architectures used to select the subset (optimistic)"),
        Column("Folds agreeing", f"Of {FOLDS} folds, those that chose this subset"),
    )
    rows = tuple(
        (
            Cell(row["estimators"], row["estimators"]),
            Cell(f"{row['size']}", row["size"]),
            with_interval(row["held_out"], row["low"], row["high"], 3),
            Cell(number(row["standard_deviation"]), row["standard_deviation"]),
            Cell(number(row["all"]), row["all"]),
            Cell(f"{row['folds_agreeing']}", row["folds_agreeing"]),
        )
        for row in rows_of(subsets)
    )
    return Table("subsets", f"Best combinations by mean rank, {FOLDS}-fold cross-validated", columns, rows)
