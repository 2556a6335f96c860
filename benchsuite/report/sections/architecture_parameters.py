"""How the architecture parameters of differentiable searches moved."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchsuite.report.contract import Schema
from benchsuite.report.render import charts
from benchsuite.report.render.parts import Figure, figure_name
from benchsuite.report.results import PROBABILITY_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

TITLE = "How did the architecture parameters move?"
TAB = "Own rule"
ORDER = 620
TABLES = {"probabilities": Schema(PROBABILITY_COLUMNS)}
NOTE = "Probability of each operation by epoch, edge by edge."


def tables(evidence: Evidence) -> Tables:
    """Return the probabilities that methods gave to operations, by edge and epoch.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    return {"probabilities": evidence.results.probabilities}


def parts(tables: Tables) -> Iterator[Part]:
    """Show the first search of each method.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    for name, found in tables["probabilities"].groupby("supernet", sort=False):
        first = found[found["training"] == found["training"].iloc[0]]
        title = f"{name}, seed {first['seed'].iloc[0]}"
        yield Figure(
            figure_name("probabilities", title),
            title,
            f"Probability of each operation of each edge by epoch, {title}; figures in tables/probabilities.csv.",
            partial(charts.probability_chart, first),
            NOTE,
        )
