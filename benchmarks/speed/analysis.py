"""CPU seconds and memory of the whole analysis of a benchmark as large as NAS-Bench-201, and what was wanted.

All 15,625 architecture strings, made-up scores of 20 estimators with 3 seeds each (6 of them tied on few values), and
the counts of parameters and MACs: every statistic with its interval. Then tau and its interval on as many architectures
as NAS-Bench-101 has, compared with a bootstrap of scipy's tau.

Run: python benchmarks/speed/analysis.py
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from benchsuite.analysis.best_subsets import best_subsets
from benchsuite.analysis.bias import bias_by_complexity, complexity_correlations
from benchsuite.analysis.comparison import compare
from benchsuite.analysis.complementarity import added_information, agreement, pairwise_information
from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import kendall_tau, tau_b_without_each
from benchsuite.analysis.evaluate import evaluate
from benchsuite.analysis.groups import quantile_groups, tau_within_ends
from benchsuite.analysis.operations import operation_bias, single_operation_pairs
from benchsuite.analysis.reliability import ceiling
from benchsuite.analysis.search_value import search_value, trainings_needed
from benchsuite.analysis.significance import rank_intervals
from benchsuite.analysis.uncertainty import correlation_interval
from benchsuite.analysis.variance import over_seeds, rank_standard_deviation, ranking_stability
from benchsuite.spaces.nasbench201.space import NASBench201

if TYPE_CHECKING:
    from collections.abc import Callable

WANTED_SECONDS, WANTED_GIB, WANTED_TAU_SECONDS = 60.0, 1.0, 0.5
ALL_MODULES = 423_624
RESAMPLES = 1000
MEASURED = 5  # bootstrap samples that are really drawn; the time of all is extrapolated

Trials = dict[str, list[pd.Series]]


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of a call, all threads together."""
    start = time.process_time()
    work()
    return time.process_time() - start


def example(architectures: list[str], estimators: int, seeds: int) -> tuple[Trials, pd.Series, pd.Series]:
    """Return scores, ground truth and complexity, which has as many distinct values as NAS-Bench-201's parameters."""
    rng, n = np.random.default_rng(0), len(architectures)
    complexity = pd.Series(rng.integers(0, 28, n).astype(float), architectures)
    truth = (complexity / 10 + rng.normal(size=n)).round(2)
    trials = {
        f"estimator {i}": [(truth + (1 + i / 10) * rng.normal(size=n)).round(1 if i % 3 else 15) for _ in range(seeds)]
        for i in range(estimators)
    }
    trials |= {"params": [complexity], "flops": [complexity + 0.1 * (complexity % 3)]}
    return trials, truth, complexity


def parts(trials: Trials, truth: pd.Series, complexity: pd.Series) -> dict[str, Callable[[], object]]:
    """Return the parts of the analysis, by title."""
    columns = [column for each in trials.values() for column in each]
    groups = pd.Series(quantile_groups(complexity, 5), complexity.index)
    space = NASBench201()
    pairs = single_operation_pairs({name: space.operations(name) for name in truth.index})
    seeded = [pd.concat(each, axis=1, keys=range(len(each))) for each in trials.values() if len(each) > 1]
    return {
        "criteria at every K": lambda: [over_seeds(evaluate(x, truth) for x in each) for each in trials.values()],
        "tau within the ends": lambda: [tau_within_ends(each[0], truth) for each in trials.values()],
        "bias by params and MACs": lambda: [bias_by_complexity(x, truth, complexity) for x in columns * 2],
        "knowledge beyond both": lambda: [complexity_correlations(x, truth, complexity) for x in columns * 2],
        "bias by operation": lambda: [operation_bias(x, truth, pairs, groups=groups) for x in columns],
        "stability over seeds": lambda: [(ranking_stability(each), rank_standard_deviation(each)) for each in seeded],
        "all pairs, tau": lambda: rank_intervals(compare(trials, truth)),
        "all pairs, P@top 5 %": lambda: compare(trials, truth, criterion="precision_at_top"),
        "agreement": lambda: agreement(trials, truth),
        "added information": lambda: added_information(trials, truth, complexity),
        "intervals of both": lambda: pairwise_information(trials, truth, complexity),
        "best subsets": lambda: best_subsets(trials, truth),
        "regret by trainings": lambda: search_value(trials, truth),
        "trainings needed": lambda: trainings_needed(trials, truth),
        "ceiling": lambda: ceiling(pd.concat([truth, truth + 0.1 * complexity], axis=1), kendall_tau),
    }


def verdict(measured: float, wanted: float) -> str:
    """Say whether a measurement is what was wanted."""
    return f"(wanted: below {wanted:g}; {'reached' if measured < wanted else 'MISSED'})"


def print_whole(estimators: int, seeds: int, number: int | None) -> None:
    """Print the seconds of each part and of all, and the largest memory of the process."""
    architectures = list(NASBench201().every_string())[:number]
    total = 0.0
    for name, work in parts(*example(architectures, estimators, seeds)).items():
        seconds = cpu_seconds(work)
        total += seconds
        print(f"{name:26s} {seconds:7.2f} CPU s", flush=True)
    size = f"{len(architectures):,} architectures x {estimators} estimators x {seeds} seeds, params, MACs"
    print(f"whole analysis of {size}: {total:.1f} CPU s {verdict(total, WANTED_SECONDS)}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"largest memory of the process: {memory:.2f} GiB {verdict(memory, WANTED_GIB)}")


def print_tau(n: int) -> None:
    """Print the seconds of tau, of its interval, and of a bootstrap with scipy's tau."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=n).round(3)
    scores = truth + rng.normal(size=n)
    point = min(cpu_seconds(lambda: kendall_tau(scores, truth)) for _ in range(3))
    print(f"tau of {n:,} architectures: {point:.3f} CPU s {verdict(point, WANTED_TAU_SECONDS)}")
    interval = cpu_seconds(lambda: correlation_interval(tau_b_without_each(concordance(scores, truth)), 0.95))
    draws = rng.integers(0, n, size=(MEASURED, n))
    drawn = cpu_seconds(lambda: [stats.kendalltau(scores[rows], truth[rows]) for rows in draws])
    ratio = drawn * RESAMPLES / MEASURED / interval
    print(f"with its interval: {interval:.2f} CPU s, {ratio:,.0f} times less than {RESAMPLES} resamples with scipy")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--estimators", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--architectures", type=int, help="only the first so many")
    parser.add_argument("--modules", type=int, default=ALL_MODULES, help="on how many tau is measured")
    options = parser.parse_args()
    print_whole(options.estimators, options.seeds, options.architectures)
    print_tau(options.modules)


if __name__ == "__main__":
    main()
