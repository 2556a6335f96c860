"""A suite small enough for tests: narrow networks, noise images, a made-up table of accuracies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite import load_space

if TYPE_CHECKING:
    from pathlib import Path

SUITE = """
schema = 1
description = "A suite of the tests"
seeds = {seeds}
[[benchmark]]
space = "nasbench201"
dataset = "digits"
sizes = {{channels = 2, cells = 1}}
truth = {{table = "table.csv"}}
architectures = {{number = {number}, seed = 0}}
batch = {{size = 8, images = "noise"}}
"""
ESTIMATORS = ("params", "random", "snip", "synflow", "nwot")


def write_table(folder: Path, *, number: int = 40) -> Path:
    """A table of made-up accuracies, three trials each."""
    rng = np.random.default_rng(0)
    architectures = load_space("nasbench201").sample(number, rng)
    rows = [
        {"architecture": name, "accuracy": accuracy + trial / 10, "trial": trial}
        for name, accuracy in zip(architectures, rng.uniform(10, 90, number).round(2), strict=True)
        for trial in range(3)
    ]
    file = folder / "table.csv"
    pd.DataFrame(rows).to_csv(file, index=False)
    return file


def write_suite(
    folder: Path,
    *,
    number: int = 12,
    seeds: tuple[int, ...] = (0, 1),
    estimators: tuple[str, ...] = ESTIMATORS,
    name: str = "small",
) -> Path:
    """A suite file beside its table."""
    write_table(folder)
    lines = [SUITE.format(number=number, seeds=list(seeds))]
    lines += [f'[[estimator]]\nname = "{estimator}"\n' for estimator in estimators]
    file = folder / f"{name}.toml"
    file.write_text("".join(lines))
    return file
