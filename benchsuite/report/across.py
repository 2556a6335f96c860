"""What several benchmarks say together: one table of all, mean ranks with a test, transfer between data sets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.analysis.critical_difference import critical_difference
from benchsuite.analysis.transfer import transfer
from benchsuite.core.errors import UnsupportedError
from benchsuite.report.criteria import SIZE_BASELINES, TAU, trials_of
from benchsuite.report.drawings import Drawing
from benchsuite.report.pairs import against
from benchsuite.report.render import charts as figures
from benchsuite.report.render.parts import Folded, Overview, Picture, Words
from benchsuite.report.render.svg import drawing, render
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, rows_of
from benchsuite.report.render.words import interval, listed, number, unique
from benchsuite.report.tables import estimate
from benchsuite.report.transfers import transfer_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchsuite.analysis.critical_difference import CriticalDifference
    from benchsuite.report.judge import Judgement
    from benchsuite.report.render.parts import Block

_COMPARE = (
    "Each benchmark has its own architectures and truth, so compare within a column; what was scored stands under each "
    "benchmark's name below."
)
_RANKS_NOTE = (
    "Mean place over benchmarks; a bar joins estimators that Nemenyi's test does not tell apart. It takes benchmarks "
    "as independent, which data sets of one search space are not."
)
_EQUAL = 1e-9  # means of tau that differ by less differ by rounding alone
_BETTER, _WORSE, _UNTESTED = "separably better than both", "separably worse than one", "not tested"


def overview(judgements: Sequence[Judgement]) -> Overview | None:
    """What stands above several benchmarks; None for one."""
    if len(judgements) < 2:
        return None
    names = "; ".join(f"{name} ({each.results.caption})" for name, each in _named(judgements))
    families = {row["estimator"]: row["family"] for each in judgements for row in rows_of(each.leaderboard)}
    taus = pd.DataFrame(
        {place: each.leaderboard.set_index("estimator")[TAU.key] for place, each in enumerate(judgements)}
    )
    try:
        ranked = critical_difference(taus)
    except UnsupportedError:
        ranked = None
    pictures = [_mean_ranks(ranked)] if ranked else []
    blocks: tuple[Block, ...] = (overview_table(judgements), Words(_COMPARE), *pictures, *_transfers(judgements))
    return Overview(f"Benchmarks: {names}.", _verdict(judgements, taus, ranked), families, blocks)


def _named(judgements: Sequence[Judgement]) -> list[tuple[str, Judgement]]:
    """The judgements with the names of their benchmarks, those of one name numbered."""
    names = unique([each.results.benchmark for each in judgements], "{} ({})")
    return list(zip(names, judgements, strict=True))


def _verdict(judgements: Sequence[Judgement], taus: pd.DataFrame, ranked: CriticalDifference | None) -> list[str]:
    """Which estimator is best on the whole, by how much, and how surely."""
    references = {row["estimator"] for each in judgements for row in rows_of(each.leaderboard) if row["reference"]}
    means = taus.dropna().mean(axis=1).sort_values(ascending=False, kind="stable")
    everywhere = f"all {len(judgements)} benchmarks"
    baselines = [f"{name} ({number(value)})" for name, value in means.items() if name in references]
    means = means.drop(list(references), errors="ignore")
    if means.empty:
        best = f"; of theirs, the highest mean tau-b is that of {baselines[0]}" if baselines else ""
        return [f"No estimator but the baselines has a defined tau on {everywhere}{best}."]
    leaders = [str(name) for name in means.index[means >= means.iloc[0] - _EQUAL]]
    said = [_headline(means, leaders, everywhere)]
    for leader in leaders:
        said += [_against_size(judgements, leader), _lowest(judgements, leader)]
        said += [_place(ranked, leader)] if ranked else []
    return said


def _headline(means: pd.Series, leaders: Sequence[str], everywhere: str) -> str:
    """Who has the highest mean tau, and who comes next; `means` are the highest first."""
    highest = number(means.iloc[0])
    if len(means) == 1:
        return (
            f"{leaders[0]}, the only estimator beside the baselines judged on {everywhere}, has mean tau-b {highest}."
        )
    others = [f"{name} ({number(value)})" for name, value in means.iloc[len(leaders) :].items()]
    after = f", before {listed(others[:3])}" if others else ""
    best = f"{leaders[0]} ({highest}) has the highest mean tau-b"
    if len(leaders) > 1:
        best = f"{listed(leaders)} share the highest mean tau-b ({highest})"
    return f"Of the {len(means)} estimators judged on {everywhere}, {best}{after}."


def _against_size(judgements: Sequence[Judgement], leader: str) -> str:
    """On which benchmarks a leader separably beats both counts of size, and on which one of them beats it."""
    sides = {name: _side(against(each.comparisons, leader)) for name, each in _named(judgements)}
    outcomes = {side: [name for name in sides if sides[name] == side] for side in (_BETTER, _WORSE, _UNTESTED)}
    said = [f"{side} on {listed(names)}" for side, names in outcomes.items() if names]
    if len(outcomes[_UNTESTED]) == len(sides):
        said = [f"{_UNTESTED} on any benchmark"]
    elif not outcomes[_BETTER] + outcomes[_WORSE]:
        said = ["separably better than both or worse than one on no benchmark", *said]
    return f"Against counting parameters and counting multiply-adds, {leader} is {listed(said)}."


def _side(others: pd.DataFrame) -> str:
    """What the tests of an estimator against both counts of size say; empty if they leave it open."""
    found = others.loc[list(SIZE_BASELINES)]  # the counts' tau less the estimator's
    sure = found["separable"].astype(bool)
    if found["p_holm"].isna().all():
        return _UNTESTED
    if (sure & (found["difference"] < 0)).all():
        return _BETTER
    return _WORSE if (sure & (found["difference"] > 0)).any() else ""


def _lowest(judgements: Sequence[Judgement], leader: str) -> str:
    """Where a leader ranks worst, beside the best there that is no baseline."""
    boards = [  # the best tau comes first
        (rows_of(each.leaderboard[~each.leaderboard["reference"]]), name) for name, each in _named(judgements)
    ]
    rows = [(row, board[0], name) for board, name in boards for row in board if row["estimator"] == leader]
    row, first, where = min(rows, key=lambda each: float(each[0][TAU.key]))
    ends = interval(row[f"{TAU.key}_low"], row[f"{TAU.key}_high"])
    known = f" ({ends})" if ends else ""
    other = "" if first is row else f"; the best there is {first['estimator']} ({number(first[TAU.key])})"
    return f"The lowest tau-b of {leader} is {number(row[TAU.key])}{known}, on {where}{other}."


def _place(found: CriticalDifference, leader: str) -> str:
    """A leader's mean place, and how many estimators the test of mean places tells it from, on which side."""
    places = found.ranks.set_index("estimator")["mean_rank"]
    others = places.drop(leader) - places[leader]
    ahead, behind = int((others >= found.difference).sum()), int((others <= -found.difference).sum())
    return (
        f"The mean place of {leader} is {number(places[leader], 1)} of {len(places)}. By places on {found.benchmarks} "
        f"benchmarks alone it is separably ahead of {ahead} and behind {behind} of {len(others)} "
        f"other{'' if len(others) == 1 else 's'}: mean places must differ by {number(found.difference, 1)}."
    )


def _mean_ranks(found: CriticalDifference) -> Picture:
    words = "Mean rank of every estimator judged on all benchmarks, best first: " + ", ".join(
        f"{row['estimator']} {number(row['mean_rank'], 1)}" for row in rows_of(found.ranks)
    )
    with drawing():
        svg = render(figures.mean_rank_chart(found.ranks, found.groups, found.difference), "all-mean-rank", words)
    note = f"{_RANKS_NOTE} {_friedman(found)}"
    return Picture(Drawing("all-mean-rank", "Mean place over benchmarks", f"{words}.", svg), note)


def _friedman(found: CriticalDifference) -> str:
    said = f"{found.benchmarks} benchmarks; critical difference {number(found.difference, 1)}"
    return f"{said}; Friedman's test that all are alike: p {found.p:.2g}." if math.isfinite(found.p) else f"{said}."


def _transfers(judgements: Sequence[Judgement]) -> Iterator[Folded]:
    """A table for every search space with several benchmarks, those of one data set numbered."""
    spaces: dict[str, list[tuple[str, Judgement]]] = {}
    for each in judgements:
        space, dataset = each.results.benchmark.split("/", 1)
        spaces.setdefault(space, []).append((dataset, each))
    for space, pairs in spaces.items():
        names = unique([dataset for dataset, _ in pairs])
        parts = dict(zip(names, (each for _, each in pairs), strict=True))
        table = transfer(
            {name: trials_of(each.scores) for name, each in parts.items()},
            {name: each.truth for name, each in parts.items()},
        )
        away = table[table["scored_on"] != table["judged_on"]]
        if len(away):
            yield Folded(transfer_table(space, table))


def overview_table(judgements: Sequence[Judgement]) -> Table:
    """Tau of every estimator on every benchmark, the best mean first, above the ceilings that the truths set.

    Estimators that were not judged everywhere have no mean and come last.
    """
    columns = [Column(name, f"{each.results.population}; {each.results.caption}") for name, each in _named(judgements)]
    boards = [{row["estimator"]: row for row in rows_of(each.leaderboard)} for each in judgements]
    rows = [_overview_row(name, boards) for name in dict.fromkeys(name for board in boards for name in board)]
    rows.sort(key=lambda row: row[1].value, reverse=True)
    ceilings = [math.nan if each.ceiling is None else each.ceiling for each in judgements]
    last = (
        Cell("ceiling", "ceiling", mark="simulated"),
        Cell("", -math.inf),
        *(Cell(number(value), value) for value in ceilings),
    )
    return Table(
        "overview",
        "Kendall's tau-b of every estimator on every benchmark; small print: intervals over architectures",
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
    return (Cell(name, name, mark=rows[0]["mark"]), Cell(shown, mean), *cells)
