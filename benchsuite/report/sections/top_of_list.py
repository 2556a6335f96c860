"""How good the top of an estimator's list is: criteria by K, and tau among the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.groups import tau_within_ends
from benchsuite.analysis.variance import mean_over_runs
from benchsuite.report.contract import Schema
from benchsuite.report.render.parts import Folded
from benchsuite.report.render.table import Column, Table, matrix
from benchsuite.report.render.words import percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part
    from benchsuite.report.runs import Runs

TITLE = "How good is the top of its list?"
TAB = "Search value"
ORDER = 510
READS = ("leaderboard", "criteria")
TABLES = {
    "within_ends": Schema(
        {
            "estimator": "Name of the estimator",
            "by": "Whether the best and worst are those by score or by truth",
            "end": "top or bottom",
            "k": "Fraction K of the architectures",
            "n": "Architectures among these",
            "value": "Tau-b among them, mean over runs",
            "low": "Lower end of its 95% CI",
            "high": "Upper end of it",
        }
    )
}
# criterion of K -> its name, what it means, digits
_BY_K = {
    "precision_at_top": ("P@top K", "share of the best K that is among the best-scored K", 3),
    "precision_at_bottom": ("P@bottom K", "share of the worst K that is among the worst-scored K", 3),
    "best_rank_at": ("BR@K", "best true rank among the best-scored K, as a share of all; low is good", 4),
    "worst_rank_at": ("WR@K", "worst true rank among the best-scored K, as a share of all; low is good", 3),
    "regret_at": ("Regret@K", "accuracy points between the best and the best of the best-scored K; low is good", 3),
}


def tables(evidence: Evidence) -> Tables:
    """Return tau among the best and the worst by score and by ground truth.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    return {"within_ends": within_ends(evidence.runs, evidence.truth)}


def within_ends(runs: Runs, truth: pd.Series) -> pd.DataFrame:
    """Compute tau among the best and the worst by score and by ground truth, averaged over runs.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.
    truth
        Accuracies by architecture.

    Returns
    -------
    DataFrame
        The columns of the table "within_ends".
    """
    frames = [tau_within_ends(values, truth).assign(estimator=name) for name, each in runs.items() for values in each]
    ends = {"kendall_tau": ("tau_low", "tau_high")}
    means = mean_over_runs(pd.concat(frames), ["estimator", "by", "end", "k"], ends).reset_index()
    return means.rename(columns={"kendall_tau": "value", "tau_low": "low", "tau_high": "high"})


def parts(tables: Tables) -> Iterator[Part]:
    """Show a table for every criterion of the top or bottom K, and for tau among the best.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    order = tables["leaderboard"]["estimator"].tolist()
    for place, table in enumerate(by_k_tables(tables["criteria"], order)):
        yield Folded(table, opened=not place)
    for table in within_ends_tables(tables["within_ends"], order):
        yield Folded(table)


def by_k_tables(criteria: pd.DataFrame, order: Sequence[str]) -> Iterator[Table]:
    """Yield a table for every criterion of the top or bottom K: estimators in rows, K in columns.

    Parameters
    ----------
    criteria
        The table "criteria".
    order
        The estimators, the best first.
    """
    known = criteria[criteria["value"].notna()]
    for name, (title, meaning, digits) in _BY_K.items():
        rows = known[known["criterion"] == name]
        columns = {k: Column(percent(k)) for k in sorted(rows["k"].unique())}
        yield matrix(Table(name, f"{title}: {meaning}", (), ()), rows, "k", columns, order, digits)


def within_ends_tables(within: pd.DataFrame, order: Sequence[str]) -> Iterator[Table]:
    """Yield tau among the best by score, and among the best by ground truth: estimators in rows, K in columns.

    Parameters
    ----------
    within
        The table "within_ends".
    order
        The estimators, the best first.
    """
    known = within[within["value"].notna()]
    for by, words in {"scores": "its own best-scored K", "truth": "the truly best K"}.items():
        rows = known[(known["by"] == by) & (known["end"] == "top")]
        columns = {k: Column(percent(k)) for k in sorted(rows["k"].unique())}
        empty = Table(f"within_{by}", f"Tau-b within {words}: does it still rank there?", (), ())
        yield matrix(empty, rows, "k", columns, order, 3)
