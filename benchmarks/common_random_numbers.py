"""What a common initialisation changes: tau to real trainings, and between seeds, beside independent ones.

    python benchmarks/common_random_numbers.py --architectures 150 --seeds 3

Sampled classes of NAS-Bench-201 as reduced networks, CIFAR-10 images (`benchsuite data import`), judged against the
benchmark's own trainings. Both ways have the same architectures, seeds and minibatch. The columns: tau to the truth,
mean and sample deviation over the seeds; the difference of the means with its standard error over seeds; the mean tau
between two seeds. Prints Markdown.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.correlation import kendall_tau
from benchsuite.analysis.variance import between_pairs, ranking_stability
from benchsuite.benchmark import load_benchmark
from benchsuite.core import registry
from benchsuite.data.images.minibatches import load_images, minibatch
from benchsuite.estimators.zero_shot.task import ProbeTask
from benchsuite.suites.plan import draw
from benchsuite.suites.schema import SampleChoice

if TYPE_CHECKING:
    from collections.abc import Sequence

MODES = ("independent", "common")
ESTIMATORS = ("grad_norm", "snip", "synflow", "nwot", "jacob_cov", "l2_norm", "fisher", "epe_nas")


def main() -> None:
    """Print the table."""
    options = _options()
    benchmark = load_benchmark("nasbench201", "cifar10")
    truth = benchmark.truth()
    architectures, population = draw(list(truth.index), SampleChoice(number=options.architectures), None)
    task = ProbeTask(
        registry.make_space("nasbench201", {"channels": options.channels, "cells": options.cells}),
        benchmark.image_dataset,
        tuple(registry.make_estimator(name) for name in ESTIMATORS),
        minibatches=tuple(minibatch(load_images(benchmark.images), options.batch, seed=0)),
    )
    start = time.process_time()
    scores = measure(task, architectures, options.seeds)
    print(f"{population}; {options.seeds} seeds; {options.channels} channels, {options.cells} cells a stage")
    print(f"minibatch of {options.batch}; {time.process_time() - start:.0f} CPU s\n")
    _print(compare(scores, truth))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default, text in (
        ("architectures", 150, "sampled classes"),
        ("seeds", 3, "initialisations"),
        ("batch", 32, "images"),
        ("channels", 16, "of the first stage"),
        ("cells", 1, "a stage"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=text)
    return parser.parse_args()


def measure(task: ProbeTask, architectures: Sequence[str], seeds: int) -> pd.DataFrame:
    """All scores in long form."""
    rows = [
        (task.estimators[index].name, mode, seed, score.architecture, score.value)
        for mode in MODES
        for seed in range(seeds)
        for index, score in replace(task, initialisation=mode, seed=seed).scores(architectures)
    ]
    return pd.DataFrame(rows, columns=["estimator", "mode", "seed", "architecture", "value"])


def compare(scores: pd.DataFrame, truth: pd.Series[float]) -> pd.DataFrame:
    """One row per estimator: mean and deviation of tau to the truth, and mean tau between seeds, by mode."""
    rows = {}
    for (name, mode), group in scores.groupby(["estimator", "mode"], sort=False):
        by_seed = group.pivot_table(index="architecture", columns="seed", values="value", dropna=False)
        known = truth.loc[by_seed.index]
        taus = [kendall_tau(by_seed[seed], known) for seed in by_seed]
        between = between_pairs(ranking_stability(by_seed)).mean()
        figures = {"tau": np.mean(taus), "deviation": np.std(taus, ddof=1), "between seeds": between}
        rows.setdefault(name, {}).update({(mode, figure): value for figure, value in figures.items()})
        rows[name][mode, "seeds"] = len(taus)
    return pd.DataFrame.from_dict(rows, orient="index")


def _print(table: pd.DataFrame) -> None:
    print("| estimator | tau, independent | tau, common | difference | between seeds, independent | common |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, row in table.iterrows():
        means = [f"{row[mode, 'tau']:.3f} ± {row[mode, 'deviation']:.3f}" for mode in MODES]
        difference = row["common", "tau"] - row["independent", "tau"]
        error = np.sqrt(sum(row[mode, "deviation"] ** 2 / row[mode, "seeds"] for mode in MODES))
        between = [f"{row[mode, 'between seeds']:.3f}" for mode in MODES]
        print("|", " | ".join([str(name), *means, f"{difference:+.3f} ± {error:.3f}", *between]), "|")


if __name__ == "__main__":
    main()
