"""All tables in Python, of stored suites and of scores of one's own; sections by name."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau
from small import write_suite

import benchsuite
from benchsuite.core.errors import UnknownNameError
from benchsuite.report.registered import registered_sections
from benchsuite.running.jobs import missing_jobs
from benchsuite.running.runner import execute
from benchsuite.running.store import Store, StoreError
from benchsuite.suites.plan import make_plan
from benchsuite.suites.record import record
from benchsuite.suites.schema import load_suite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchsuite.report.results import Results


@pytest.fixture
def ours() -> tuple[dict[str, pd.Series], pd.Series, pd.DataFrame]:
    """Scores of two estimators, accuracies and sizes of 80 architectures."""
    rng = np.random.default_rng(0)
    index = pd.Index([f"a{i}" for i in range(80)])
    truth = pd.Series(rng.normal(size=80), index)
    scores = {"good": truth + 0.5 * rng.normal(size=80), "bad": -truth}
    sizes = pd.DataFrame(rng.integers(1, 1000, (80, 2)), index, ["params", "macs"])
    return scores, truth, sizes


def test_every_section_s_declared_tables_are_there_under_the_benchmark_s_name(
    make_results: Callable[..., Results],
) -> None:
    results = make_results(("nasbench201/digits", "nasbench201/digits"), n=20, estimators=("nwot",))
    found = benchsuite.judge(results)
    assert list(found) == ["nasbench201/digits", "nasbench201/digits (2)"]
    declared = {name for section in registered_sections() for name in section.schemas}
    assert set(found["nasbench201/digits"]) == declared
    assert found["nasbench201/digits"]["leaderboard"]["estimator"].tolist()[0] == "nwot"


def test_chosen_sections_come_with_those_that_they_read(make_results: Callable[..., Results]) -> None:
    (found,) = benchsuite.judge(make_results(n=20, estimators=("nwot",)), sections=["misjudged"]).values()
    assert {"mistakes", "leaderboard"} <= set(found)
    assert "search" not in found
    with pytest.raises(UnknownNameError, match="misjudged"):
        benchsuite.judge(make_results(n=20), sections=["misjuged"])


def test_a_stored_suite_is_judged_by_its_name(tmp_path: Path) -> None:
    plan = make_plan(load_suite(write_suite(tmp_path, number=6, estimators=("params", "snip"))))
    with Store(tmp_path) as store:
        execute(missing_jobs(plan, store), store, plan)
        store.save_suite("small", record(plan, ""))
    (tables,) = benchsuite.judge("small", store=tmp_path).values()
    assert set(tables["leaderboard"]["estimator"]) == {"params", "flops", "snip"}
    with pytest.raises(StoreError, match="large"):
        benchsuite.judge("large", store=tmp_path)


def test_scores_of_one_s_own_are_judged_against_ground_truth_of_one_s_own(ours) -> None:
    scores, truth, sizes = ours
    board = benchsuite.judge_scores(scores, truth)["leaderboard"].set_index("estimator")
    assert board.index.tolist() == ["good", "bad"]
    assert board.loc["good", "kendall_tau"] == pytest.approx(kendalltau(scores["good"], truth).statistic)
    with_sizes = benchsuite.judge_scores(pd.DataFrame(scores), truth, sizes=sizes)
    assert set(with_sizes["leaderboard"]["estimator"]) == {"good", "bad", "params", "flops"}
    assert set(with_sizes["bias"]["complexity"]) == {"params", "macs"}


def test_without_sizes_what_rests_on_them_is_empty_and_all_else_is_there(ours) -> None:
    scores, truth, _ = ours
    tables = benchsuite.judge_scores({**scores, "part": scores["good"].iloc[:30].where(truth > -1)}, truth)
    assert all(tables[name].empty for name in ("bias", "size", "size_orders", "exchanges"))
    assert all(len(tables[name]) for name in ("comparisons", "search", "within_ends", "mistakes", "ranks", "agreement"))
    assert tables["leaderboard"].set_index("estimator").loc["part", "n"] == 30


def test_judge_is_found_without_loading_pandas() -> None:
    code = "import sys, benchsuite; assert 'judge' in benchsuite.__all__; assert 'pandas' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
