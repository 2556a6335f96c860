"""What differentiable methods chose by their own rules, how their searches went there, and what they cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.report.render.table import Cell, Column, Table, rows_of
from benchsuite.report.render.words import number, seconds
from benchsuite.report.supernets import MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchsuite.report.judge import Judgement
    from benchsuite.report.results import BenchmarkResults

# What the hyperparameters of DARTS of first order are, by which its kin differ from it.
_DARTS = {"order": 1, "partial": 1, "edge_normalisation": False, "alignment": "none", "operations": "all"}
CHOICE_COLUMNS = (
    "supernet",
    "seed",
    "training",
    "epochs",
    "architecture",
    "truth",
    "percentile",
    "regret",
    "operations",
    "skips_first",
    "skips_most",
    "skips_last",
    "alignment_first",
    "alignment_last",
    "role",
    "cpu_seconds",
    "epoch_seconds",
    "seconds_to_darts",
    "peak_memory",
    "memory_to_darts",
)


def choices_table(results: BenchmarkResults) -> pd.DataFrame:
    """A row for each training whose method has a rule of its own, with the columns CHOICE_COLUMNS.

    `operations` is how many an architecture has; what ends in `_first`, `_most` and `_last` is over epochs;
    `role` is "darts" for DARTS of first order, "regularised" for searches with a layer alignment, else empty;
    `epoch_seconds` are the mean CPU seconds of an epoch, `peak_memory` the median MiB of one;
    `seconds_to_darts` and `memory_to_darts` are their ratios to the mean of the DARTS trainings of first order on as
    many images, for memory in batches of the same size; NaN where there is none.
    """
    places = max(map(len, results.operations.values()), default=0)
    rows = [
        {**_course(course), "operations": places, **_costs(results, str(key)), "role": _role(results, str(key))}
        for key, course in results.courses.groupby("training", sort=False)
    ]
    return _beside_darts(pd.DataFrame(rows, columns=list(CHOICE_COLUMNS)), results.parameters)


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


def _role(results: BenchmarkResults, key: str) -> str:
    parameters = results.parameters.get(key, {})
    if _DARTS.items() <= parameters.items():
        return "darts"
    return "regularised" if parameters.get("alignment", "none") != "none" else ""


def _beside_darts(choices: pd.DataFrame, parameters: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The table with the ratios to DARTS filled in."""
    alike = {
        "seconds_to_darts": ("epoch_seconds", ("images", "shrink")),
        "memory_to_darts": ("peak_memory", ("images", "shrink", "batch")),
    }
    for ratio, (cost, names) in alike.items():
        settings = [_values(parameters.get(key, {}), names) for key in choices["training"]]
        costs = choices[cost].astype(float)
        darts = costs.where(choices["role"] == "darts").groupby(settings).transform("mean")
        choices[ratio] = costs / darts
    return choices


def _values(parameters: Mapping[str, Any], names: Sequence[str]) -> str:
    """What trainings must share to be compared; what has no epochs, as FreeDARTS, is like none that has."""
    return repr(["epochs" in parameters, *map(parameters.get, names)])


def choice_numbers(judgement: Judgement) -> Table:
    """What each search chose, and how good that truly is, how it came to it, and what that took."""
    columns = (
        Column("Method", "Supernets by what the names of the estimators that read them have in common", numeric=False),
        Column("Seed"),
        Column("Epochs"),
        Column("Choice", numeric=False),
        Column("True accuracy, %", "Of the string, else of its class; small print: how many of the known are worse"),
        Column("Regret", "Accuracy points to the best known architecture"),
        Column("Skips", "Skip connections of the last choice; many of them are the performance collapse of DARTS"),
        Column("Alignment", "Mean layer alignment over the updates of the last epoch"),
        Column("CPU s", "Of the whole training; small print: of an epoch, beside the mean of DARTS on as many images"),
        MEMORY,
    )
    rows = tuple(_row(row) for row in rows_of(judgement.choices))
    return Table("choices", "What each method chose by its own rule after its last epoch", columns, rows)


def _row(row: dict[str, Any]) -> tuple[Cell, ...]:
    percentile, regret = row["percentile"], row["regret"]
    worse = f"{number(percentile, 1)} % are worse" if math.isfinite(percentile) else ""
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
    """A ratio to DARTS in small print."""
    return f"{number(ratio, 2)} times DARTS" if math.isfinite(ratio) else ""
