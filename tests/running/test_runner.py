from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from small import ESTIMATORS, write_suite

from benchsuite.core import registry
from benchsuite.estimators.zero_shot.task import ProbeTask
from benchsuite.running.jobs import estimate_cpu_seconds, missing_jobs
from benchsuite.running.runner import execute
from benchsuite.running.store import Store
from benchsuite.suites.plan import make_plan
from benchsuite.suites.record import record
from benchsuite.suites.schema import load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOW_PLUGIN = """
import time
from dataclasses import dataclass
from typing import ClassVar
from benchsuite import ZeroShotEstimator

@dataclass(frozen=True, slots=True)
class Slow(ZeroShotEstimator):
    name: ClassVar[str] = "slow"
    needs: ClassVar[tuple[str, ...]] = ("logits",)
    def score(self, probe):
        time.sleep(0.1)
        return float(probe.logits.sum())
"""
LISTENING = """
import signal
from benchsuite.cli import main
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started deaf to Ctrl-C
    main()
"""
TRIALS_OF_TWO_SEEDS = 1 + 4 * 2  # params needs no seed


@pytest.fixture(autouse=True)
def _forget_plugins() -> Iterator[None]:
    yield
    registry._plugins.clear()


def _run(file: Path, store: Path, **options: Any) -> int:
    processes = options.pop("processes", 1)
    plan = make_plan(load_suite(file), **options)
    with Store(store) as held:
        return execute(missing_jobs(plan, held), held, plan, processes=processes).computed


def _values(store: Path) -> pd.DataFrame:
    with closing(sqlite3.connect(store / "store.sqlite")) as connection:
        frame = pd.read_sql(
            "SELECT recipe, architecture, value, status, reason, attempts, rowid FROM score", connection
        )
    return frame.set_index(["recipe", "architecture"]).sort_index()


def test_second_run_executes_nothing(tmp_path: Path) -> None:
    file = write_suite(tmp_path)
    assert _run(file, tmp_path) == TRIALS_OF_TWO_SEEDS * 12
    assert _run(file, tmp_path) == 0


def test_a_larger_sample_computes_only_what_is_new(tmp_path: Path) -> None:
    file = write_suite(tmp_path, number=9)
    _run(file, tmp_path)
    before = _values(tmp_path)
    assert _run(write_suite(tmp_path, number=15), tmp_path) == TRIALS_OF_TWO_SEEDS * 6
    pd.testing.assert_frame_equal(_values(tmp_path).loc[before.index], before)


def test_a_suite_enlarged_from_300_to_500_architectures_lacks_200(tmp_path: Path) -> None:
    text = write_suite(tmp_path, estimators=("params", "flops")).read_text()
    write_full_table(tmp_path)
    small, large = tmp_path / "small.toml", tmp_path / "large.toml"
    small.write_text(text.replace("number = 12", "number = 300"))
    large.write_text(text.replace("number = 12", "number = 500"))
    assert _run(small, tmp_path) == 2 * 300
    assert _run(large, tmp_path) == 2 * 200


def write_full_table(folder: Path) -> None:
    """Accuracies of all classes."""
    names = registry.load_space("nasbench201").architectures()
    pd.DataFrame({"architecture": names, "accuracy": 50.0}).to_csv(folder / "table.csv", index=False)


def test_scores_depend_on_no_chunk_process_or_companion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_suite(tmp_path)
    _run(file, tmp_path / "one")
    _run(file, tmp_path / "processes", processes=2)
    monkeypatch.setattr(ProbeTask, "chunk", 1)
    for estimator in ESTIMATORS:
        _run(write_suite(tmp_path, estimators=(estimator,)), tmp_path / "alone")
    reference = _values(tmp_path / "one")["value"]
    assert reference.notna().any()
    pd.testing.assert_series_equal(_values(tmp_path / "processes")["value"], reference, check_exact=True)
    pd.testing.assert_series_equal(_values(tmp_path / "alone")["value"], reference, check_exact=True)


def test_correcting_the_table_or_its_sample_rescores_nothing(tmp_path: Path) -> None:
    file = write_suite(tmp_path)
    _run(file, tmp_path)
    table = pd.read_csv(tmp_path / "table.csv")
    table.assign(accuracy=table["accuracy"] + 1).to_csv(tmp_path / "table.csv", index=False)
    plan = make_plan(load_suite(file))
    with Store(tmp_path) as store:
        assert missing_jobs(plan, store) == []


def test_a_changed_recipe_is_scored_anew(tmp_path: Path) -> None:
    file = write_suite(tmp_path, estimators=("nwot", "synflow"), seeds=(0,))
    _run(file, tmp_path)
    file.write_text(file.read_text().replace("size = 8", "size = 9"))
    assert _run(file, tmp_path) == 12, "synflow sees no image, so only nwot is scored anew"
    file.write_text(file.read_text().replace("channels = 2", "channels = 3"))
    assert _run(file, tmp_path) == 24


def test_fast_scores_are_computed_and_kept_beside_the_usual_ones(tmp_path: Path) -> None:
    file = write_suite(tmp_path, estimators=("params", "nwot", "snip"), seeds=(0,), number=6)
    _run(file, tmp_path)
    usual = _values(tmp_path)
    assert _run(file, tmp_path, fast=True) == 2 * 6, "params sees no network"
    both = _values(tmp_path)
    pd.testing.assert_frame_equal(both.loc[usual.index], usual)
    assert len(both) == len(usual) + 2 * 6


def test_a_plugins_content_is_part_of_its_recipe(tmp_path: Path) -> None:
    file, plugin = write_suite(tmp_path, estimators=("params",), number=2, seeds=(0,)), tmp_path / "slow.py"
    plugin.write_text(SLOW_PLUGIN)
    assert _run(file, tmp_path, plugins=[str(plugin)]) == 4
    registry._plugins.clear()
    plugin.write_text(SLOW_PLUGIN.replace("probe.logits.sum()", "probe.logits.max()"))
    assert _run(file, tmp_path, plugins=[str(plugin)]) == 2


def test_the_limit_takes_the_first_of_the_sample(tmp_path: Path) -> None:
    file = write_suite(tmp_path)
    whole, part = make_plan(load_suite(file)), make_plan(load_suite(file), limit=5)
    assert part.benchmarks[0].architectures == whole.benchmarks[0].architectures[:5]


def test_a_failure_is_recorded_with_its_reason_and_ends_nothing(tmp_path: Path) -> None:
    plugin = tmp_path / "slow.py"
    plugin.write_text(SLOW_PLUGIN.replace("time.sleep(0.1)", 'raise MemoryError("64 GiB wanted")'))
    file = write_suite(tmp_path, number=3, seeds=(0,), estimators=("snip",))
    plan = make_plan(load_suite(file), plugins=[str(plugin)])
    with Store(tmp_path) as store:
        for attempt in range(3):
            outcome = execute(missing_jobs(plan, store), store, plan)
            assert (outcome.computed, outcome.failed) == ((6, 3) if attempt == 0 else (3, 3))
        assert missing_jobs(plan, store) == []
        assert sum(job.size for job in missing_jobs(plan, store, retry_failed=True)) == 3
        (key,) = [trial.key for trial in plan.benchmarks[0].trials if trial.estimator.name == "slow"]
        assert set(store.scores([key])["reason"]) == {"MemoryError: 64 GiB wanted"}


def test_an_architecture_that_kills_its_worker_is_recorded_and_costs_no_score_of_others(tmp_path: Path) -> None:
    file, plugin = write_suite(tmp_path, number=9, seeds=(0,), estimators=("params", "snip")), tmp_path / "slow.py"
    _run(file, tmp_path / "reference")
    expected = _values(tmp_path / "reference")["value"]
    (part,) = make_plan(load_suite(file)).benchmarks
    sizes = {name: part.setting.space.complexity(name, part.setting.dataset).live_params for name in part.architectures}
    guilty = [name for name, size in sizes.items() if size == max(sizes.values())]
    condition = f"if sum(map(torch.numel, probe.network.parameters())) == {max(sizes.values())}:"
    kill = f"import os, torch\n        {condition}\n            os.kill(os.getpid(), {signal.SIGKILL:d})"
    plugin.write_text(SLOW_PLUGIN.replace("time.sleep(0.1)", kill))
    assert _run(file, tmp_path, plugins=[str(plugin)], processes=2) == 3 * 9
    found = _values(tmp_path)
    failed = found[found["status"] == "failed"]
    assert sorted(failed.index.get_level_values("architecture")) == sorted(2 * guilty)
    assert len(guilty) < 3
    assert set(failed["reason"]) == {"the worker process was killed, probably for lack of memory"}
    innocent = expected[~expected.index.isin(failed.index)]
    pd.testing.assert_series_equal(found["value"].loc[innocent.index], innocent, check_exact=True)
    assert set(found["attempts"]) == {1}


def test_the_cost_is_estimated_from_one_architecture_of_each_kind(tmp_path: Path) -> None:
    plan = make_plan(load_suite(write_suite(tmp_path)))
    with Store(tmp_path) as store:
        jobs = missing_jobs(plan, store)
        assert estimate_cpu_seconds(jobs, store.trainings) > 0
        assert len(store) == 0
        assert estimate_cpu_seconds([], store.trainings) == 0


def test_a_curve_estimator_without_a_curve_is_skipped_with_a_reason(tmp_path: Path) -> None:
    plan = make_plan(load_suite(write_suite(tmp_path, estimators=("params", "training_loss_sum"))))
    assert [trial.estimator.name for trial in plan.benchmarks[0].trials] == ["params"]
    assert "training_loss_sum" in plan.benchmarks[0].skipped
    assert record(plan, "benchsuite run").benchmarks[0].skipped


def test_a_dask_scheduler_runs_the_same_jobs(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    plan = make_plan(load_suite(write_suite(tmp_path, number=4, seeds=(0,))))
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster,
        Store(tmp_path) as store,
    ):
        jobs = missing_jobs(plan, store)
        outcome = execute(jobs, store, plan, scheduler=cluster.scheduler_address)
        assert outcome.computed == sum(job.size for job in jobs)
        assert missing_jobs(plan, store) == []


@contextmanager
def _started(file: Path, store: Path, plugin: Path) -> Iterator[subprocess.Popen[str]]:
    """A run in a process group of its own, which is gone at the end."""
    command = [sys.executable, "-c", LISTENING, "run", str(file), "--store", str(store), "--plugin", str(plugin)]
    process = subprocess.Popen(
        [*command, "--jobs", "2", "--out", str(store / "report")],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _wait_for_rows(store: Path, number: int) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            if len(_values(store)) >= number:
                return
        except (sqlite3.OperationalError, pd.errors.DatabaseError):
            pass  # the store is not there yet, or is being written
        time.sleep(0.1)
    pytest.fail(f"{number} scores were not stored in 300 s")


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_loses_no_score_and_computes_none_twice(tmp_path: Path, ending: signal.Signals) -> None:
    plugin = tmp_path / "slow.py"
    plugin.write_text(SLOW_PLUGIN)
    file = write_suite(tmp_path, number=40, seeds=(0,), estimators=("snip",))
    with _started(file, tmp_path, plugin) as process:
        _wait_for_rows(tmp_path, 16)
        os.killpg(process.pid, ending) if ending == signal.SIGKILL else process.send_signal(ending)
        output, _ = process.communicate(timeout=60)
    held = _values(tmp_path)
    assert 16 <= len(held) < 80, output
    if ending == signal.SIGINT:
        assert process.returncode == 130, output
        assert "goes on from there" in output
    plan = make_plan(load_suite(file), plugins=[str(plugin)])
    with Store(tmp_path) as store:
        assert store.check() == []
        assert execute(missing_jobs(plan, store), store, plan).computed == 80 - len(held)
    after = _values(tmp_path)
    pd.testing.assert_frame_equal(after.loc[held.index], held)
    assert len(after) == 80
    assert set(after["attempts"]) == {1}


def test_a_job_knows_its_size(tmp_path: Path) -> None:
    plan = make_plan(load_suite(write_suite(tmp_path)))
    with Store(tmp_path) as store:
        job = missing_jobs(plan, store)[0]
    assert replace(job, architectures=job.architectures[:1]).size == len(job.keys)
