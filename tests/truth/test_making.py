"""Many trainings: each is kept, none is repeated."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from tiny_truth import plan

from benchsuite.core.errors import DataCorruptError
from benchsuite.data.tables import COLUMNS
from benchsuite.truth.making import TrainingStore, make, table
from benchsuite.truth.training import TrainingProtocol

if TYPE_CHECKING:
    from pathlib import Path

    from benchsuite.truth.training import TrainedArchitecture


def results(trainings: dict[tuple[str, int], TrainedArchitecture]) -> dict[tuple[str, int], object]:
    return {key: training.points for key, training in trainings.items()}


class Executed:
    """Counts the trainings that a call of `make` executes."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def __call__(self, done: int, total: int) -> None:
        self.told.append(done)

    @property
    def number(self) -> int:
        return self.told[-1] - self.told[0]


def test_second_run_trains_nothing(tmp_path: Path) -> None:
    store, count = TrainingStore(tmp_path / "kept.sqlite"), Executed()
    first = make(plan(), store)
    assert make(plan(), store, progress=count) == first
    assert count.number == 0


def test_larger_plan_trains_only_what_is_new(tmp_path: Path) -> None:
    store, count = TrainingStore(tmp_path / "kept.sqlite"), Executed()
    small = make(plan(architectures=2, seeds=1), store)
    large = make(plan(architectures=3, seeds=2), store, progress=count)
    assert count.number == 3 * 2 - 2
    assert small.items() <= large.items()


def test_another_protocol_shares_no_training(tmp_path: Path) -> None:
    store, count = TrainingStore(tmp_path / "kept.sqlite"), Executed()
    make(plan(architectures=1, seeds=1), store)
    make(plan(architectures=1, seeds=1, protocol=TrainingProtocol(steps=4, batch=8, lr=0.2)), store, progress=count)
    assert count.number == 1


def test_results_do_not_depend_on_jobs_or_order(tmp_path: Path) -> None:
    alone = make(plan(), TrainingStore(tmp_path / "alone.sqlite"))
    together = make(plan(), TrainingStore(tmp_path / "together.sqlite"), jobs=2)
    assert results(together) == results(alone)


def test_killed_run_keeps_every_finished_training(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite"
    code = (
        "import sys; from pathlib import Path\n"
        "from benchsuite.truth.making import TruthPlan, TrainingStore, make\n"
        "from benchsuite.truth.training import TrainingProtocol\n"
        "protocol = TrainingProtocol(steps=4, batch=8)\n"
        "plan = TruthPlan('nasbench201', 'digits', protocol, {'channels': 2, 'cells': 1}, 16, 1)\n"
        "make(plan, TrainingStore(Path(sys.argv[1])))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)])
    store = TrainingStore(path)
    recipe = plan().recipe()
    deadline = time.monotonic() + 60
    while len(store.finished(recipe)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    held, count = store.finished(recipe), Executed()
    assert 2 <= len(held) < 16
    finished = make(plan(architectures=16, seeds=1), store, progress=count)
    assert count.number == 16 - len(held)
    assert held.items() <= finished.items()


def test_foreign_file_in_place_of_the_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite"
    path.write_bytes(b"no database " * 100)
    with pytest.raises(DataCorruptError, match="cannot be used to store trainings"):
        TrainingStore(path)


def test_table_has_curves_at_a_quarter_half_and_all_of_the_steps(tmp_path: Path) -> None:
    rows = table(make(plan(), TrainingStore(tmp_path / "kept.sqlite")))
    assert list(rows.columns) == list(COLUMNS)
    assert len(rows) == 3 * 2 * 3 * 2
    assert sorted(set(rows["epochs"])) == [1, 2, 4]
    assert set(rows["split"]) == {"train", "test"}
    assert rows.groupby(["split", "epochs"], observed=True)["accuracy"].count().eq(6).all()
