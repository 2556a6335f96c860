"""CPU seconds of the analysis, and how they compare with a bootstrap of scipy's tau.

Run: python benchmarks/speed/analysis.py
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from benchsuite.analysis.bias import bias_by_complexity, complexity_correlations
from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import kendall_tau, tau_b_without_each
from benchsuite.analysis.evaluate import evaluate
from benchsuite.analysis.reliability import ceiling
from benchsuite.analysis.uncertainty import correlation_interval

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (500, 6466, 15_625)
RESAMPLES = 1000
MEASURED = 20  # bootstrap samples that are really drawn; the time of all is extrapolated


def cpu_seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Least CPU seconds of a call."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def example(n: int) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Scores, truth and complexity with as many distinct sizes as NAS-Bench-201 has."""
    rng = np.random.default_rng(0)
    complexity = pd.Series(rng.integers(0, 28, n).astype(float))
    truth = complexity / 10 + rng.normal(size=n)
    return truth + rng.normal(size=n), truth, complexity


def tau_with_interval(scores: pd.Series, truth: pd.Series) -> tuple[float, float]:
    """Jackknife interval of tau-b from pair counts."""
    return correlation_interval(tau_b_without_each(concordance(scores, truth)), 0.95)


def bootstrap(scores: pd.Series, truth: pd.Series) -> list[float]:
    """scipy's tau of a few bootstrap samples."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(truth), size=(MEASURED, len(truth)))
    return [stats.kendalltau(scores.to_numpy()[rows], truth.to_numpy()[rows]).statistic for rows in draws]


def measure(n: int) -> dict[str, float]:
    """CPU seconds of each part of the analysis of n architectures."""
    scores, truth, complexity = example(n)
    scipy_seconds = cpu_seconds(lambda: bootstrap(scores, truth)) * RESAMPLES / MEASURED
    tau_seconds = cpu_seconds(lambda: tau_with_interval(scores, truth))
    return {
        "n": n,
        "evaluate": cpu_seconds(lambda: evaluate(scores, truth)),
        "evaluate (28 distinct scores)": cpu_seconds(lambda: evaluate(complexity, truth)),
        "bias": cpu_seconds(lambda: bias_by_complexity(scores, truth, complexity)),
        "partial": cpu_seconds(lambda: complexity_correlations(scores, truth, complexity)),
        "ceiling": cpu_seconds(lambda: ceiling(pd.concat([truth, scores], axis=1), kendall_tau), 1),
        "tau and interval": tau_seconds,
        f"scipy, {RESAMPLES} resamples": scipy_seconds,
        "ratio": scipy_seconds / tau_seconds,
    }


if __name__ == "__main__":
    with pd.option_context("display.width", 200, "display.max_columns", 20):
        print(pd.DataFrame([measure(n) for n in SIZES]).set_index("n").T.round(4).to_string())
    scores, truth, _ = example(423_624)
    print(f"tau of 423,624 architectures: {cpu_seconds(lambda: kendall_tau(scores, truth)):.3f} CPU s")
