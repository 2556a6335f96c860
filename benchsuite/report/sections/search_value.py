"""What a search by an estimator is worth: regret by trainings, and the trainings that are needed."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from matplotlib.ticker import FuncFormatter, NullFormatter

from benchsuite.analysis.resampling import HALVES
from benchsuite.analysis.search_value import RANDOM, search_value, trainings_needed
from benchsuite.report.contract import Schema
from benchsuite.report.render import charts, svg
from benchsuite.report.render.parts import Figure, Folded, Text
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, matrix, rows_of
from benchsuite.report.render.words import MINUS, MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from matplotlib.figure import Figure as Canvas

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

TITLE = "What is a search by it worth?"
TAB = "Search value"
ORDER = 500
READS = ("leaderboard",)
_RANGE = "over the whole and random halves of the architectures; NaN below ten trainings"
TABLES = {
    "search": Schema(
        {
            "estimator": "Name of the estimator, or of a random choice",
            "k": "Number of the best-scored architectures that are trained",
            "n": "Architectures that it has scored",
            "regret": "Expected points between the best and the best of these, mean over runs",
            "low": f"Lowest {_RANGE}",
            "high": f"Highest {_RANGE}",
            "standard_deviation": "Standard deviation over runs; NaN for one",
        }
    ),
    "trainings_needed": Schema(
        {
            "estimator": "Name of the estimator, or of a random choice",
            "regret": "Accuracy points",
            "n": "Architectures that it has scored",
            "trainings": "Smallest k by which the expected regret falls to this, mean over runs",
            "low": f"Lowest {_RANGE}",
            "high": f"Highest {_RANGE}",
            "standard_deviation": "Standard deviation over runs; NaN for one",
            "saved": "Share of a random choice's trainings that it saves",
            "saved_low": f"Lowest {_RANGE}",
            "saved_high": f"Highest {_RANGE}",
        }
    ),
}
_CURVES = 7  # of the best estimators, in the figure of regrets; more cannot be distinguished
RANGE = (
    f"range over the whole and {HALVES} random halves of the architectures (no confidence interval), shown from ten "
    "trainings on"
)
_NEEDED_NOTE = (
    "The smallest k at which the expected regret of training the k best-scored architectures falls to this many points "
    f"of accuracy, mean over runs; below each value: {RANGE}. Saved: share of the trainings of a "
    f"random choice among the same "
    "architectures."
)
_REGRET_NOTE = (
    "Accuracy points between the best architecture and the best of the k best-scored, mean over runs, exact under "
    "ties; grey: counting parameters, and the expectation of a random choice. Bands (of the best estimator and of the "
    f"random choice): {RANGE}. The y-axis may be truncated."
)


def tables(evidence: Evidence) -> Tables:
    """Return regret by trainings, and the trainings needed for a regret.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    return {
        "search": search_value(evidence.runs, evidence.truth),
        "trainings_needed": trainings_needed(evidence.runs, evidence.truth),
    }


def parts(tables: Tables) -> Iterator[Part]:
    """Show regret as curves, the trainings needed, and regret as a table.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    board, search = tables["leaderboard"], tables["search"]
    best = board.loc[~board["reference"], "estimator"].tolist()[:_CURVES]
    plain = [name for name in ("params", RANDOM) if name in set(search["estimator"])]
    yield Figure(
        "regret",
        "What a search by score is worth",
        f"Regret by number of architectures trained, for {', '.join([*best, *plain])}; figures in the table.",
        partial(regret_chart, search, [*best, *plain], plain, [*best[:1], RANDOM]),
        _REGRET_NOTE,
    )
    names = [*board["estimator"], RANDOM]
    yield needed_table(tables["trainings_needed"], names)
    yield Text(_NEEDED_NOTE)
    yield Folded(regret_table(search, names))


def regret_table(search: pd.DataFrame, names: Sequence[str]) -> Table:
    """Return the expected regret of training the k best-scored architectures, by estimator and k.

    Parameters
    ----------
    search
        The table "search".
    names
        The rows in order.
    """
    found = search.rename(columns={"regret": "value"})
    columns = {k: Column(f"{k:,}", f"The {k:,} best-scored are trained") for k in sorted(found["k"].unique())}
    caption = f"Regret in accuracy points after training the k best-scored, low is good; below each value: {RANGE}"
    return matrix(Table("search", caption, (), ()), found, "k", columns, names, 2)


def needed_table(needed: pd.DataFrame, names: Sequence[str]) -> Table:
    """Return how many trainings each estimator needs for a regret, and what that saves.

    Parameters
    ----------
    needed
        The table "trainings_needed".
    names
        The rows in order.
    """
    found = {(row["estimator"], row["regret"]): row for row in rows_of(needed)}
    regrets = sorted({regret for _, regret in found}, reverse=True)
    columns = [ESTIMATOR]
    for regret in regrets:
        points = "1 point" if regret == 1 else f"{regret:g} points"
        columns += [
            Column(f"To {points}", f"Trainings until the regret is at most {points} of accuracy"),
            Column("Saved", "Of the trainings that a random choice needs; below 0: it needs more"),
        ]
    rows = []
    for name in names:
        cells = [cell for regret in regrets if (name, regret) in found for cell in _needed(found[name, regret])]
        rows.append((Cell(name, name), *cells, *[Cell(MISSING, math.nan)] * (len(columns) - 1 - len(cells))))
    caption = "Trainings needed, best-scored first, to come near the best, and what that saves against random choice"
    return Table("trainings_needed", caption, tuple(columns), tuple(rows))


def _needed(row: dict[str, Any]) -> tuple[Cell, Cell]:
    ends, saved = (row["low"], row["high"]), (row["saved_low"], row["saved_high"])
    return (
        Cell(_count(row["trainings"]), row["trainings"], note=_between(*map(_count, ends)), ends=ends),
        Cell(_percent(row["saved"]), row["saved"], note=_between(*map(_percent, saved)), ends=saved),
    )


def _between(low: str, high: str) -> str:
    return "" if MISSING in (low, high) else f"{low} to {high}"


def _count(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else MISSING


def _percent(value: float) -> str:
    """Return a share in percent; what is nearly all is not rounded to all.

    >>> _percent(0.873), _percent(0.9987), _percent(-0.5) == f"{MINUS}50 %"
    ('87 %', '99.9 %', True)
    """
    digits = 1 if 0.99 < value < 1 else 0
    return f"{100 * value:.{digits}f} %".replace("-", MINUS) if math.isfinite(value) else MISSING


def regret_chart(search: pd.DataFrame, shown: list[str], plain: list[str], banded: list[str]) -> Canvas:
    """Draw regret after training the k best-scored architectures, a line for every estimator.

    Parameters
    ----------
    search
        Columns estimator, k, regret, low, high.
    shown
        The estimators that are drawn.
    plain
        Those of them that are grey.
    banded
        Those whose range from low to high is a band.
    """
    figure, axes = charts.canvas(charts.WIDTH, 3.2 + 0.08 * len(shown))
    dashes, colours = iter(["--", ":", "-."]), (f"C{number}" for number in range(len(shown)))
    for name in shown:
        rows = search[search["estimator"] == name]
        colour, dash = (svg.REFERENCE, next(dashes)) if name in plain else (next(colours), "-")
        axes.plot(rows["k"], rows["regret"], linewidth=1.4, label=name, color=colour, linestyle=dash)
        if name in banded:
            axes.fill_between(rows["k"], rows["low"], rows["high"], color=colour, alpha=0.16, linewidth=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(0, _useful(search[search["estimator"].isin(shown)]))
    axes.set(xlabel="architectures trained, best-scored first", ylabel="regret, accuracy points")
    axes.grid(visible=True)
    figure.legend(loc="outside lower left", frameon=False, fontsize=8, ncols=2)
    return figure


def _useful(search: pd.DataFrame) -> float:
    """Return the upper end of an axis of regrets: a bad first choice would flatten all that follows."""
    return max(1.15 * float(search.groupby("estimator")["regret"].first().median()), 1e-3)
