"""Which estimator ranks best: the leaderboard, with cost."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchsuite.analysis.comparison import compare
from benchsuite.analysis.cost import pareto_front
from benchsuite.report.contract import Schema
from benchsuite.report.criteria import CRITERIA, HEADLINE, LEADERBOARD, TAU, estimate, ranked
from benchsuite.report.render import charts, svg
from benchsuite.report.render.parts import Figure
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, rows_of, with_interval
from benchsuite.report.render.words import duration, number, seconds
from benchsuite.report.runs import runs_of
from benchsuite.report.sentences import leader, size
from benchsuite.report.sentences.truth import ceiling_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from matplotlib.figure import Figure as Canvas

    from benchsuite.report.contract import Sentence, Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

TITLE = "Which estimator ranks best?"
TAB = "Leaderboard"
ORDER = 100
READS = ("reliability", "architectures", "comparisons")
TABLES = {
    "leaderboard": Schema(LEADERBOARD),
    "criteria": Schema(CRITERIA),
    "estimators": Schema(
        {
            "estimator": "Name of the estimator, the best tau first",
            "family": "Its family",
            "reference": "Whether it says what others must beat",
            "runs": "Number of runs",
            "seeds": "Number of seeds, 0 where its scores depend on none",
            "batch_seeds": "Number of seeds of the minibatch, 0 where its scores depend on none",
            "seeded": "Whether all of its runs have a seed",
            "reads_truth": "Whether it reads the trainings that it is judged against",
            "trained": "Whether it reads supernets",
            "imported": "Whether its scores come from a file",
            "line": "Its name without the epoch that it reads",
            "epoch": "The epoch of the weights that it reads; NaN where none is chosen",
            "seeds_are": "What its runs differ in",
        },
        written=False,
    ),
    "best_at_top": Schema(
        {
            "first": "The estimator of the highest tau-b",
            "second": "Another one, which has the highest P@top 5%",
            "n": "Architectures that both have scored",
            "difference": "P@top 5% of the first less that of the second",
            "standard_error": "Its standard error",
            "low": "Lower end of its 95% CI",
            "high": "Upper end of it",
            "p": "Two-sided p value",
            "p_holm": "The same",
            "significant": "Whether it is significant",
        },
        written=False,
    ),
}
_COUNTS = {
    "n": Column("n", "Architectures evaluated, those with undefined scores included; below: number of runs"),
    "trials": Column(
        "Runs", "Runs (seed of the initialisation x seed of the minibatch) over which values are averaged", shown=False
    ),
    "n_undefined": Column("Undefined", "Scores that the definition leaves undefined, over all runs", shown=False),
    "n_failed": Column("Failed", "Scores that an error prevented, over all runs", shown=False),
}
_TAU_NOTE = "Dot and line: mean over runs with 95% CI over architectures. Grey: baselines."
_COST_NOTE = "Step line: the best tau at this cost or less (the Pareto front). Grey: baselines."


def tables(evidence: Evidence) -> Tables:
    """Return the leaderboard, all criteria, what is recorded of estimators, and who leads among the best.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    return {
        "leaderboard": evidence.leaderboard,
        "criteria": evidence.criteria,
        "estimators": evidence.estimators,
        "best_at_top": _best_at_top(evidence),
    }


def _best_at_top(evidence: Evidence) -> pd.DataFrame:
    """Return the paired difference of P@top 5% between the leader and who has the highest, unless it is the leader."""
    top, board = HEADLINE[2], evidence.leaderboard
    best = ranked(board)[:1]
    known = board[board[top.key].notna() & board[f"{top.key}_low"].notna()]
    first = known.sort_values(top.key, ascending=False, kind="stable").iloc[:1]
    if not best or best[0]["estimator"] not in set(known["estimator"]) or first[top.key].item() <= best[0][top.key]:
        return TABLES["best_at_top"].empty()
    names = [best[0]["estimator"], first["estimator"].item()]
    runs = runs_of(evidence.scores[evidence.scores["estimator"].isin(names)])
    return compare({name: runs[name] for name in names}, evidence.truth, criterion=top.criterion, k=top.k or 0)


def parts(tables: Tables) -> Iterator[Part]:
    """Show the leaderboard, tau as bars, and tau against cost.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    board = tables["leaderboard"]
    yield leaderboard_table(board)
    values = [f"{row['estimator']} {number(row['kendall_tau'], 2)}" for row in rows_of(board)]
    yield Figure(
        "tau",
        "Rank correlation with the ground truth",
        f"Bar chart of Kendall's tau-b with 95% CIs, best first: {', '.join(values)}.",
        partial(tau_chart, board, ceiling_of(tables["reliability"])),
        _TAU_NOTE,
    )
    yield Figure(
        "cost",
        "Rank correlation against cost",
        "Kendall's tau-b against CPU seconds per architecture on a logarithmic axis; figures in the leaderboard.",
        partial(cost_chart, board),
        _COST_NOTE,
    )


def sentences(tables: Tables) -> Iterable[Sentence]:
    """Say who leads, who finds most of the best, and whether the leader beats size.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    board, architectures = tables["leaderboard"], len(tables["architectures"])
    return [
        *leader.sentences(board, tables["estimators"], tables["best_at_top"], architectures),
        *size.sentences(board, tables["comparisons"]),
    ]


def leaderboard_table(board: pd.DataFrame) -> Table:
    """Return all estimators, the best tau first, with the headline criteria, runs, counts and cost.

    Parameters
    ----------
    board
        The leaderboard.
    """
    columns = (
        ESTIMATOR,
        Column("τ-b", TAU.meaning),
        Column("Rank", "Rank by tau-b; below: the range of ranks that the paired tests allow"),
        Column("± runs", "Standard deviation of tau-b over runs", shown=bool((board["trials"] > 1).any())),
        Column("CPU s", "CPU seconds per architecture; on the front: no other estimator is both cheaper and better"),
        *(Column(item.title, item.meaning) for item in HEADLINE[1:]),
        *_COUNTS.values(),
    )
    lowest = min(0.0, board[f"{TAU.key}_low"].min())
    front = pareto_front(board["cpu_seconds"], board[TAU.key])
    rows = tuple(_row(row, lowest, best) for row, best in zip(rows_of(board), front, strict=True))
    return Table(
        "leaderboard", "Leaderboard, best tau-b first; below each value: 95% CI over architectures", columns, rows, 1
    )


def _row(row: dict[str, Any], lowest: float, cheapest: bool) -> tuple[Cell, ...]:
    low, tau, high = ((row[f"{TAU.key}{end}"] - lowest) / (1 - lowest) for end in ("_low", "", "_high"))
    deviation = row[f"{TAU.key}_standard_deviation"]
    return (
        Cell(row["estimator"], row["estimator"], mark=row["mark"], reference=row["reference"]),
        replace(estimate(row, TAU), span=(low, tau, high) if math.isfinite(low + tau + high) else None),
        with_interval(row["rank"], row["rank_low"], row["rank_high"], 0),
        Cell(number(deviation), deviation),
        Cell(seconds(row["cpu_seconds"]), row["cpu_seconds"], note="on the front" if cheapest else ""),
        *(estimate(row, item) for item in HEADLINE[1:]),
        Cell(f"{row['n']:,}", row["n"], note=_counted(row)),
        *(Cell(f"{row[key]:,}", row[key]) for key in list(_COUNTS)[1:]),
    )


def _counted(row: dict[str, Any]) -> str:
    """Return runs, and scores that are undefined or failed, where there are such."""
    several = [f"{row['trials']:,} runs"] if row["trials"] > 1 else []
    bad = [f"{row[f'n_{status}']:,} {status}" for status in ("undefined", "failed") if row[f"n_{status}"]]
    return ", ".join([*several, *bad])


def tau_chart(board: pd.DataFrame, ceiling: float | None) -> Canvas:
    """Draw tau of every estimator with its interval, best on top; the ceiling and parameter counting are lines.

    Parameters
    ----------
    board
        The leaderboard.
    ceiling
        Tau of a perfect estimator, if it is known.
    """
    figure, axes = charts.rows(board["estimator"])
    places = np.arange(len(board))
    colours = np.where(board["reference"], svg.REFERENCE, svg.ACCENT)
    tau = board["kendall_tau"].to_numpy()
    axes.barh(places, tau, height=0.56, color=colours, alpha=0.35)
    axes.hlines(places, board["kendall_tau_low"], board["kendall_tau_high"], color=colours, linewidth=1.6)
    axes.scatter(tau, places, s=16, color=colours, zorder=3)
    axes.axvline(0, color=svg.MUTED, linewidth=0.7)
    params = board.loc[board["estimator"] == "params", "kendall_tau"]
    if params.notna().any():
        charts.vertical_line(axes, float(params.iloc[0]), "params", svg.REFERENCE, side="right")
    if ceiling is not None:
        charts.vertical_line(axes, ceiling, "ceiling", svg.CEILING, side="left")
    axes.set_xlabel("Kendall's tau-b")
    axes.grid(visible=True, axis="x")
    return figure


def cost_chart(board: pd.DataFrame) -> Canvas:
    """Draw tau against CPU seconds per architecture on a logarithmic axis, with the front of the cheapest best.

    Parameters
    ----------
    board
        The leaderboard.
    """
    shown = board[(board["cpu_seconds"] > 0) & board["kendall_tau"].notna()]
    width = charts.WIDTH - 1 + charts.LETTER * int(shown["estimator"].str.len().max() if len(shown) else 0)
    figure, axes = charts.canvas(width, max(2.6, charts.ROW * (len(shown) + 3)))
    if shown.empty:
        return charts.nothing(figure, axes, "no estimator has both a cost and a tau")
    cost, tau = shown["cpu_seconds"].to_numpy(), shown["kendall_tau"].to_numpy()
    colours = np.where(shown["reference"], svg.REFERENCE, svg.ACCENT)
    by_cost = np.argsort(cost, kind="stable")
    front = np.maximum.accumulate(tau[by_cost])
    axes.step(cost[by_cost], front, where="post", color=svg.GRID, linewidth=1.6)
    axes.set_xscale("log")
    axes.set_xlim(cost.min() / 2, cost.max() * 2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.vlines(cost, shown["kendall_tau_low"], shown["kendall_tau_high"], color=colours, linewidth=1, alpha=0.6)
    axes.scatter(cost, tau, s=22, color=colours, zorder=3)
    charts.labels_at_the_side(figure, axes, shown["estimator"].tolist(), cost, tau)
    axes.set(xlabel="CPU seconds per architecture", ylabel="Kendall's tau-b")
    axes.grid(visible=True)
    return figure
