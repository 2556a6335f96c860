"""What the page and the Markdown show of each benchmark, put together once for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.analysis.evaluate import INTERVALS
from benchsuite.report import tables
from benchsuite.report.criteria import COMBINATION, rows_of
from benchsuite.report.drawings import Drawings, draw
from benchsuite.report.figures import MOST_POINTS
from benchsuite.report.verdict import no_ceiling, verdict
from benchsuite.report.words import number, seconds

if TYPE_CHECKING:
    from benchsuite.report.judge import Judgement
    from benchsuite.report.results import Results
    from benchsuite.report.tables import Table

_FACTORS_NOTE = (
    "The variance of the ranks, in shares that sum to 1: what belongs to the architecture in every trial, what changes "
    "with its initialisation, with the minibatch, and with the two in combination. A share below 0 is chance about 0; "
    "a dash: the score does not depend on it."
)
_WEAK = 0.6  # a ceiling below it is said on every figure


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark as it is shown."""

    benchmark: str
    anchor: str
    population: str
    setting: str
    caption: str
    facts: dict[str, str]
    verdict: list[str]
    leaderboard: Table
    drawings: Drawings
    ranks_note: str
    bias: Table
    size: Table
    variance: Table
    factors: Table
    factors_note: str
    trainings: Table
    by_k: list[Table]
    reliability: Table
    no_ceiling: str
    published: Table
    problems: list[str]
    protocol: dict[str, str]
    skipped: dict[str, str]


def section(judgement: Judgement, results: Results, anchor: str) -> Section:
    """Everything that is shown of one benchmark; `anchor` begins its identifiers and the names of its figures."""
    shown = judgement.results
    return Section(
        benchmark=shown.benchmark,
        anchor=anchor,
        population=shown.population,
        setting=shown.caption,
        caption=f"{shown.caption[:1].upper()}{shown.caption[1:]}. Population: {shown.population}.{_warning(judgement)}",
        facts=_facts(judgement),
        verdict=verdict(judgement),
        leaderboard=tables.leaderboard_table(judgement),
        drawings=draw(judgement, anchor),
        ranks_note=_ranks_note(judgement),
        bias=tables.bias_numbers(judgement),
        size=tables.size_numbers(judgement),
        variance=tables.variance_numbers(judgement),
        factors=tables.factors_numbers(judgement),
        factors_note=_FACTORS_NOTE,
        trainings=tables.training_numbers(judgement),
        by_k=tables.by_k_tables(judgement),
        reliability=tables.reliability_numbers(judgement),
        no_ceiling=no_ceiling(judgement),
        published=tables.published_numbers(judgement, results.published),
        problems=problems(judgement),
        protocol=shown.protocol,
        skipped=shown.skipped,
    )


def interval_methods() -> dict[str, str]:
    """How intervals were made, by the names of the criteria that share a method."""
    methods: dict[str, list[str]] = {}
    for criterion, method in INTERVALS.items():
        methods.setdefault(method, []).append(criterion)
    return {", ".join(names): method for method, names in methods.items()}


def problems(judgement: Judgement) -> list[str]:
    """Undefined and failed scores by estimator and reason, and how many scores are missing."""
    bad = judgement.scores[judgement.scores["status"].isin(["undefined", "failed"])]
    groups = bad.groupby(["estimator", "status", "reason"], sort=False).size()
    listed = [
        f"{row['estimator']}: {row['number']:,} {row['status']} ({row['reason'] or 'not a finite number'})"
        for row in rows_of(groups.reset_index(name="number"))
    ]
    missing = judgement.leaderboard.set_index("estimator")["n_missing"]
    without = len(judgement.results.truth) - len(judgement.truth)
    if without:
        listed.append(f"{without:,} architectures of the population have no truth and are not judged")
    return [*listed, *(f"{name}: {count:,} missing (not scored yet)" for name, count in missing.items() if count)]


def _warning(judgement: Judgement) -> str:
    """What stands on every figure where the truth is too noisy to judge by."""
    if judgement.ceiling is None or judgement.ceiling >= _WEAK:
        return ""
    return f" Weak truth: its noise lets even a perfect estimator reach a tau of {number(judgement.ceiling, 2)} only."


def _facts(judgement: Judgement) -> dict[str, str]:
    scores = judgement.scores[judgement.scores["family"] != COMBINATION]  # they are made of the others
    return {
        "architectures": f"{len(judgement.truth):,}",
        "estimators": f"{len(judgement.leaderboard):,}",
        "seeds": f"{max(scores['seed'].nunique(), 1):,}",
        "scores": f"{len(scores):,}",
        "CPU s, each scored alone": seconds(scores["cpu_seconds"].sum(min_count=1)),
    }


def _ranks_note(judgement: Judgement) -> str:
    note = "One dot per architecture; the first seed's scores, 1 = best; the line is a perfect ranking."
    if len(judgement.truth) > MOST_POINTS:
        note += f" A random {MOST_POINTS:,} of the {len(judgement.truth):,} architectures are drawn."
    return note
