"""How surely the estimators of a finished suite differ from one of them: paired intervals on the same architectures.

    python benchmarks/paired_differences.py one-shot --to "uniform(epoch=40, readout=loss)" --store .benchsuite

Prints Markdown, a table for each benchmark that has the named estimator: Kendall's tau and P@top 5 % to the truth,
means over trials, tau of each trial, differences of the means with their intervals, which hold for these trials.
`--only` keeps the estimators whose name has one of the words.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.comparison import compare
from benchsuite.analysis.correlation import kendall_tau
from benchsuite.analysis.top_k import precision_at_top
from benchsuite.core.errors import UnknownNameError
from benchsuite.core.types import ARCHITECTURE
from benchsuite.report.collect import collect
from benchsuite.report.render.markdown import indexed
from benchsuite.report.render.words import interval, number
from benchsuite.running.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.report.results import BenchmarkResults

    Trials = dict[str, list[pd.Series[float]]]

CRITERIA = {"kendall_tau": "tau", "precision_at_top": "P@top 5 %"}
TOP = 0.05
DIGITS = 3


def main() -> None:
    """Compare and print."""
    options = _options()
    with Store(options.store, create=False) as store:
        results = collect(store, options.suite)
    names = {name for part in results.benchmarks for name in part.scores["estimator"].unique()}
    if options.to not in names:
        raise UnknownNameError("estimator of the suite", options.to, sorted(names))
    for part in results.benchmarks:
        found = trials(part, options.to, options.only)
        if options.to in found:
            print(f"## {part.benchmark}: {part.population}; differences to {options.to}\n")
            print(f"{indexed(differences(found, part.truth, options.to))}\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", help="name of a suite that the store has results of")
    parser.add_argument("--to", required=True, help="estimator to compare with, as the report names it")
    parser.add_argument("--only", nargs="*", default=[""], help="words, one of which is in an estimator's name")
    parser.add_argument("--store", type=Path, required=True, help="folder of the scores")
    return parser.parse_args()


def trials(results: BenchmarkResults, to: str, only: Sequence[str]) -> Trials:
    """Scores by architecture of each trial of the estimators asked for."""
    found: Trials = {}
    for (name, _, _), rows in results.scores.groupby(["estimator", "seed", "batch_seed"], sort=False, dropna=False):
        if name == to or any(word in name for word in only):
            found.setdefault(name, []).append(rows.set_index(ARCHITECTURE)["value"])
    return found


def differences(found: Trials, truth: pd.Series[float], to: str) -> pd.DataFrame:
    """A row for each estimator, best tau first, as text: figures, tau of each trial, differences with intervals."""
    rows, order = {}, {}
    for name, scores in found.items():
        aligned = [each.reindex(truth.index) for each in scores]
        taus = [kendall_tau(each, truth) for each in aligned]
        order[name] = fmean(taus)
        rows[name] = {
            "tau": number(order[name], DIGITS),
            "P@top 5 %": number(fmean(precision_at_top(each, truth, TOP) for each in aligned), DIGITS),
            "tau of each trial": ", ".join(number(tau, DIGITS) for tau in taus),
            **{f"{words}, difference": _difference(scores, found[to], truth, key) for key, words in CRITERIA.items()},
        }
    best_first = sorted(rows, key=lambda name: -order[name])
    return pd.DataFrame.from_dict({name: rows[name] for name in best_first}, orient="index").rename_axis("estimator")


def _difference(
    first: Sequence[pd.Series[float]], second: Sequence[pd.Series[float]], truth: pd.Series[float], criterion: str
) -> str:
    if first is second:
        return ""
    pair = compare({"first": first, "second": second}, truth, criterion=criterion, k=TOP).iloc[0]
    return f"{number(pair['difference'], DIGITS)} ({interval(pair['low'], pair['high'], DIGITS)})"


if __name__ == "__main__":
    main()
