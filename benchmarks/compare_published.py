"""Compare a run on NAS-Bench-201 with published scores of the same architectures: tau of both on one population.

    python benchmarks/compare_published.py nasbench201-zero-shot nasbench201_proxies_cifar10.parquet --store .benchsuite

The published table has the official `index` of each architecture and one column per estimator (NAS-Bench-Suite-Zero).
The population is every string class of the run with a member in the published table: our score is the
representative's, and tau is averaged over the seeds; theirs is the mean
over the members found, and the truth is the class mean. Prints Markdown.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, spearmanr

from benchsuite.report.collect import collect
from benchsuite.spaces.nasbench201 import NASBench201
from benchsuite.store import Store

if TYPE_CHECKING:
    from benchsuite.report.results import BenchmarkResults

NAMES = {"jacov": "jacob_cov"}  # where the published column has another name
DRAWS = 1000


def published_scores(file: Path) -> pd.DataFrame:
    """Published scores by class representative: mean over the members in the table."""
    space = NASBench201()
    strings = np.array(space.every_string())
    table = pd.read_parquet(file).rename(columns=NAMES)
    classes = [space.canonical(name) for name in strings[table.pop("index")]]
    return table.groupby(classes).mean()


def tau(scores: pd.Series, truth: pd.Series) -> float:
    """Tau-b with undefined scores last, as benchsuite ranks them."""
    lowest = scores.min() - 1
    return float(kendalltau(scores.fillna(lowest), truth.loc[scores.index]).statistic)


def compare(results: BenchmarkResults, published: pd.DataFrame) -> pd.DataFrame:
    """One row per estimator in both: n, our tau (mean over seeds), theirs, the difference and its 95 % interval."""
    truth = results.truth
    rows = []
    for name in sorted(set(results.scores["estimator"]) & set(published.columns)):
        ours = results.scores[results.scores["estimator"] == name].pivot_table(
            index="architecture", columns="seed", values="value", dropna=False
        )
        if ours.empty:  # no seed: one column
            ours = results.scores[results.scores["estimator"] == name].set_index("architecture")[["value"]]
        common = truth.index.intersection(published.index).intersection(ours.index)
        mine, theirs = ours.loc[common], published.loc[common, name]
        low, high = _interval(mine, theirs, truth.loc[common])
        mean = float(np.mean([tau(mine[seed], truth) for seed in mine]))
        agreement = float(np.mean([spearmanr(mine[seed], theirs, nan_policy="omit").statistic for seed in mine]))
        rows.append((name, len(common), mean, tau(theirs, truth), mean - tau(theirs, truth), low, high, agreement))
    columns = ["estimator", "n", "tau ours", "tau published", "difference", "low", "high", "rank correlation of scores"]
    return pd.DataFrame(rows, columns=columns)


def _interval(mine: pd.DataFrame, theirs: pd.Series, truth: pd.Series) -> tuple[float, float]:
    """Paired bootstrap interval of the difference of taus, first seed."""
    rng = np.random.default_rng(0)
    ours, other, target = mine.iloc[:, 0].to_numpy(), theirs.to_numpy(), truth.to_numpy()
    ours, other = (np.nan_to_num(values, nan=np.nanmin(values) - 1) for values in (ours, other))
    draws = []
    for _ in range(DRAWS):
        drawn = rng.integers(len(target), size=len(target))
        one, two = (kendalltau(values[drawn], target[drawn]).statistic for values in (ours, other))
        draws.append(one - two)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def markdown(table: pd.DataFrame) -> str:
    """The table in Markdown, three decimals."""
    lines = ["| " + " | ".join(table.columns) + " |", "|" + " --- |" * len(table.columns)]
    for row in table.itertuples(index=False):
        cells = [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the comparison of a suite's run with the published scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite")
    parser.add_argument("published", type=Path)
    parser.add_argument("--store", type=Path, default=Path(".benchsuite"))
    arguments = parser.parse_args()
    with Store(arguments.store, create=False) as store:
        (results,) = collect(store, arguments.suite).benchmarks
    print(markdown(compare(results, published_scores(arguments.published))))


if __name__ == "__main__":
    main()
