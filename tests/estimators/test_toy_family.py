"""A family that benchsuite has never heard of is scored, stored, judged, reported and searched with: one file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from small import write_suite

from benchsuite.core import registry
from benchsuite.core.errors import SuiteError
from benchsuite.report.collect import collect
from benchsuite.report.write import write_report
from benchsuite.running.jobs import estimate_cpu_seconds, missing_jobs, missing_trainings
from benchsuite.running.runner import execute
from benchsuite.running.store import Store
from benchsuite.search.finding import find
from benchsuite.search.scoring import StoredScores
from benchsuite.search.setting import Search, prepare
from benchsuite.suites.plan import make_plan
from benchsuite.suites.record import record
from benchsuite.suites.schema import load_suite
from benchsuite.testing import check_estimator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchsuite.suites.plan import Plan

PLUGIN = Path(__file__).with_name("toy_family.py")
ELSEWHERE = '[[benchmark]]\nspace = "macro"\ndataset = "digits"\nbatch = {images = "noise"}\n'


@pytest.fixture(autouse=True)
def _forget_plugins() -> Iterator[None]:
    yield
    registry._plugins.clear()


def _plan(folder: Path, ending: str = "") -> Plan:
    file = write_suite(folder, number=12, seeds=(0, 1), estimators=("params", "random"))
    file.write_text(file.read_text(encoding="utf-8") + ending, encoding="utf-8")
    return make_plan(load_suite(file), plugins=[str(PLUGIN)])


def _jobs_of_this_process() -> list[list[str]]:
    return sys.modules[registry.load("estimator", "wide").__module__].JOBS


def test_it_is_planned_with_recipes_of_its_own_and_left_out_where_it_says_so(tmp_path: Path) -> None:
    first, macro = _plan(tmp_path, ELSEWHERE).benchmarks
    wide = [trial for trial in first.trials if trial.title == "wide"]
    assert [trial.seed for trial in wide] == [0, 1]
    assert {trial.recipe["favourite"] for trial in wide} == {"nor_conv_3x3"}
    assert all(len(trial.recipe["plugin"]) == 64 and "batch" not in trial.recipe for trial in wide)
    assert macro.skipped["wide"] == "wide: macro has other operations than nor_conv_3x3"
    assert {trial.title for trial in macro.trials} == {"params", "random"}


def test_its_hyperparameters_are_checked_before_anything_is_scored(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"wide: weight = -1.0; must be positive"):
        _plan(tmp_path, '[[estimator]]\nname = "wide"\nparameters = {weight = -1.0}\n')


def test_its_runs_of_one_seed_share_jobs_of_the_size_that_it_wants(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    with Store(tmp_path) as store:
        jobs = missing_jobs(plan, store)
        assert [(len(job.keys), len(job.architectures)) for job in jobs if job.task.chunk == 5] == 2 * [
            (2, 5), (2, 5), (2, 2),
        ]  # fmt: skip
        assert missing_trainings(jobs, store.trainings) == []
        assert estimate_cpu_seconds(jobs, store.trainings) >= 0


@pytest.mark.parametrize("processes", [1, 2])
def test_it_is_scored_stored_judged_and_reported(tmp_path: Path, processes: int) -> None:
    plan = _plan(tmp_path)
    _jobs_of_this_process().clear()
    with Store(tmp_path) as store:
        execute(missing_jobs(plan, store), store, plan, processes=processes)
        assert missing_jobs(plan, store) == []
        assert bool(_jobs_of_this_process()) == (processes == 1)
        (part,) = plan.benchmarks
        trial = next(trial for trial in part.trials if (trial.title, trial.seed) == ("wide", 1))
        found = store.scores([trial.key]).set_index("architecture")["value"]
        for architecture in part.architectures:
            operations = part.setting.space.operations(architecture)
            expected = sum(place + 2 for place, name in enumerate(operations) if name == "nor_conv_3x3")
            assert found[architecture] == expected
        store.save_suite("small", record(plan, "benchsuite run small.toml --plugin toy_family.py"))
        registry._plugins.clear()  # a report runs no plug-in
        write_report(collect(store, "small"), tmp_path / "report")
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "likeness of operations on nasbench201" in text
    board = pd.read_csv(tmp_path / "report" / "tables" / "leaderboard.csv").set_index("estimator")
    assert board.loc["wide", "family"] == "likeness"
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "Favourite of each estimator" in page


def test_it_is_searched_with(tmp_path: Path) -> None:
    search = Search("nasbench201", "digits", "wide", algorithm="evolution", budget=12, population=4)
    prepared = prepare(search, plugins=[str(PLUGIN)])
    with Store(tmp_path) as store:
        finding = find(prepared, StoredScores(prepared.plan, store), "benchsuite search")
    assert finding.evaluated["score"].notna().all()
    assert len(finding.evaluated) == 12


def test_it_has_no_rule_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(
        SuiteError.__base__, match="needs a differentiable method, such as darts or pc_darts; wide is not"
    ):
        prepare(Search("nasbench201", "digits", "wide", algorithm="own"), plugins=[str(PLUGIN)])


def test_its_promises_are_checked() -> None:
    registry.load_plugin(PLUGIN)
    check_estimator(registry.make_estimator("wide"))
