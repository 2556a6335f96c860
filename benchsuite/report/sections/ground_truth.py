"""How sure the ground truth is: agreement between trainings, and the ceiling that their noise sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.report.contract import Schema
from benchsuite.report.evidence import RELIABILITY
from benchsuite.report.render.parts import Text
from benchsuite.report.render.table import Cell, Column, Table, rows_of
from benchsuite.report.render.words import number
from benchsuite.report.sentences import truth as said
from benchsuite.report.sizes import size_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchsuite.report.contract import Sentence, Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

TITLE = "How reliable is the ground truth?"
TAB = "Truth"
ORDER = 800
READS = ("leaderboard",)
TABLES = {
    "reliability": Schema(RELIABILITY),
    "architectures": Schema(
        {
            "architecture": "An architecture that is judged",
            "accuracy": "Its accuracy in percent",
            "params": "Its parameters",
            "group": "Group of parameters, 1 = fewest",
        },
        written=False,
    ),
}
_TITLES = {"kendall_tau": "Kendall's tau-b", "spearman_rho": "Spearman", "precision_at_top@0.05": "P@top 5%"}


def tables(evidence: Evidence) -> Tables:
    """Return seed reliability and ceiling, and the architectures that are judged.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    params = evidence.sizes.get("params", pd.Series(0, evidence.truth.index))
    return {
        "reliability": evidence.reliability,
        "architectures": pd.DataFrame(
            {
                "architecture": evidence.truth.index,
                "accuracy": evidence.truth.to_numpy(),
                "params": params.to_numpy(),
                "group": size_groups(params)["group"].to_numpy(),
            }
        ),
    }


def parts(tables: Tables) -> Iterator[Part]:
    """Show the reliability, or why it is unknown.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    found = tables["reliability"]
    yield reliability_table(found) if len(found) else Text(said.NO_CEILING)


def sentences(tables: Tables) -> Iterable[Sentence]:
    """Say what the noise of the ground truth leaves to win.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    return said.sentences(tables["reliability"], tables["leaderboard"])


def reliability_table(reliability: pd.DataFrame) -> Table:
    """Return what the noise of the ground truth leaves to win.

    Parameters
    ----------
    reliability
        The table "reliability".
    """
    columns = (
        Column("Criterion", numeric=False),
        Column("Seed reliability", "One training against the mean of the others"),
        Column("Ceiling (simulated)", "A perfect estimator against this ground truth, mean of 200 simulated draws"),
        Column("n", "Architectures trained more than once, on which both values rest"),
    )
    rows = tuple(
        (
            Cell(_TITLES[row["criterion"]], row["criterion"]),
            Cell(number(row["seed_reliability"]), row["seed_reliability"]),
            Cell(number(row["ceiling"]), row["ceiling"]),
            Cell(f"{row['n']:,}", row["n"]),
        )
        for row in rows_of(reliability)
    )
    return Table("reliability", "Reliability of the ground truth, and the noise ceiling", columns, rows)
