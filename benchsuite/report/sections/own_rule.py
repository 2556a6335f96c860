"""What differentiable methods chose by their own rules, how their searches came to it, and what they cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.report.contract import Schema
from benchsuite.report.render.parts import Lines
from benchsuite.report.render.table import Cell, Column, Table, rows_of
from benchsuite.report.render.words import number, seconds
from benchsuite.report.results import SearchTraits
from benchsuite.report.sections.supernets import MEMORY
from benchsuite.report.sentences import own_rule as said

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part
    from benchsuite.report.results import BenchmarkResults

TITLE = "What do the methods choose by themselves?"
TAB = "Own rule"
ORDER = 600
TABLES = {
    "choices": Schema(
        {
            "supernet": "What the supernet is called",
            "seed": "Seed of the search",
            "training": "Key of its training",
            "epochs": "Epochs of the training",
            "architecture": "What the method chose after the last epoch",
            "truth": "Its accuracy in percent",
            "percentile": "Percentage of the known architectures that are worse",
            "regret": "Accuracy points to the best of these",
            "operations": "Number of operations that an architecture has",
            "skips_first": "Skip connections of the choice after the first epoch",
            "skips_most": "Most skip connections of a choice after any epoch",
            "skips_last": "Skip connections of the choice",
            "alignment_first": "Mean layer alignment in the first epoch",
            "alignment_last": "Mean layer alignment in the last epoch",
            "role": "darts: DARTS of first order; regularised: with a layer alignment; else empty",
            "cpu_seconds": "CPU seconds of the training",
            "epoch_seconds": "CPU seconds of an epoch, mean",
            "seconds_to_darts": "Their ratio to the mean of DARTS of first order on as many images",
            "peak_memory": "Peak memory of an epoch in MiB, median",
            "memory_to_darts": "Its ratio to the mean of DARTS of first order on as many images in batches of one size",
        }
    ),
    "twins": Schema(
        {
            "training": "Key of a search's training",
            "twin": "What it shares with searches that differ from it in their regulariser alone",
        },
        written=False,
    ),
}


def tables(evidence: Evidence) -> Tables:
    """Return what each search chose, and which searches differ in their regulariser alone.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    found = choices(evidence.results)
    searches = evidence.results.searches
    twins = [(key, searches.get(key, SearchTraits()).twin) for key in found["training"]]
    return {"choices": found, "twins": pd.DataFrame(twins, columns=list(TABLES["twins"].columns))}


def choices(results: BenchmarkResults) -> pd.DataFrame:
    """Return a row for each training whose method has a rule of its own.

    Parameters
    ----------
    results
        Results of the benchmark, with the courses of such trainings.

    Returns
    -------
    DataFrame
        The columns of the table "choices".
    """
    places = max(map(len, results.operations.values()), default=0)
    rows = [
        {**_course(course), "operations": places, **_costs(results, str(key)), "role": _traits(results, key).role}
        for key, course in results.courses.groupby("training", sort=False)
    ]
    return _relative_to_darts(pd.DataFrame(rows, columns=list(TABLES["choices"].columns)), results)


def _traits(results: BenchmarkResults, key: Hashable) -> SearchTraits:
    return results.searches.get(str(key), SearchTraits())


def _course(course: pd.DataFrame) -> dict[str, Any]:
    first, last = (course.iloc[place].to_dict() for place in (0, -1))
    kept = ("supernet", "seed", "training", "architecture", "truth", "percentile", "regret")
    return {
        **{str(name): value for name, value in last.items() if name in kept},
        "epochs": last["epoch"],
        "skips_first": first["skips"],
        "skips_most": course["skips"].max(),
        "skips_last": last["skips"],
        "alignment_first": first["alignment"],
        "alignment_last": last["alignment"],
    }


def _costs(results: BenchmarkResults, key: str) -> dict[str, float]:
    curves = results.trainings
    if curves is None:
        return {}
    curve = curves[curves["training"] == key]
    seconds, memory = curve["cpu_seconds"], curve["peak_memory"]
    return {"cpu_seconds": seconds.sum(min_count=1), "epoch_seconds": seconds.mean(), "peak_memory": memory.median()}


def _relative_to_darts(choices: pd.DataFrame, results: BenchmarkResults) -> pd.DataFrame:
    """Return the table with the ratios to DARTS filled in, where there is one like the search."""
    like = {
        "seconds_to_darts": ("epoch_seconds", "like_in_time"),
        "memory_to_darts": ("peak_memory", "like_in_memory"),
    }
    for ratio, (cost, what) in like.items():
        settings = [getattr(_traits(results, key), what) for key in choices["training"]]
        costs = choices[cost].astype(float)
        darts = costs.where(choices["role"] == "darts").groupby(settings).transform("mean")
        choices[ratio] = costs / darts
    return choices


def parts(tables: Tables) -> Iterator[Part]:
    """Show what the methods chose, in words and as a table.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    if len(tables["choices"]):
        yield Lines("In words", tuple(said.choice_words(tables["choices"], tables["twins"])))
        yield choices_table(tables["choices"])


def choices_table(choices: pd.DataFrame) -> Table:
    """Return what each search chose, and how good that truly is, how it came to it, and what that took.

    Parameters
    ----------
    choices
        The table "choices".
    """
    columns = (
        Column("Method", "Common prefix of the estimators evaluated with this supernet", numeric=False),
        Column("Seed"),
        Column("Epochs"),
        Column("Choice", numeric=False),
        Column(
            "True accuracy, %",
            "Of the string, else of its isomorphism class; below: share of the known that are worse",
        ),
        Column("Regret", "Accuracy points to the best known architecture"),
        Column("Skips", "Skip connections of the last choice; many of them are the performance collapse of DARTS"),
        Column("Alignment", "Mean layer alignment over the updates of the last epoch"),
        Column("CPU s", "Total training time; below: per epoch, relative to DARTS on the same number of images"),
        MEMORY,
    )
    rows = tuple(_row(row) for row in rows_of(choices))
    return Table("choices", "What each method chose by its own rule after its last epoch", columns, rows)


def _row(row: dict[str, Any]) -> tuple[Cell, ...]:
    percentile, regret = row["percentile"], row["regret"]
    worse = f"better than {number(percentile, 1)}%" if math.isfinite(percentile) else ""
    skips = f"{row['skips_first']} first, {row['skips_most']} at most" if row["epochs"] > 1 else ""
    first = f"{number(row['alignment_first'])} first" if math.isfinite(row["alignment_first"]) else ""
    return (
        Cell(row["supernet"], row["supernet"]),
        Cell(f"{row['seed']}", row["seed"]),
        Cell(f"{row['epochs']:,}", row["epochs"]),
        Cell("", row["architecture"], architecture=row["architecture"]),
        Cell(number(row["truth"], 2), row["truth"], note=worse),
        Cell(number(regret, 2), regret),
        Cell(f"{row['skips_last']} of {row['operations']}", row["skips_last"], note=skips),
        Cell(number(row["alignment_last"]), row["alignment_last"], note=first),
        Cell(seconds(row["cpu_seconds"]), row["cpu_seconds"], note=_times(row["seconds_to_darts"])),
        Cell(number(row["peak_memory"], 0), row["peak_memory"], note=_times(row["memory_to_darts"])),
    )


def _times(ratio: float) -> str:
    """Return a ratio to DARTS in words."""
    return f"{number(ratio, 2)} times DARTS" if math.isfinite(ratio) else ""
