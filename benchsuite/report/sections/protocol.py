"""What was scored how, and what is not here."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.report.contract import Schema
from benchsuite.report.render.parts import Folded, Lines, Terms
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, rows_of
from benchsuite.report.render.words import slug
from benchsuite.report.results import SCORE_COLUMNS
from benchsuite.report.sentences import gaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchsuite.report.contract import Sentence, Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

TITLE = "What was scored how, and what is not here?"
TAB = "Protocol"
ORDER = 900
READS = ("leaderboard", "estimators")
TABLES = {
    "scores": Schema(SCORE_COLUMNS),
    "benchmark": Schema(
        {
            "benchmark": "Name of the benchmark",
            "space": "Its search space",
            "dataset": "Its data set",
            "population": "Which architectures are judged",
            "caption": "Scale and data in words",
            "without_truth": "Architectures of the sample that have no ground truth and are not judged",
        },
        written=False,
    ),
    "protocol": Schema(
        {
            "name": "What is said",
            "estimator": "Of which estimator; empty for what holds for all",
            "words": "It",
        },
        written=False,
    ),
    "skipped": Schema({"estimator": "An estimator that is not judged", "reason": "Why"}, written=False),
    "asked": Schema({"estimator": "An estimator that was asked for", "runs": "Number of runs"}, written=False),
    "problems": Schema(
        {
            "estimator": "Name of the estimator",
            "status": "undefined or failed",
            "reason": "Why",
            "scores": "Number of scores",
        },
        written=False,
    ),
}


def tables(evidence: Evidence) -> Tables:
    """Return the scores, and what is known of how they came about.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    results = evidence.results
    space, dataset = results.benchmark.split("/", 1)
    without = len(results.truth) - len(evidence.truth)
    return {
        "scores": evidence.scores[list(SCORE_COLUMNS)],
        "benchmark": pd.DataFrame(
            [(results.benchmark, space, dataset, results.population, results.caption, without)],
            columns=list(TABLES["benchmark"].columns),
        ),
        "protocol": _protocol(evidence),
        "skipped": pd.DataFrame(results.skipped.items(), columns=["estimator", "reason"]),
        "asked": pd.DataFrame(results.asked.items(), columns=["estimator", "runs"]),
        "problems": _problems(evidence.scores),
    }


def _protocol(evidence: Evidence) -> pd.DataFrame:
    """Return the protocol, in which "Supernet of NAME" and the like say something of one estimator."""
    rows = []
    for name, words in evidence.results.protocol.items():
        kind, _, estimator = name.partition(" of ")
        rows.append((kind, estimator, words) if estimator in evidence.traits else (name, "", words))
    return pd.DataFrame(rows, columns=list(TABLES["protocol"].columns))


def _problems(scores: pd.DataFrame) -> pd.DataFrame:
    bad = scores[scores["status"].isin(["undefined", "failed"])]
    groups = bad.groupby(["estimator", "status", "reason"], sort=False).size()
    return groups.reset_index(name="scores")


def parts(tables: Tables) -> Iterator[Part]:
    """Show the protocol, that of single estimators, and what is not here.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    rows = rows_of(tables["protocol"])
    yield Terms({row["name"]: row["words"] for row in rows if not row["estimator"]})
    own = defaultdict[str, list[tuple[Cell, Cell]]](list)
    for row in rows:
        if row["estimator"]:
            cells = (Cell(row["estimator"], row["estimator"]), Cell(row["words"], row["words"]))
            own[row["name"]].append(cells)
    columns = (ESTIMATOR, Column("Protocol", numeric=False))
    for kind, body in own.items():
        yield Folded(Table(slug(f"protocol {kind}"), f"{kind} of each estimator", columns, tuple(body)))
    lists = {
        "Undefined, failed and missing scores": problems(tables),
        "Not judged on this benchmark": [f"{row['estimator']}: {row['reason']}" for row in rows_of(tables["skipped"])],
    }
    for title, lines in lists.items():
        if lines:
            yield Lines(title, tuple(lines))


def problems(tables: Tables) -> list[str]:
    """Return undefined and failed scores by estimator and reason, and how many scores are missing, as lines.

    Parameters
    ----------
    tables
        The section's tables, the leaderboard and what is recorded of estimators.
    """
    found = [
        f"{row['estimator']}: {row['scores']:,} {row['status']} ({row['reason'] or 'not a finite number'})"
        for row in rows_of(tables["problems"])
    ]
    without = tables["benchmark"]["without_truth"].item()
    if without:
        found.append(f"{without:,} architectures of the sample have no ground truth and are not judged")
    missing = tables["leaderboard"].set_index("estimator")["n_missing"]
    why = "not in the file" if tables["estimators"]["imported"].any() else "missing (not scored yet)"
    return [*found, *(f"{name}: {count:,} {why}" for name, count in missing.items() if count)]


def sentences(tables: Tables) -> Iterable[Sentence]:
    """Say what is not there: undefined, failed and missing scores.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    return gaps.sentences(tables["leaderboard"], tables["estimators"], tables["asked"]["estimator"].tolist())
