"""Which differences between estimators are significant: paired tests on the same architectures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.significance import architectures_needed, not_significant
from benchsuite.report.contract import Schema
from benchsuite.report.render.parts import Folded, Text
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, rows_of, with_interval
from benchsuite.report.render.words import MISSING, listed, number, roughly
from benchsuite.report.runs import SIZE_BASELINES, ranks
from benchsuite.report.sentences import differences
from benchsuite.report.sentences.differences import ROUNDING, against

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchsuite.report.contract import Sentence, Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part
    from benchsuite.report.runs import Runs

TITLE = "Which differences are significant?"
TAB = "Leaderboard"
ORDER = 110
READS = ("leaderboard",)
TABLES = {
    "comparisons": Schema(
        {
            "first": "An estimator",
            "second": "Another one",
            "n": "Architectures that both have scored",
            "difference": "Tau-b of the first less that of the second, on these",
            "standard_error": "Its standard error",
            "low": "Lower end of its 95% CI",
            "high": "Upper end of it",
            "p": "Two-sided p value",
            "p_holm": "The same, adjusted for all pairs (Holm)",
            "significant": "Whether the difference is significant",
            "architectures_needed": "Architectures that would show this difference with power 0.8 by one test",
        }
    ),
    "same_ranking": Schema({"first": "An estimator", "second": "One of exactly the same ranking"}, written=False),
}
NOTE = (
    "Differences are paired: both estimators are evaluated on the same architectures. p is adjusted for all pairs of "
    "estimators (Holm); a difference with p above 0.05 is not significant. Ranks range from 1 + the number of "
    "significantly better estimators to the number of estimators minus those that are significantly worse. Results are "
    "conditional on these seeds; see the Variance tab."
)
_LEVEL = 0.05  # of all tests of the table together
_NEEDED = (
    "Architectures needed to detect the observed difference at 80% power and level 0.05, corrected for all pairs "
    "(Bonferroni)"
)


def tables(evidence: Evidence) -> Tables:
    """Return the paired differences of tau-b, and pairs of exactly the same ranking.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    return {
        "comparisons": evidence.comparisons,
        "same_ranking": same_rankings(evidence.runs, evidence.comparisons),
    }


def same_rankings(runs: Runs, comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of estimators that put the same architectures in the same order, run by run.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.
    comparisons
        The table of pairs; only those without a difference of tau-b can be of one ranking.
    """
    level = comparisons[comparisons["difference"].abs() <= ROUNDING]
    pairs = [(row["first"], row["second"]) for row in rows_of(level) if _same(runs, row["first"], row["second"])]
    return pd.DataFrame(pairs, columns=["first", "second"])


def _same(runs: Runs, first: str, second: str) -> bool:
    pairs = [[each.sort_index() for each in runs[name]] for name in (first, second)]
    return len(pairs[0]) == len(pairs[1]) and all(
        a.index.equals(b.index) and (ranks(a) == ranks(b)).all() for a, b in zip(*pairs, strict=True)
    )


def parts(tables: Tables) -> Sequence[Part]:
    """Show how far every estimator is from the leader and from counting parameters.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    return (Folded(pairs_table(tables["leaderboard"], tables["comparisons"])), Text(NOTE))


def sentences(tables: Tables) -> Iterable[Sentence]:
    """Say whether the leader is significantly better than the others.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    return differences.sentences(tables["leaderboard"], tables["comparisons"], tables["same_ranking"])


def pairs_table(board: pd.DataFrame, comparisons: pd.DataFrame) -> Table:
    """Return how far every estimator is from the best one and from counting parameters, and from whom not at all.

    Parameters
    ----------
    board
        The leaderboard.
    comparisons
        The table of pairs.
    """
    judged = board[board["kendall_tau"].notna()]
    best = judged.loc[~judged["reference"], "estimator"].tolist()[:1]
    level = _LEVEL / max(int(comparisons["p"].notna().sum()), 1)  # of each test, as in the verdict
    needed = comparisons.assign(architectures_needed=architectures_needed(comparisons, confidence=1 - level))
    others = {name: against(needed, name) for name in [*best, *list(SIZE_BASELINES)[:1]]}
    columns = [ESTIMATOR]
    for name in others:
        columns += [
            Column(f"τ-b minus that of {name}", "Paired difference of tau-b with its 95% CI"),
            Column("p (Holm)", "Two-sided p value, adjusted for all pairs of estimators"),
            Column("Architectures needed", _NEEDED),
        ]
    columns.append(
        Column("Not significantly different from", "Estimators whose difference is not significant", numeric=False)
    )
    rows = tuple(_row(name, others, comparisons) for name in board["estimator"])
    caption = "Paired differences of tau-b; every pair is in tables/comparisons.csv"
    return Table("pairs", caption, tuple(columns), rows)


def _row(name: str, others: dict[str, pd.DataFrame], comparisons: pd.DataFrame) -> tuple[Cell, ...]:
    cells = [Cell(name, name)]
    for table in others.values():
        at = {str(row.pop("estimator")): row for row in rows_of(table.rename_axis("estimator").reset_index())}
        figures = at.get(name, dict.fromkeys(table, math.nan))
        cells.append(with_interval(figures["difference"], figures["low"], figures["high"], 3))
        cells.append(Cell(p_value(figures["p_holm"]), figures["p_holm"]))
        cells.append(Cell(roughly(figures["architectures_needed"]), figures["architectures_needed"]))
    level = not_significant(comparisons, name)
    return (*cells, Cell(listed(level) if level else MISSING, len(level)))


def p_value(p: float) -> str:
    """Return a p value with three digits.

    Parameters
    ----------
    p
        The value.

    Examples
    --------
    >>> p_value(0.0321), p_value(1e-7)
    ('0.032', '<0.001')
    """
    return "<0.001" if p < 0.001 else number(p)
