"""How the differentiable searches of a suite went: what each seed chose, skip connections and alignment by epoch.

    python benchmarks/differentiable_course.py differentiable --store .benchsuite --out reports/differentiable

Reads what the trainings of a suite have left so far. Prints a Markdown table with a row for each training on
each benchmark: CPU seconds, skip connections of what would have been chosen after the first and the last epoch and the
most after any, mean layer alignment in the first and the last epoch, the architecture with its true accuracy (its
class's where the string's own is not known) and the percentage of known architectures that are worse. --out takes a
folder for course.csv, all epochs, and course.svg.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchsuite.core import SuiteError
from benchsuite.data.files import write_frame, write_text
from benchsuite.plan import make_plan
from benchsuite.report.svg import drawing, render, standalone
from benchsuite.report.words import number
from benchsuite.search.own import true_accuracies
from benchsuite.store import Store
from benchsuite.suite import load_suite

if TYPE_CHECKING:
    from benchsuite.benchmark import Benchmark
    from benchsuite.plan import BenchmarkPlan

FIGURES = {"skips": "skip connections of the choice", "alignment": "mean layer alignment"}


def main() -> None:
    """Read, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", help="name or file of the suite")
    parser.add_argument("--store", type=Path, required=True, help="folder of the scores and trainings")
    parser.add_argument("--out", type=Path, help="folder for CSV and SVG")
    options = parser.parse_args()
    with Store(options.store, create=False) as store:
        parts = make_plan(load_suite(options.suite)).benchmarks
        courses = [with_truth(course(part, store.trainings), part.benchmark) for part in parts]
    found = pd.concat(courses, ignore_index=True)
    if found.empty:
        raise SuiteError(f"{options.suite}: no training in {options.store} has an epoch; begin with benchsuite run")
    print(markdown(found))
    if options.out is not None:
        write_frame(options.out / "course.csv", found)
        words = "Skip connections and layer alignment by epoch, a line for each seed; figures in course.csv."
        with drawing():
            write_text(options.out / "course.svg", standalone(render(chart(found), "course", words)))


def course(part: BenchmarkPlan, root: str) -> pd.DataFrame:
    """What each epoch of each training left, under the first estimator that reads it."""
    known = {source.key: (trial.title, source) for trial in reversed(part.trials) for source in trial.trainings}
    frames = []
    for title, source in reversed(known.values()):
        tables = [source.folder(root).path / f"{name}.csv" for name in ("derived", "curve")]
        if all(table.is_file() for table in tables):
            derived, curve = map(pd.read_csv, tables)
            joined = derived.merge(curve[["epoch", "loss", "accuracy", "cpu_seconds"]], on="epoch")
            frames.append(joined.assign(benchmark=part.choice.name, estimator=title, seed=source.seed))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def with_truth(found: pd.DataFrame, benchmark: Benchmark) -> pd.DataFrame:
    """The table with true accuracy and percentile of each epoch's architecture."""
    if found.empty:
        return found
    own, classes = benchmark.truth(pool="none"), benchmark.truth()
    truth = true_accuracies(found["architecture"], benchmark.space, own, classes)
    percentile = truth.map(lambda value: 100 * float((own < value).mean()) if math.isfinite(value) else value)
    return found.assign(truth=truth, percentile=percentile)


def markdown(found: pd.DataFrame) -> str:
    """A row for each training."""
    names = ["benchmark", "estimator", "seed", "epochs", "CPU s", "skips first", "most", "last"]
    names += ["alignment first", "last", "architecture", "truth, %", "percentile"]
    rows = [_row(each) for _, each in found.groupby(["benchmark", "estimator", "seed"], sort=False)]
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(rows: pd.DataFrame) -> list[str]:
    first, last = rows.iloc[0], rows.iloc[-1]
    return [
        *(str(value) for value in (last["benchmark"], last["estimator"], last["seed"], last["epoch"])),
        f"{rows['cpu_seconds'].sum():.0f}",
        *(str(value) for value in (first["skips"], rows["skips"].max(), last["skips"])),
        *(number(value) for value in (first["alignment"], last["alignment"])),
        f"`{last['architecture']}`".replace("|", "\\|"),
        number(last["truth"], 2),
        number(last["percentile"], 1),
    ]


def chart(found: pd.DataFrame) -> Figure:
    """Both figures by epoch: benchmark by benchmark, a colour for each method, a line for each seed."""
    parts = list(found.groupby("benchmark", sort=False))
    colours = {name: f"C{place}" for place, name in enumerate(found["estimator"].unique())}
    figure = Figure(figsize=(7.2, 2.4 * len(parts) + 0.6), layout="constrained")
    drawn = {}
    for row, (name, rows) in zip(figure.subplots(len(parts), 2, squeeze=False), parts, strict=True):
        for axes, (column, label) in zip(row, FIGURES.items(), strict=True):
            for (estimator, _), line in rows.groupby(["estimator", "seed"], sort=False):
                if len(line) > 1:
                    (drawn[estimator],) = axes.plot(
                        line["epoch"], line[column], color=colours[estimator], linewidth=1.3
                    )
            axes.set(xlabel="epoch", ylabel=label, title=name if len(parts) > 1 else "")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(visible=True)
    figure.legend(list(drawn.values()), list(drawn), loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    main()
