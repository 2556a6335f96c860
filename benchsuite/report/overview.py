"""What several benchmarks say together: one table of all, mean ranks with a test, transfer between data sets."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.analysis.critical_difference import critical_difference
from benchsuite.analysis.transfer import transfer
from benchsuite.core.errors import UnsupportedError
from benchsuite.report.criteria import TAU, estimate
from benchsuite.report.render import charts, svg
from benchsuite.report.render.pages import OverviewPage
from benchsuite.report.render.parts import Figure, Folded, Text
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, rows_of
from benchsuite.report.render.words import number, unique
from benchsuite.report.sentences import overview as said
from benchsuite.report.transfers import transfer_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure as Canvas

    from benchsuite.analysis.critical_difference import CriticalDifference
    from benchsuite.report.judgement import Judgement
    from benchsuite.report.render.parts import Part

_COMPARE = (
    "Each benchmark has its own architectures and ground truth, so compare within a column; the setting stands below "
    "the name of each benchmark."
)
_RANKS_NOTE = (
    "Mean rank over benchmarks; a bar joins estimators that do not differ significantly by Nemenyi's test. The test "
    "assumes independent benchmarks, which data sets of one search space are not."
)


def overview(judgements: Sequence[Judgement]) -> OverviewPage | None:
    """Put together what stands above several benchmarks.

    Parameters
    ----------
    judgements
        The judgements of all benchmarks.

    Returns
    -------
    OverviewPage
        None for one benchmark.
    """
    if len(judgements) < 2:
        return None
    named = _named(judgements)
    names = "; ".join(f"{name} ({each.evidence.results.caption})" for name, each in named)
    boards = [each.evidence.leaderboard for each in judgements]
    families = {row["estimator"]: row["family"] for board in boards for row in rows_of(board)}
    taus = pd.DataFrame({place: board.set_index("estimator")[TAU.key] for place, board in enumerate(boards)})
    try:
        ranked = critical_difference(taus)
    except UnsupportedError:
        ranked = None
    pictures = [_mean_ranks(ranked)] if ranked else []
    parts: tuple[Part, ...] = (overview_table(judgements), Text(_COMPARE), *pictures, *_transfers(judgements))
    verdict = said.sentences({name: each.evidence for name, each in named}, taus, ranked)
    return OverviewPage(f"Benchmarks: {names}.", verdict, families, parts)


def _named(judgements: Sequence[Judgement]) -> list[tuple[str, Judgement]]:
    """Return the judgements with the names of their benchmarks, those of one name numbered."""
    names = unique([each.evidence.results.benchmark for each in judgements], "{} ({})")
    return list(zip(names, judgements, strict=True))


def _mean_ranks(found: CriticalDifference) -> Figure:
    words = "Mean rank of every estimator judged on all benchmarks, best first: " + ", ".join(
        f"{row['estimator']} {number(row['mean_rank'], 1)}" for row in rows_of(found.ranks)
    )
    chart = partial(mean_rank_chart, found.ranks, found.groups, found.difference)
    note = f"{_RANKS_NOTE} {_friedman(found)}"
    return Figure("all-mean-rank", "Mean rank over benchmarks", f"{words}.", chart, note)


def _friedman(found: CriticalDifference) -> str:
    said = f"{found.benchmarks} benchmarks; critical difference {number(found.difference, 1)}"
    return f"{said}; Friedman's test that all are equal: p {found.p:.2g}." if math.isfinite(found.p) else f"{said}."


def _transfers(judgements: Sequence[Judgement]) -> Iterator[Folded]:
    """Yield a table for every search space with several benchmarks, those of one data set numbered."""
    spaces: dict[str, list[tuple[str, Judgement]]] = {}
    for each in judgements:
        space, dataset = each.evidence.results.benchmark.split("/", 1)
        spaces.setdefault(space, []).append((dataset, each))
    for space, pairs in spaces.items():
        names = unique([dataset for dataset, _ in pairs])
        parts = dict(zip(names, (each for _, each in pairs), strict=True))
        table = transfer(
            {name: each.evidence.runs for name, each in parts.items()},
            {name: each.evidence.truth for name, each in parts.items()},
        )
        away = table[table["scored_on"] != table["judged_on"]]
        if len(away):
            yield Folded(transfer_table(space, table))


def overview_table(judgements: Sequence[Judgement]) -> Table:
    """Return tau of every estimator on every benchmark, the best mean first, above the ceilings.

    Estimators that were not judged everywhere have no mean and come last.

    Parameters
    ----------
    judgements
        The judgements of all benchmarks.
    """
    columns = [
        Column(name, f"{each.evidence.results.population}; {each.evidence.results.caption}")
        for name, each in _named(judgements)
    ]
    boards = [{row["estimator"]: row for row in rows_of(each.evidence.leaderboard)} for each in judgements]
    rows = [_overview_row(name, boards) for name in dict.fromkeys(name for board in boards for name in board)]
    rows.sort(key=lambda row: row[1].value, reverse=True)
    known = [each.evidence.ceiling for each in judgements]
    ceilings = [math.nan if value is None else value for value in known]
    last = (
        Cell("ceiling", "ceiling", mark="simulated", reference=True),
        Cell("", -math.inf),
        *(Cell(number(value), value) for value in ceilings),
    )
    return Table(
        "overview",
        "Kendall's tau-b of every estimator on every benchmark; below each value: 95% CI over architectures",
        (ESTIMATOR, Column("Mean", "Of estimators that were judged on every benchmark"), *columns),
        tuple(rows),
        1,
        (last,),
    )


def _overview_row(name: str, boards: Sequence[dict[str, dict[str, Any]]]) -> tuple[Cell, ...]:
    rows = [board[name] for board in boards if name in board]
    taus = [row[TAU.key] for row in rows if math.isfinite(row[TAU.key])]
    mean = sum(taus) / len(taus) if len(taus) == len(boards) else -math.inf  # of others, means are not comparable
    cells = (estimate(board[name], TAU) if name in board else Cell(number(math.nan), math.nan) for board in boards)
    shown = number(mean if math.isfinite(mean) else math.nan)
    first = Cell(name, name, mark=rows[0]["mark"], reference=rows[0]["reference"])
    return (first, Cell(shown, mean), *cells)


def mean_rank_chart(ranks: pd.DataFrame, groups: Sequence[Sequence[str]], difference: float) -> Canvas:
    """Draw the mean rank of estimators over benchmarks, a row each; a bar joins those that do not differ significantly.

    Parameters
    ----------
    ranks
        Columns estimator and mean_rank (1 = best), best first.
    groups
        Estimators that do not differ significantly.
    difference
        The critical difference.
    """
    figure, axes = charts.rows(ranks["estimator"])
    places = {name: place for place, name in enumerate(ranks["estimator"])}
    axes.scatter(ranks["mean_rank"], list(places.values()), s=20, color=svg.ACCENT, zorder=3)
    last = float(ranks["mean_rank"].max())
    for place, group in enumerate(groups, 1):
        rows = [places[name] for name in group]
        axes.vlines(last + 0.06 * last * place, min(rows) - 0.3, max(rows) + 0.3, color=svg.MUTED, linewidth=2)
    axes.set_xlim(left=0.5)
    figure.supxlabel(f"mean rank; critical difference {difference:.1f}", fontsize="medium", color=svg.MUTED)
    axes.grid(visible=True, axis="x")
    return figure
