"""Write published scores of NAS-Bench-201 (NAS-Bench-Suite-Zero, CIFAR-10) as a file that benchsuite judges.

    python benchmarks/published_proxies.py nasbench201_proxies_cifar10.parquet published-proxies.csv
    benchsuite scores import published-proxies.csv --transfer cifar100 --transfer imagenet16-120
    benchsuite report published-proxies

The published table has the official `index` of each architecture and one column per estimator. Its parameters and FLOPs
are left out: a report counts both itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from benchsuite.spaces.nasbench201.space import NASBench201

BENCHMARK = "nasbench201/cifar10"
NAMES = {"jacov": "jacob_cov"}  # where the published column has another name
COUNTED = ["params", "flops"]


def score_table(published: pd.DataFrame) -> pd.DataFrame:
    """Rows benchmark, estimator, architecture, score from one column per estimator."""
    strings = np.array(NASBench201().every_string())
    named = published.drop(columns=COUNTED).rename(columns=NAMES)
    named["architecture"] = strings[named.pop("index")]
    table = named.melt("architecture", var_name="estimator", value_name="score")
    return table.assign(benchmark=BENCHMARK)[["benchmark", "estimator", "architecture", "score"]]


def main() -> None:
    """Read the Parquet file, write the CSV file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("published", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    score_table(pd.read_parquet(options.published)).to_csv(options.out, index=False)
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
