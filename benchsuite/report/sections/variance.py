"""How stable an estimator is across seeds: agreement of its runs, and which factor changes its ranks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.variance import between_pairs, crossed_factors, rank_standard_deviation, ranking_stability
from benchsuite.report.contract import Schema
from benchsuite.report.render import charts, svg
from benchsuite.report.render.parts import Figure, Panels, Text
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, matrix, rows_of, with_interval
from benchsuite.report.render.words import number
from benchsuite.report.runs import in_common
from benchsuite.report.stability import stability_figure, taus_between

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from matplotlib.figure import Figure as Canvas

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part
    from benchsuite.report.runs import Runs

TITLE = "How stable is it across seeds?"
TAB = "Variance"
ORDER = 400
READS = ("leaderboard",)
TABLES = {
    "variance": Schema(
        {
            "estimator": "Name of an estimator with at least two runs, the most stable first",
            "trials": "Number of runs",
            "tau_between_seeds": "Tau-b between two runs, mean over pairs",
            "tau_low": "Lowest of the pairs",
            "tau_high": "Highest of the pairs",
            "rank_standard_deviation": "Standard deviation of an architecture's rank over runs, in percent of the "
            "number of architectures; mean over these",
        }
    ),
    "factors": Schema(
        {
            "estimator": "Name of the estimator",
            "statistic": "What the value is, as benchsuite.analysis.variance.crossed_factors names it",
            "value": "The figure; NaN where the score depends on one factor alone",
            "low": "Lower end of its 95% CI",
            "high": "Upper end of it",
        }
    ),
    "stability": Schema(
        {
            "estimator": "Name of an estimator with at least three runs",
            "first": "Seeds of a run",
            "second": "Seeds of another, or the same",
            "tau": "Tau-b between their scores",
        },
        written=False,
    ),
}
_FACTORS = {
    "architecture": Column("Architecture", "Share on which runs agree that share neither seed"),
    "seed": Column("Initialisation", "Share that changes with the initialisation, on any minibatch"),
    "batch": Column("Minibatch", "Share that changes with the minibatch, under any initialisation"),
    "both": Column("Both together", "Share that belongs to one initialisation on one minibatch"),
    "tau_other_seed": Column("τ, other initialisation", "Mean tau-b of two runs on the same minibatch"),
    "tau_other_batch": Column("τ, other minibatch", "Mean tau-b of two runs with the same initialisation"),
    "tau_other_both": Column("τ, both other", "Mean tau-b of two runs that share neither"),
}
_STABILITY_NOTE = "Tau between the scores of every two runs, named by the seeds of initialisation and minibatch."
_FACTORS_NOTE = (
    "The variance of the ranks, in shares that sum to 1: what belongs to the architecture in every run, what changes "
    "with its initialisation, with the minibatch, and with the two in combination. Slightly "
    "negative shares are sampling "
    "noise; a dash means the score does not depend on this factor."
)
_UNSEEDED = "No estimator was run with two seeds, so stability cannot be assessed."


def tables(evidence: Evidence) -> Tables:
    """Return how far runs agree, what their disagreement is due to, and tau between every two of them.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    return {
        "variance": variance(evidence.runs),
        "factors": factors(evidence.runs),
        "stability": stability(evidence.runs),
    }


def variance(runs: Runs) -> pd.DataFrame:
    """Compute how far the scores of different runs agree, a row per estimator with at least two.

    Estimators whose runs have no two architectures in common, as in a suite that was stopped, have no row.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.

    Returns
    -------
    DataFrame
        The columns of the table "variance", the most stable first.
    """
    common = {name: in_common(each) for name, each in runs.items() if len(each) > 1}
    rows = [_variance_of(name, scores) for name, scores in common.items() if len(scores) > 1]
    table = pd.DataFrame(rows, columns=list(TABLES["variance"].columns))
    return table.sort_values("tau_between_seeds", ascending=False, kind="stable", ignore_index=True)


def _variance_of(name: str, scores: pd.DataFrame) -> tuple[str, int, float, float, float, float]:
    taus = between_pairs(ranking_stability(scores))
    deviation = 100 * float(rank_standard_deviation(scores).mean())
    return name, scores.shape[1], float(taus.mean()), float(taus.min()), float(taus.max()), deviation


def factors(runs: Runs) -> pd.DataFrame:
    """Separate initialisation from minibatch, for every estimator that has several runs.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.

    Returns
    -------
    DataFrame
        The columns of the table "factors"; empty where no estimator's runs cross the two factors.
    """
    found = [TABLES["factors"].empty()]
    if any(_crossed(each) for each in runs.values()):
        found = [_factors_of(name, each) for name, each in runs.items() if len(each) > 1]
    return pd.concat(found, ignore_index=True)


def _crossed(runs: Sequence[pd.Series]) -> bool:
    """Return whether runs differ in both their seeds and their batch seeds."""
    seeds = zip(*(each.name for each in runs), strict=True)
    return all(len(pd.Series(each).dropna().unique()) > 1 for each in seeds)


def _factors_of(name: str, runs: Sequence[pd.Series]) -> pd.DataFrame:
    """Return rows of the table, from the architectures that all runs have scored."""
    figures = crossed_factors(pd.concat(runs, axis=1, join="inner")).rename_axis("statistic").reset_index()
    figures.insert(0, "estimator", name)
    return figures


def stability(runs: Runs) -> pd.DataFrame:
    """Compute tau between the scores of every two runs, of estimators with at least three; of two there is one tau.

    Parameters
    ----------
    runs
        Scores by architecture of every run, by estimator.

    Returns
    -------
    DataFrame
        The columns of the table "stability".
    """
    columns = list(TABLES["stability"].columns)
    frames = [
        taus_between(each, [_seeds(values.name) for values in each]).assign(estimator=name)
        for name, each in runs.items()
        if len(each) > 2
    ]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def _seeds(seeds: Hashable) -> str:
    """Return the seed of the initialisation and of the minibatch, as far as there are any.

    >>> _seeds((0, 1)), _seeds((2, pd.NA))
    ('0, 1', '2')
    """
    levels = seeds if isinstance(seeds, tuple) else (seeds,)
    return ", ".join(f"{seed}" for seed in levels if not pd.isna(seed))


def parts(tables: Tables) -> Iterator[Part]:
    """Show agreement between runs as a chart and a table, the factors, and a matrix for each estimator.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    if tables["variance"].empty:
        yield Text(_UNSEEDED)
        return
    order = tables["leaderboard"]["estimator"].tolist()
    yield Figure(
        "variance",
        "Stability across seeds",
        "Tau between the scores of different seeds, one row for every estimator; numbers in the stability table.",
        partial(variance_chart, tables["variance"]),
        "1 = the seed changes nothing.",
    )
    yield variance_table(tables["variance"])
    if len(tables["factors"]):
        yield factors_table(tables["factors"], order)
        yield Text(_FACTORS_NOTE)
    by_estimator = dict(tuple(tables["stability"].groupby("estimator", sort=False)))
    figures = [stability_figure(by_estimator[name], name, "trials") for name in order if name in by_estimator]
    if figures:
        yield Panels(tuple(figures), _STABILITY_NOTE)


def variance_table(variance: pd.DataFrame) -> Table:
    """Return the agreement of the runs of every seeded estimator.

    Parameters
    ----------
    variance
        The table "variance".
    """
    columns = (
        ESTIMATOR,
        Column("Runs"),
        Column("τ between seeds", "Mean tau-b over all pairs of runs; 1 = the seed changes nothing"),
        Column("Rank deviation", "Standard deviation of an architecture's rank over runs, in percentile points"),
    )
    rows = tuple(
        (
            Cell(row["estimator"], row["estimator"]),
            Cell(str(row["trials"]), row["trials"]),
            with_interval(row["tau_between_seeds"], row["tau_low"], row["tau_high"], 3),
            Cell(f"{number(row['rank_standard_deviation'], 1)} %", row["rank_standard_deviation"]),
        )
        for row in rows_of(variance)
    )
    return Table("variance", "Stability across seeds; below each value: lowest and highest pair", columns, rows)


def factors_table(factors: pd.DataFrame, order: Sequence[str]) -> Table:
    """Return what changes the ranks from run to run: the initialisation, the minibatch, or both together.

    Parameters
    ----------
    factors
        The table "factors".
    order
        The estimators, the best first.
    """
    several = set(factors["estimator"])
    names = [name for name in order if name in several]
    caption = "Initialisation against minibatch; below each value: 95% CI over architectures"
    return matrix(Table("factors", caption, (), ()), factors, "statistic", _FACTORS, names, 3)


def variance_chart(variance: pd.DataFrame) -> Canvas:
    """Draw tau between the scores of different runs, a row per estimator that has several: 1 = the same ranking.

    Parameters
    ----------
    variance
        The table "variance".
    """
    figure, axes = charts.rows(variance["estimator"])
    places = np.arange(len(variance))
    axes.hlines(places, variance["tau_low"], variance["tau_high"], color=svg.ACCENT, linewidth=1.6, alpha=0.6)
    axes.scatter(variance["tau_between_seeds"], places, s=20, color=svg.ACCENT, zorder=3)
    axes.axvline(1, color=svg.CEILING, linewidth=1)
    axes.set_xlim(min(0.0, variance["tau_low"].min()) - 0.02, 1.02)
    figure.supxlabel("tau-b between runs: mean, lowest and highest pair", fontsize="medium", color=svg.MUTED)
    axes.grid(visible=True, axis="x")
    return figure
