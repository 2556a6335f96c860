"""All tables of a report in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.core.types import ARCHITECTURE
from benchsuite.report.collect import collect
from benchsuite.report.evidence import Evidence
from benchsuite.report.judgement import judge_benchmark
from benchsuite.report.registered import registered_sections, with_what_they_read
from benchsuite.report.render.words import unique
from benchsuite.report.results import BenchmarkResults, Results
from benchsuite.running.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchsuite.report.contract import Section

_STORE = Path(".benchsuite")


def judge(
    suite: str | Results, *, store: str | Path = _STORE, sections: Sequence[str] | None = None
) -> dict[str, dict[str, pd.DataFrame]]:
    """Judge the stored scores of a suite and return all tables of its report.

    Parameters
    ----------
    suite
        Name of a suite that has been run, or its results.
    store
        Folder of finished scores; not read where results are given.
    sections
        Names of the sections whose tables are wanted, and with them those of the sections that they read; all by
        default.

    Returns
    -------
    dict
        Tables by benchmark, such as "nasbench201/cifar10" (a second one of a name is numbered), and by their own name,
        such as "leaderboard". `benchsuite.report.sections` says what each column holds, in TABLES of every section.

    Raises
    ------
    StoreError
        If the suite has not been run in this store.
    UnknownNameError
        If no section has one of the names.

    Examples
    --------
    The best estimators of each benchmark, and where they are biased::

        for benchmark, tables in benchsuite.judge("quickstart").items():
            print(benchmark, tables["leaderboard"][["estimator", "kendall_tau"]].head())
            print(tables["bias"].query("estimator == 'nwot'"))
    """
    results = suite if isinstance(suite, Results) else _collected(suite, store)
    wanted = _wanted(sections)
    names = unique([each.benchmark for each in results.benchmarks], "{} ({})")
    judged = [judge_benchmark(Evidence(each, results.published), wanted) for each in results.benchmarks]
    return {name: each.tables for name, each in zip(names, judged, strict=True)}


def judge_scores(
    scores: Mapping[str, pd.Series] | pd.DataFrame,
    truth: pd.Series,
    *,
    sizes: pd.DataFrame | None = None,
    sections: Sequence[str] | None = None,
) -> dict[str, pd.DataFrame]:
    """Judge scores of your own against ground truth of your own and return all tables of a report.

    Parameters
    ----------
    scores
        Scores by architecture (higher is better, NaN = undefined), by the name of the estimator.
    truth
        Accuracy in percent by architecture.
    sizes
        Columns params and macs by architecture; without them what rests on sizes is empty: bias by size, what is known
        beyond it, and the size baselines.
    sections
        Names of the sections whose tables are wanted; all by default.

    Returns
    -------
    dict
        Tables by name, as `judge` returns them for each benchmark.

    Examples
    --------
    >>> import numpy as np
    >>> truth = pd.Series(np.arange(30.0), [f"a{i}" for i in range(30)])
    >>> tables = judge_scores({"good": truth**3, "bad": -truth}, truth, sections=["leaderboard"])
    >>> tables["leaderboard"][["estimator", "kendall_tau"]].to_numpy().tolist()
    [['good', 1.0], ['bad', -1.0]]
    """
    columns = {str(name): values for name, values in scores.items()}
    long = pd.concat(columns, names=["estimator", ARCHITECTURE]).rename("value")
    table = long.reset_index().assign(family="", seed=pd.NA, batch_seed=pd.NA, reason="", cpu_seconds=float("nan"))
    table["status"] = table["value"].notna().map({True: "ok", False: "undefined"})
    results = BenchmarkResults(
        benchmark="scores/yours",
        population=f"{len(truth):,} architectures",
        caption="scores and ground truth as given",
        truth=truth,
        trials=truth.to_frame(),
        complexity=pd.DataFrame(index=truth.index) if sizes is None else _complete(sizes),
        scores=table,
        protocol={},
        skipped={},
    )
    return judge_benchmark(Evidence(results), _wanted(sections)).tables


def _collected(suite: str, store: str | Path) -> Results:
    with Store(Path(store), create=False) as held:
        return collect(held, suite)


def _wanted(sections: Sequence[str] | None) -> tuple[Section, ...]:
    known = registered_sections()
    return known if sections is None else with_what_they_read(sections, known)


def _complete(sizes: pd.DataFrame) -> pd.DataFrame:
    """Return the size measures with those of built networks, which are the same as far as is known."""
    return pd.DataFrame({"live_params": sizes["params"], "live_macs": sizes["macs"], **sizes})
