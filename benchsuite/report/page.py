"""What the page and the Markdown show of each benchmark, put together once for both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.analysis.evaluate import INTERVALS
from benchsuite.report.overview import overview
from benchsuite.report.render.drawings import Drawings
from benchsuite.report.render.pages import BenchmarkPage, ReportPage, ShownSection, Tab
from benchsuite.report.render.parts import prefixed
from benchsuite.report.render.words import hours, number, slug, unique

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.report.judgement import Judgement
    from benchsuite.report.results import Results

_WEAK = 0.6  # a ceiling below it is said on every figure


def report_page(results: Results, judgements: Sequence[Judgement]) -> ReportPage:
    """Put together everything that is shown.

    Parameters
    ----------
    results
        Results of the suite.
    judgements
        The judgement of each benchmark.
    """
    anchors = unique([slug(each.benchmark) for each in results.benchmarks])
    return ReportPage(
        results.suite,
        results.description,
        results.provenance,
        interval_methods(),
        overview(judgements),
        tuple(benchmark_page(each, anchor) for each, anchor in zip(judgements, anchors, strict=True)),
    )


def benchmark_page(judgement: Judgement, anchor: str) -> BenchmarkPage:
    """Put together everything that is shown of one benchmark.

    Parameters
    ----------
    judgement
        The judgement of the benchmark.
    anchor
        What its identifiers and the names of its figures begin with.

    Returns
    -------
    BenchmarkPage
        The page; sections without parts are left out, and tabs without sections.
    """
    results, board = judgement.evidence.results, judgement.evidence.leaderboard
    tabs: dict[str, list[ShownSection]] = {}
    for section in judgement.sections:
        parts = tuple(prefixed(part, anchor) for part in judgement.parts(section))
        if parts:
            tabs.setdefault(section.tab, []).append(ShownSection(section.title, parts))
    caption = f"{results.caption[:1].upper()}{results.caption[1:]}"
    return BenchmarkPage(
        benchmark=results.benchmark,
        anchor=anchor,
        population=results.population,
        setting=results.caption,
        caption=f"{caption}. Sample: {results.population}.{_warning(judgement)}",
        facts=_facts(judgement),
        verdict=judgement.verdict(),
        families=dict(zip(board["estimator"], board["family"], strict=True)),
        tabs=tuple(Tab(title, tuple(sections)) for title, sections in tabs.items()),
        drawings=Drawings(results.draw),
    )


def interval_methods() -> dict[str, str]:
    """Return how intervals were made, by the names of the criteria that share a method."""
    methods: dict[str, list[str]] = {}
    for criterion, method in INTERVALS.items():
        methods.setdefault(method, []).append(criterion)
    return {", ".join(names): method for method, names in methods.items()}


def _warning(judgement: Judgement) -> str:
    """Return what stands on every figure where the ground truth is too noisy to judge by."""
    ceiling = judgement.evidence.ceiling
    if ceiling is None or not ceiling < _WEAK:
        return ""
    return f" Noisy ground truth: even a perfect estimator would reach a tau-b of only {number(ceiling, 2)}."


def _facts(judgement: Judgement) -> dict[str, str]:
    evidence = judgement.evidence
    combined = {each.title for each in evidence.results.combinations}  # they are made of the others
    scores = evidence.scores[~evidence.scores["estimator"].isin(combined)]
    trainings = evidence.results.trainings
    return {
        "architectures": f"{len(evidence.truth):,}",
        "estimators": f"{len(evidence.leaderboard):,}",
        "runs": f"{evidence.leaderboard['trials'].max():,}",
        "scores": f"{len(scores):,}",
        "CPU time, each scored alone": hours(scores["cpu_seconds"].sum(min_count=1)),
        **({} if trainings is None else {"CPU time of trainings": hours(trainings["cpu_seconds"].sum())}),
    }
