"""Where the ground truth comes from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.report.contract import Schema
from benchsuite.report.render.parts import Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

TITLE = "Where does it come from?"
TAB = "Truth"
ORDER = 810
TABLES = {"card": Schema({"name": "What is said", "words": "It; what is nested in it as JSON"}, written=False)}


def tables(evidence: Evidence) -> Tables:
    """Return the data card of the ground truth.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    card = {
        name: str(value) if isinstance(value, str | int) else json.dumps(value)
        for name, value in evidence.results.card.items()
    }
    return {"card": pd.DataFrame(card.items(), columns=list(TABLES["card"].columns))}


def parts(tables: Tables) -> Iterator[Part]:
    """Show the card.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    if len(tables["card"]):
        yield Terms(dict(tables["card"].itertuples(index=False, name=None)))
