"""How sure the ground truth is: agreement between trainings, and the ceiling that their noise sets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.correlation import kendall_tau, spearman_rho
from benchsuite.analysis.reliability import ceiling, seed_reliability
from benchsuite.analysis.top_k import precision_at_top
from benchsuite.report.contract import Schema
from benchsuite.report.render.parts import Text
from benchsuite.report.render.table import Cell, Column, Table, rows_of
from benchsuite.report.render.words import number
from benchsuite.report.sentences import truth as said
from benchsuite.report.sizes import size_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchsuite.report.contract import Sentence, Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

TITLE = "How sure is the truth?"
TAB = "Truth"
ORDER = 800
READS = ("leaderboard",)
TABLES = {
    "reliability": Schema(
        {
            "criterion": "Name of the criterion",
            "seed_reliability": "One training against the mean of the others",
            "ceiling": "A perfect estimator against this ground truth, mean of 200 simulated draws",
            "n": "Architectures trained more than once",
        }
    ),
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
_RELIABLE: dict[str, Callable[..., float]] = {
    "kendall_tau": kendall_tau,
    "spearman_rho": spearman_rho,
    "precision_at_top@0.05": partial(precision_at_top, fraction=0.05),
}
_TITLES = {"kendall_tau": "Kendall's tau-b", "spearman_rho": "Spearman", "precision_at_top@0.05": "P@top 5%"}


def tables(evidence: Evidence) -> Tables:
    """Return seed reliability and ceiling, and the architectures that are judged."""
    params = evidence.sizes["params"]
    return {
        "reliability": reliability(evidence.results.trials),
        "architectures": pd.DataFrame(
            {
                "architecture": evidence.truth.index,
                "accuracy": evidence.truth.to_numpy(),
                "params": params.to_numpy(),
                "group": size_groups(params)["group"].to_numpy(),
            }
        ),
    }


def reliability(trainings: pd.DataFrame) -> pd.DataFrame:
    """Compute seed reliability and ceiling of the ground truth by criterion.

    Parameters
    ----------
    trainings
        Accuracy in percent, architecture x training.

    Returns
    -------
    DataFrame
        The columns of the table "reliability"; empty where no architecture was trained twice.
    """
    rows = []
    if (trainings.notna().sum(axis=1) > 1).any():
        for name, criterion in _RELIABLE.items():
            limit = ceiling(trainings, criterion)
            rows.append((name, seed_reliability(trainings, criterion).value, limit.value, limit.n))
    return pd.DataFrame(rows, columns=list(TABLES["reliability"].columns))


def parts(tables: Tables) -> Iterator[Part]:
    """Show the reliability, or why it is unknown."""
    found = tables["reliability"]
    yield reliability_table(found) if len(found) else Text(said.NO_CEILING)


def sentences(tables: Tables) -> Iterable[Sentence]:
    """Say what the noise of the ground truth leaves to win."""
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
        Column("Ceiling (simulated)", "A perfect estimator against this truth, mean of 200 draws"),
        Column("n", "Architectures trained more than once, on which both figures rest"),
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
    return Table("reliability", "Reliability of the truth, and the ceiling it sets", columns, rows)
