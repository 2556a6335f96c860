"""Compare a run on NAS-Bench-201 with published scores of the same architectures: tau of both on one population.

    python benchmarks/compare_published.py zero-shot nasbench201_proxies_cifar10.parquet --store .benchsuite

The published table has the official `index` of each architecture and one column per estimator (NAS-Bench-Suite-Zero).
The population is every architecture of the run that the published table has too, string by string; tau is averaged over
our seeds, and the truth is the mean of the string's class. How far two initialisations of ours agree, in the run itself
or in another with several seeds (--repeated), says how much agreement can be expected. Prints Markdown.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, spearmanr

from benchsuite.report.collect import collect
from benchsuite.report.render.markdown import indexed
from benchsuite.running.store import Store
from benchsuite.spaces.nasbench201.space import NASBench201

if TYPE_CHECKING:
    from benchsuite.report.results import BenchmarkResults

BENCHMARK = "nasbench201/cifar10"
NAMES = {"jacov": "jacob_cov"}  # where the published column has another name
DRAWS = 400


def published_scores(file: Path) -> pd.DataFrame:
    """Published scores by architecture string."""
    strings = np.array(NASBench201().every_string())
    table = pd.read_parquet(file).rename(columns=NAMES)
    return table.set_axis(strings[table.pop("index")])


def lowest_where_undefined(scores: pd.DataFrame) -> np.ndarray:
    """Scores with undefined ones below all others, as benchsuite ranks them."""
    values: np.ndarray = scores.fillna(scores.min() - 1).to_numpy()
    return values


def mean_tau(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean tau-b over the columns (seeds)."""
    return float(np.mean([kendalltau(column, truth).statistic for column in scores.T]))


def compare(results: BenchmarkResults, published: pd.DataFrame) -> pd.DataFrame:
    """One row per estimator in both: n, our tau (mean over seeds), theirs, the difference and its 95 % interval."""
    columns = ["estimator", "n", "tau ours", "tau published", "difference", "low", "high", "rank correlation of scores"]
    names = sorted(set(results.scores["estimator"]) & set(published.columns))
    return pd.DataFrame([_row(name, results, published[[name]]) for name in names], columns=columns)


def scores_by_seed(name: str, results: BenchmarkResults) -> pd.DataFrame:
    """An estimator's scores: architectures x seeds."""
    rows = results.scores[results.scores["estimator"] == name]
    return rows.assign(seed=rows["seed"].fillna(0)).pivot_table(
        index="architecture", columns="seed", values="value", aggfunc="first", dropna=False
    )


def agreement_of_seeds(results: BenchmarkResults) -> pd.Series[float]:
    """Mean rank correlation of scores between two seeds, by estimator; NaN for a single seed."""
    found = {}
    for name in sorted(set(results.scores["estimator"])):
        scores = lowest_where_undefined(scores_by_seed(name, results)).T
        found[name] = np.mean([spearmanr(one, two).statistic for one, two in combinations(scores, 2)] or [np.nan])
    return pd.Series(found, name="between two of our seeds", dtype=float)


def _row(name: str, results: BenchmarkResults, published: pd.DataFrame) -> tuple[str, int, *tuple[float, ...]]:
    ours = scores_by_seed(name, results)
    common = results.truth.index.intersection(published.index).intersection(ours.index)
    mine, theirs = lowest_where_undefined(ours.loc[common]), lowest_where_undefined(published.loc[common])
    truth = results.truth.loc[common].to_numpy()
    one, two = mean_tau(mine, truth), mean_tau(theirs, truth)
    agreement = np.mean([spearmanr(column, theirs[:, 0]).statistic for column in mine.T])
    return (name, len(common), one, two, one - two, *_interval(mine, theirs, truth), float(agreement))


def _interval(mine: np.ndarray, theirs: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Paired bootstrap interval of the difference of taus, over architectures."""
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(DRAWS):
        drawn = rng.integers(len(truth), size=len(truth))
        draws.append(mean_tau(mine[drawn], truth[drawn]) - mean_tau(theirs[drawn], truth[drawn]))
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    """Print the comparison of a suite's run with the published scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite")
    parser.add_argument("published", type=Path)
    parser.add_argument("--repeated", metavar="SUITE", help="run with several seeds; default: the run itself")
    parser.add_argument("--store", type=Path, default=Path(".benchsuite"))
    arguments = parser.parse_args()
    with Store(arguments.store, create=False) as store:
        results, repeated = (_results(store, name) for name in (arguments.suite, arguments.repeated or arguments.suite))
    table = compare(results, published_scores(arguments.published))
    print(indexed(table.set_index("estimator").join(agreement_of_seeds(repeated))))


def _results(store: Store, suite: str) -> BenchmarkResults:
    """The run's only benchmark on the space and data set of the published scores."""
    (results,) = (part for part in collect(store, suite).benchmarks if part.benchmark == BENCHMARK)
    return results


if __name__ == "__main__":
    main()
