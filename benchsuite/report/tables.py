"""Tables as a reader sees them: words and rounded numbers, rendered alike by the page and the Markdown."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchsuite.analysis.cost import pareto_front
from benchsuite.report.criteria import HEADLINE, TAU, CriterionAt
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, matrix, rows_of, with_interval
from benchsuite.report.render.words import number, percent, seconds

if TYPE_CHECKING:
    import pandas as pd

    from benchsuite.report.judge import Judgement


_COUNTS = {
    "n": Column("n", "Architectures judged, those with undefined scores included; small print: over how many trials"),
    "trials": Column("Trials", "Seeds (initialisation x minibatch) over which the figures are averaged", shown=False),
    "n_undefined": Column("Undefined", "Scores that the definition leaves undefined, over all trials", shown=False),
    "n_failed": Column("Failed", "Scores that an error prevented, over all trials", shown=False),
}
# criterion of K -> its name, what it means, digits
_BY_K = {
    "precision_at_top": ("P@top K", "share of the best K that is among the best-scored K", 3),
    "precision_at_bottom": ("P@bottom K", "share of the worst K that is among the worst-scored K", 3),
    "best_rank_at": ("BR@K", "best true rank among the best-scored K, as a share of all; low is good", 4),
    "worst_rank_at": ("WR@K", "worst true rank among the best-scored K, as a share of all; low is good", 3),
    "regret_at": ("Regret@K", "accuracy points between the best and the best of the best-scored K; low is good", 3),
}
_FACTORS = {
    "architecture": Column("Architecture", "Share on which trials agree that share neither seed"),
    "seed": Column("Initialisation", "Share that changes with the initialisation, on any minibatch"),
    "batch": Column("Minibatch", "Share that changes with the minibatch, under any initialisation"),
    "both": Column("Both together", "Share that belongs to one initialisation on one minibatch"),
    "tau_other_seed": Column("τ, other initialisation", "Mean tau-b of two trials on the same minibatch"),
    "tau_other_batch": Column("τ, other minibatch", "Mean tau-b of two trials with the same initialisation"),
    "tau_other_both": Column("τ, both other", "Mean tau-b of two trials that share neither"),
}
_TRUTH = {"kendall_tau": "Kendall's tau-b", "spearman_rho": "Spearman", "precision_at_top@0.05": "P@top 5%"}


def leaderboard_table(judgement: Judgement) -> Table:
    """All estimators, the best tau first, with the headline criteria, trials, counts and cost."""
    board = judgement.leaderboard
    columns = (
        ESTIMATOR,
        Column("τ-b", TAU.meaning),
        Column("Place", "Place by tau-b; small print: the places it may have, by paired differences of all estimators"),
        Column("± trials", "Sample deviation of tau-b over the trials", shown=bool((board["trials"] > 1).any())),
        Column("CPU s", "CPU seconds per architecture; on the front: none is both cheaper and better"),
        *(Column(item.title, item.meaning) for item in HEADLINE[1:]),
        *_COUNTS.values(),
    )
    lowest = min(0.0, judgement.leaderboard[f"{TAU.key}_low"].min())
    front = pareto_front(board["cpu_seconds"], board[TAU.key])
    rows = tuple(_leaderboard_row(row, lowest, best) for row, best in zip(rows_of(board), front, strict=True))
    return Table(
        "leaderboard", "Leaderboard, best tau-b first; small print: intervals over architectures", columns, rows, 1
    )


def _leaderboard_row(row: dict[str, Any], lowest: float, cheapest: bool) -> tuple[Cell, ...]:
    low, tau, high = ((row[f"{TAU.key}{end}"] - lowest) / (1 - lowest) for end in ("_low", "", "_high"))
    deviation = row[f"{TAU.key}_deviation"]
    return (
        Cell(row["estimator"], row["estimator"], mark=row["mark"]),
        replace(estimate(row, TAU), span=(low, tau, high) if math.isfinite(low + tau + high) else None),
        with_interval(row["rank"], row["rank_low"], row["rank_high"], 0),
        Cell(number(deviation), deviation),
        Cell(seconds(row["cpu_seconds"]), row["cpu_seconds"], note="on the front" if cheapest else ""),
        *(estimate(row, item) for item in HEADLINE[1:]),
        Cell(f"{row['n']:,}", row["n"], note=_counted(row)),
        *(Cell(f"{row[key]:,}", row[key]) for key in list(_COUNTS)[1:]),
    )


def _counted(row: dict[str, Any]) -> str:
    """Trials, and scores that are no numbers, where there are such."""
    several = [f"{row['trials']:,} trials"] if row["trials"] > 1 else []
    bad = [f"{row[f'n_{status}']:,} {status}" for status in ("undefined", "failed") if row[f"n_{status}"]]
    return ", ".join([*several, *bad])


def estimate(row: dict[str, Any], item: CriterionAt) -> Cell:
    """A criterion of the leaderboard with its interval."""
    return with_interval(row[item.key], row[f"{item.key}_low"], row[f"{item.key}_high"], item.digits)


def by_k_tables(judgement: Judgement) -> list[Table]:
    """One table for every criterion of the top or bottom K: estimators in rows, K in columns."""
    criteria = judgement.criteria[judgement.criteria["value"].notna()]
    tables = []
    for name, (title, meaning, digits) in _BY_K.items():
        rows = criteria[criteria["criterion"] == name]
        columns = {k: Column(percent(k)) for k in sorted(rows["k"].unique())}
        tables.append(matrix(Table(name, f"{title}: {meaning}", (), ()), rows, "k", columns, judgement.order, digits))
    return tables


def variance_numbers(judgement: Judgement) -> Table:
    """Agreement of the trials of every seeded estimator."""
    columns = (
        ESTIMATOR,
        Column("Trials"),
        Column("τ between seeds", "Mean tau-b over all pairs of trials; 1 = the seed changes nothing"),
        Column("Rank deviation", "Deviation of an architecture's rank over trials, in percent of the architectures"),
    )
    rows = tuple(
        (
            Cell(row["estimator"], row["estimator"]),
            Cell(str(row["trials"]), row["trials"]),
            with_interval(row["tau_between_seeds"], row["tau_low"], row["tau_high"], 3),
            Cell(f"{number(row['rank_deviation'], 1)} %", row["rank_deviation"]),
        )
        for row in rows_of(judgement.variance)
    )
    return Table("variance", "Stability across seeds; small print: least and greatest pair", columns, rows)


def factors_numbers(judgement: Judgement) -> Table:
    """What changes the ranks from trial to trial: the initialisation, the minibatch, or both together."""
    several = set(judgement.factors["estimator"])
    order = [name for name in judgement.order if name in several]
    caption = "Initialisation against minibatch; small print: intervals over architectures"
    return matrix(Table("factors", caption, (), ()), judgement.factors, "figure", _FACTORS, order, 3)


def within_ends_tables(judgement: Judgement) -> list[Table]:
    """Tau among the best by score, and among the best by truth: estimators in rows, K in columns."""
    known = judgement.within_ends[judgement.within_ends["value"].notna()]
    tables = []
    for by, words in {"scores": "its own best-scored K", "truth": "the truly best K"}.items():
        rows = known[(known["by"] == by) & (known["end"] == "top")]
        columns = {k: Column(percent(k)) for k in sorted(rows["k"].unique())}
        empty = Table(f"within_{by}", f"Tau-b within {words}: does it still rank there?", (), ())
        tables.append(matrix(empty, rows, "k", columns, judgement.order, 3))
    return tables


def reliability_numbers(judgement: Judgement) -> Table:
    """What the noise of the truth leaves to win."""
    columns = (
        Column("Criterion", numeric=False),
        Column("Seed reliability", "One training against the mean of the others"),
        Column("Ceiling (simulated)", "A perfect estimator against this truth, mean of 200 draws"),
        Column("n", "Architectures trained more than once, on which both figures rest"),
    )
    rows = tuple(
        (
            Cell(_TRUTH[row["criterion"]], row["criterion"]),
            Cell(number(row["seed_reliability"]), row["seed_reliability"]),
            Cell(number(row["ceiling"]), row["ceiling"]),
            Cell(f"{row['n']:,}", row["n"]),
        )
        for row in rows_of(judgement.reliability)
    )
    return Table("reliability", "Reliability of the truth, and the ceiling it sets", columns, rows)


def published_numbers(judgement: Judgement, published: pd.DataFrame | None) -> Table:
    """Figures of others beside ours; the difference stands only where the population is the same."""
    columns = (
        ESTIMATOR,
        Column("Criterion", numeric=False),
        Column("Published"),
        Column("Here"),
        Column("Difference", "Ours minus theirs, on the same population only"),
        Column("Published on", numeric=False),
        Column("Source", numeric=False),
    )
    rows: tuple[tuple[Cell, ...], ...] = ()
    if published is not None:
        ours = judgement.criteria[judgement.criteria["k"].isna()].set_index(["estimator", "criterion"])["value"]
        here = published[published["benchmark"] == judgement.results.benchmark]
        rows = tuple(
            _published_row(row, ours, judgement.results.population)
            for row in rows_of(here)
            if (row["estimator"], row["criterion"]) in ours.index
        )
    return Table("published", "Published figures beside ours", columns, rows)


def _published_row(row: dict[str, Any], ours: pd.Series, population: str) -> tuple[Cell, ...]:
    here = float(ours.loc[(row["estimator"], row["criterion"])])
    difference = here - row["value"] if row["population"] == population else math.nan
    words = "the same architectures" if row["population"] == population else row["population"]
    return (
        Cell(row["estimator"], row["estimator"]),
        Cell(row["criterion"], row["criterion"]),
        Cell(number(row["value"]), row["value"]),
        Cell(number(here), here),
        Cell(number(difference), difference),
        Cell(words, words),
        Cell(row["source"], row["source"]),
    )
