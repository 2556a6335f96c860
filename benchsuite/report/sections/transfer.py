"""Whether scores hold on other data sets: judged by the ground truth of another of the same search space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.analysis.transfer import transfer
from benchsuite.report.contract import Schema
from benchsuite.report.render.parts import Text
from benchsuite.report.transfers import transfer_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

TITLE = "Do the scores hold on other data sets?"
TAB = "Truth"
ORDER = 820
READS = ("leaderboard", "benchmark")
TABLES = {
    "transfer": Schema(
        {
            "estimator": "Name of the estimator, or of the ground truth of this data set",
            "scored_on": "Data set of the scores",
            "judged_on": "Data set of the ground truth",
            "n": "Architectures that both know",
            "kendall_tau": "Tau-b, mean over runs",
            "low": "Lower end of its 95% CI over architectures",
            "high": "Upper end of it",
        }
    )
}
_NOTE = (
    "The scores of this benchmark, evaluated against the ground truth of other data sets. The last row is the rank "
    "correlation between the ground truths: what a perfect estimator of this data set would reach there."
)


def tables(evidence: Evidence) -> Tables:
    """Return tau-b of the scores with the ground truth of every data set that judges them; none where only one does.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    if not evidence.results.elsewhere:
        return {"transfer": transfer({}, {})}
    _, dataset = evidence.results.benchmark.split("/", 1)
    known = transfer({dataset: evidence.runs}, {dataset: evidence.truth, **evidence.results.elsewhere})
    return {"transfer": known[known["scored_on"] == dataset]}


def parts(tables: Tables) -> Iterator[Part]:
    """Show how far the scores order the accuracies on other data sets, the best estimator on their own first.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    if len(tables["transfer"]):
        space = tables["benchmark"]["space"].item()
        yield transfer_table(space, tables["transfer"], tables["leaderboard"]["estimator"].tolist())
        yield Text(_NOTE)
