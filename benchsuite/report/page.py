"""What the page and the Markdown show of each benchmark, put together once for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.report import tables
from benchsuite.report.criteria import TRIAL_KEY
from benchsuite.report.drawings import Drawings, draw
from benchsuite.report.figures import MOST_POINTS
from benchsuite.report.verdict import no_ceiling, verdict
from benchsuite.report.words import number, seconds, slug

if TYPE_CHECKING:
    from benchsuite.report.judge import Judgement
    from benchsuite.report.results import Results
    from benchsuite.report.tables import Table


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
    lowest: str
    drawings: Drawings
    ranks_note: str
    bias: Table
    variance: Table
    by_k: list[Table]
    reliability: Table
    no_ceiling: str
    published: Table
    problems: list[str]
    protocol: dict[str, str]
    skipped: dict[str, str]


def section(judgement: Judgement, results: Results) -> Section:
    """Everything that is shown of one benchmark."""
    shown = judgement.results
    return Section(
        shown.benchmark,
        slug(shown.benchmark),
        shown.population,
        shown.caption,
        f"{shown.caption}. Population: {shown.population}.",
        _facts(judgement),
        verdict(judgement),
        tables.leaderboard_table(judgement),
        number(min(0.0, judgement.leaderboard["kendall_tau_low"].min()), 2),
        draw(judgement),
        _ranks_note(judgement),
        tables.bias_numbers(judgement),
        tables.variance_numbers(judgement),
        tables.by_k_tables(judgement),
        tables.reliability_numbers(judgement),
        no_ceiling(judgement),
        tables.published_numbers(judgement, results.published),
        problems(judgement),
        shown.protocol,
        shown.skipped,
    )


def problems(judgement: Judgement) -> list[str]:
    """Undefined and failed scores by estimator and reason, and how many scores are missing."""
    bad = judgement.scores[judgement.scores["status"].isin(["undefined", "failed"])]
    groups = bad.groupby(["estimator", "status", "reason"], sort=False).size()
    listed = [f"{name}: {count:,} {status} – {reason or 'no reason given'}" for (name, status, reason), count in groups.items()]
    missing = judgement.leaderboard.set_index("estimator")["n_missing"]
    return [*listed, *(f"{name}: {count:,} missing – not scored yet" for name, count in missing.items() if count)]


def _facts(judgement: Judgement) -> dict[str, str]:
    scores = judgement.scores
    trials = scores.dropna(subset=["seed"]).drop_duplicates(TRIAL_KEY)
    return {
        "architectures": f"{len(judgement.results.truth):,}",
        "estimators": f"{len(judgement.leaderboard):,}",
        "seeds": f"{max(len(trials), 1):,}",
        "scores": f"{len(scores):,}",
        "CPU seconds": seconds(scores["cpu_seconds"].sum()),
    }


def _ranks_note(judgement: Judgement) -> str:
    note = "One dot per architecture; the first seed's scores, 1 = best; the line is a perfect ranking."
    if len(judgement.results.truth) > MOST_POINTS:
        note += f" A random {MOST_POINTS:,} of the {len(judgement.results.truth):,} architectures are drawn."
    return note
