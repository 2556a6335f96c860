"""Synthetic results from a known noise model, so that the figures of a report can be checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from benchsuite.report.results import BenchmarkResults, Results

if TYPE_CHECKING:
    from collections.abc import Callable

# estimator -> (correlation with quality, weight of size, seeded, CPU seconds)
ESTIMATORS = {
    "nwot": (0.85, 0.0, True, 0.031),
    "synflow": (0.55, 0.7, False, 0.024),
    "jacob_cov": (0.80, -0.2, True, 0.044),
    "snip": (0.60, 0.3, True, 0.051),
    "grad_norm": (0.58, 0.3, True, 0.049),
    "fisher": (0.50, 0.4, True, 0.055),
    "grasp": (0.45, 0.1, True, 0.21),
    "plain": (-0.3, 0.1, True, 0.05),
    "random": (0.0, 0.0, True, 1e-5),
}
COMMAND = "benchsuite run quickstart --jobs 2"


def _scores(rng, names, quality, size, seeds, architectures):
    rows = []
    for name in names:
        strength, weight, seeded, cost = ESTIMATORS.get(name, (0.4, 0.2, True, 0.04))
        for seed in range(seeds) if seeded else [None]:
            noise = rng.normal(size=len(quality))
            value = strength * quality + weight * size + np.sqrt(max(1 - strength**2, 0.05)) * noise * 0.6
            rows.append(
                pd.DataFrame(
                    {
                        "estimator": name,
                        "family": "baseline" if name == "random" else "zero-shot",
                        "seed": seed,
                        "batch_seed": 0 if seeded else None,
                        "architecture": architectures,
                        "value": value,
                        "status": "ok",
                        "reason": "",
                        "cpu_seconds": cost * rng.uniform(0.8, 1.3, len(quality)),
                    }
                )
            )
    for name, values in (("params", size), ("flops", np.round(size + 0.1 * rng.normal(size=len(size)), 1))):
        rows.append(
            pd.DataFrame(
                {
                    "estimator": name,
                    "family": "baseline",
                    "seed": None,
                    "batch_seed": None,
                    "architecture": architectures,
                    "value": values,
                    "status": "ok",
                    "reason": "",
                    "cpu_seconds": 1e-6,
                }
            )
        )
    return pd.concat([frame.astype({"seed": "Int64", "batch_seed": "Int64"}) for frame in rows], ignore_index=True)


def _benchmark(name, n, estimators, seeds, trials, seed):
    rng = np.random.default_rng(seed)
    architectures = pd.Index([f"|op{i:05d}~0|" for i in range(n)], name="architecture")
    quality = rng.normal(size=n)
    size = np.round(0.6 * quality + 0.8 * rng.normal(size=n), 1)
    accuracy = 90 + 2 * quality[:, None] + 0.3 * rng.normal(size=(n, trials))
    table = pd.DataFrame(accuracy, index=architectures, columns=range(trials))
    params = np.exp(size + 12).astype(int)
    macs = params * 90
    complexity = pd.DataFrame(
        {"params": params, "macs": macs, "live_params": params, "live_macs": macs}, index=architectures
    )
    return BenchmarkResults(
        benchmark=name,
        population=f"{n} of the 6,466 string classes, sampled with seed 0",
        caption="full-size networks (C=16, N=5); minibatch of 64 noise images; truth: synthetic",
        truth=table.mean(axis=1),
        trials=table,
        complexity=complexity,
        scores=_scores(rng, estimators, quality, size, seeds, architectures),
        protocol={"minibatch": "64 noise images", "initialisation": "PyTorch defaults, seeds 0 to 2"},
        skipped={"early_accuracy": "the truth has no learning curves"},
    )


@pytest.fixture(scope="session")
def make_results() -> Callable[..., Results]:
    """Return results of a synthetic suite; quality, size and noise are independent normal variables."""

    def make(benchmarks=("nasbench201/cifar10",), n=60, estimators=tuple(ESTIMATORS), seeds=3, trials=3):
        parts = [_benchmark(name, n, estimators, seeds, trials, seed) for seed, name in enumerate(benchmarks)]
        provenance = {
            "benchsuite": "0.1.0",
            "torch": "2.13.0",
            "Python": "3.11.2",
            "CPU": "a processor",
            "date": "2025-01-01",
            "command": COMMAND,
        }
        return Results("quickstart", "Zero-shot estimators on synthetic truth.", tuple(parts), provenance)

    return make
