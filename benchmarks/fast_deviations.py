"""How far scores of `--fast` (channels last in memory) lie from the usual ones, and what time they save, by estimator.

    python benchmarks/fast_deviations.py --networks 8 --batch 32

Both are computed in turn, on the same sampled architectures of full-size NAS-Bench-201, the same weights and minibatch
(noise), with one thread. The columns: largest relative deviation, Spearman's rank correlation, scores that only one of
the two defines, CPU seconds a network of the estimator alone, and the usual CPU seconds by the fast ones. Prints
Markdown.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr

from benchsuite.core import registry
from benchsuite.core.types import Dataset
from benchsuite.data.images.minibatches import minibatch, noise
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator
from benchsuite.estimators.zero_shot.task import ProbeTask
from benchsuite.spaces.nasbench201.space import NASBench201

SPACE = NASBench201()
DATASET = Dataset("cifar10", 10)


def main() -> None:
    """Print the table and the ratio for all estimators sharing their passes."""
    options = _options()
    names = options.estimators or zero_shot_names()
    architectures = SPACE.sample(options.networks, np.random.default_rng(0))
    task = ProbeTask(
        SPACE,
        DATASET,
        tuple(registry.make_estimator(name) for name in names),
        minibatches=tuple(minibatch(noise(DATASET), options.batch, seed=0)),
    )
    scores, seconds = measure(task, architectures)
    print(f"{options.networks} networks, {options.batch} images, one thread, torch {torch.__version__}\n")
    _print(compare(scores))
    print(f"\nall, sharing their passes: {seconds['usual']:.2f} CPU s a network, {seconds['fast']:.2f} fast")
    print(f"ratio: {seconds['usual'] / seconds['fast']:.2f}")


def _print(table: pd.DataFrame) -> None:
    print("| estimator |", " | ".join(map(str, table.columns)), "|")
    print("| --- |" + " ---: |" * len(table.columns))
    for name, deviation, correlation, lonely, seconds, ratio in table.itertuples():
        shown = "-" if np.isnan(correlation) else f"{correlation:.3f}"
        print(f"| {name} | {deviation:.0e} | {shown} | {lonely} | {seconds:.2f} | {ratio:.2f} |")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=8, help="sampled architectures")
    parser.add_argument("--batch", type=int, default=32, help="images, 3x32x32")
    parser.add_argument("--estimators", nargs="*", help="default: every zero-shot estimator")
    return parser.parse_args()


def zero_shot_names() -> list[str]:
    """Names of all zero-shot estimators that are installed."""
    made = [registry.make_estimator(name) for name in registry.estimators()]
    return [estimator.name for estimator in made if isinstance(estimator, ZeroShotEstimator)]


def measure(task: ProbeTask, architectures: list[str]) -> tuple[pd.DataFrame, dict[str, float]]:
    """All scores in long form, usual and fast ones in turn, and the mean CPU seconds a network of either run."""
    tasks = {"usual": task, "fast": replace(task, fast=True)}
    for each in tasks.values():
        replace(each, estimators=(registry.make_estimator("grad_norm"),)).scores(architectures[:1])  # warms up
    rows: list[tuple[str, str, str, float, float]] = []
    seconds: dict[str, list[float]] = {mode: [] for mode in tasks}
    for architecture in architectures:
        for mode, each in tasks.items():
            start = time.process_time()
            found = each.scores([architecture])
            seconds[mode].append(time.process_time() - start)
            rows += [
                (task.estimators[index].name, architecture, mode, score.value, score.cpu_seconds)
                for index, score in found
            ]
    columns = ["estimator", "architecture", "mode", "value", "cpu_seconds"]
    return pd.DataFrame(rows, columns=columns), {mode: statistics.mean(taken) for mode, taken in seconds.items()}


def compare(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per estimator, from scores in long form."""
    rows = {}
    for name, group in scores.groupby("estimator"):
        value = group.pivot_table(index="architecture", columns="mode", values="value", dropna=False)
        cost = group.groupby("mode")["cpu_seconds"].mean()
        both = value.dropna()
        rows[name] = {
            "largest relative deviation": largest_deviation(both["usual"].to_numpy(), both["fast"].to_numpy()),
            "rank correlation": rank_correlation(both),
            "defined in one": int((value["usual"].isna() != value["fast"].isna()).sum()),
            "CPU s alone": cost["usual"],
            "usual / fast": cost["usual"] / cost["fast"],
        }
    return pd.DataFrame(rows).T.astype({"defined in one": int}).rename_axis("estimator")


def rank_correlation(values: pd.DataFrame) -> float:
    """Spearman's rho of the two columns; NaN if one is constant."""
    varied = bool((values.max() > values.min()).all())
    return float(spearmanr(values["usual"], values["fast"]).statistic) if varied else float("nan")


def largest_deviation(usual: np.ndarray, fast: np.ndarray) -> float:
    """Largest deviation, relative to the usual score; 0 where both are equal, 0 included."""
    gaps = np.abs(fast - usual)
    relative = np.divide(gaps, np.abs(usual), out=np.where(gaps > 0, np.inf, 0.0), where=usual != 0)
    return float(relative.max(initial=0.0))


if __name__ == "__main__":
    main()
