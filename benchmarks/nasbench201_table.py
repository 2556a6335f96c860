"""Write a wide table of NAS-Bench-201 results as a table that benchsuite imports, single trainings included.

    python benchmarks/nasbench201_table.py nasbench201.parquet table.parquet
    benchsuite data import table.parquet --benchmark nasbench201/cifar10

The wide table has one row per architecture: `c10_test12` (12 epochs), `c10_test200_mean` and, where they are known, the
single trainings `c10_test200_v1..v3`. Those are stored in ascending order, which would make the first training the
worst everywhere: they are permuted within each row. Where single trainings are unknown, their mean is the one trial.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from benchsuite.data.cards import write_card

TITLE = "NAS-Bench-201, CIFAR-10: 200-epoch trainings, single ones where known, else their mean"
SINGLE = ["c10_test200_v1", "c10_test200_v2", "c10_test200_v3"]


def long_table(wide: pd.DataFrame) -> pd.DataFrame:
    """Rows architecture, accuracy, trial, epochs, split."""
    values = wide[SINGLE].to_numpy().copy()
    unknown = np.isnan(values).all(axis=1)
    values[unknown, 0] = wide.loc[unknown, "c10_test200_mean"]
    values = np.random.default_rng(0).permuted(values, axis=1)
    full = pd.DataFrame({"architecture": np.repeat(wide["architecture"].to_numpy(), 3), "accuracy": values.ravel()})
    full = full.dropna().assign(epochs=200)
    early = wide[["architecture", "c10_test12"]].rename(columns={"c10_test12": "accuracy"}).dropna().assign(epochs=12)
    table = pd.concat([full, early], ignore_index=True)
    trial = table.groupby(["architecture", "epochs"], sort=False).cumcount()
    return table.assign(trial=trial, split="test")


def main() -> None:
    """Convert the file named first into the file named second."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wide", type=Path)
    parser.add_argument("long", type=Path)
    arguments = parser.parse_args()
    table = long_table(pd.read_parquet(arguments.wide))
    table.to_parquet(arguments.long, index=False)
    write_card(arguments.long, {"title": TITLE})
    print(f"{table['architecture'].nunique():,} architectures, {len(table):,} rows: {arguments.long}")


if __name__ == "__main__":
    main()
