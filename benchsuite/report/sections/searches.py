"""How differentiable searches went: what each would have chosen after every epoch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchsuite.report.contract import Schema
from benchsuite.report.render import charts
from benchsuite.report.render.parts import Figure
from benchsuite.report.results import COURSE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

TITLE = "How did their searches go?"
TAB = "Own rule"
ORDER = 610
TABLES = {"courses": Schema(COURSE_COLUMNS)}
COURSES = {"skips": "Skip connections of the choice", "alignment": "Mean layer alignment"}
COURSE_NOTES = {
    "skips": "Of the architecture that the method would choose after each epoch; many are the performance collapse of "
    "DARTS.",
    "alignment": "Over the updates of the epoch; 1 = all cells want the same of the probabilities that they share, 0 = "
    "they want nothing in common. Nothing where no two cells share any.",
}
_LINES = "A line for each seed; whole numbers are drawn a little apart."


def tables(evidence: Evidence) -> Tables:
    """Return what methods with a rule of their own would have chosen after each epoch.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    return {"courses": evidence.results.courses}


def parts(tables: Tables) -> Iterator[Part]:
    """Show skip connections and layer alignment by epoch, of searches that have epochs.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    courses = tables["courses"]
    for column, label in COURSES.items():
        if courses["epoch"].max() > 1 and courses[column].notna().any():
            yield Figure(
                column,
                label,
                f"{label} by epoch, a line for each search; figures in tables/courses.csv.",
                partial(charts.by_epoch_chart, courses, column, label.lower()),
                f"{COURSE_NOTES[column]} {_LINES}",
            )
