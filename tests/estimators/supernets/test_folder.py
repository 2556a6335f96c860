"""The folder of a training: two processes never train in it at once, and its files survive a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from path_trainings import DIGITS, SHORT, SPACE, equal, trained, weights
from supernets import held_elsewhere

from benchsuite.core.errors import (
    BenchsuiteError,
    BusyError,
    DataMissingError,
)
from benchsuite.estimators.one_shot.stages import StagedTrainer
from benchsuite.estimators.one_shot.training import PathTraining
from benchsuite.estimators.supernets import folder as one_shot_folder
from benchsuite.estimators.supernets.folder import TrainingFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUNDS = 8

CONTENDER = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from benchsuite.core.errors import BenchsuiteError
from benchsuite.estimators.supernets.folder import TrainingFolder

class Trainer:
    training = SimpleNamespace(last_epoch=1, kept_epochs=lambda: [1])
    epoch = 0
    def run_epoch(self):
        time.sleep(0.8)
        self.epoch += 1
    def state_dict(self): return {}
    def load_state_dict(self, state): self.epoch = 1
    def tables(self): return {}
    def checkpoint(self): return {}

print("ready", flush=True)
for line in sys.stdin:
    try:
        TrainingFolder(Path(line.strip())).run(Trainer(), {}, lambda epoch: None)
        print("trained", flush=True)
    except BenchsuiteError as error:
        print(error, flush=True)
"""


def test_of_two_processes_that_start_together_one_trains_and_the_other_names_it(tmp_path: Path) -> None:
    command, options = [sys.executable, "-c", CONTENDER], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with ExitStack() as stack:
        pair = [
            stack.enter_context(
                subprocess.Popen(command, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()}, **options)
            )
            for _ in range(2)
        ]
        assert [process.stdout.readline() for process in pair] == ["ready\n"] * 2
        for round_ in range(ROUNDS):
            for process in pair:
                process.stdin.write(f"{tmp_path / str(round_)}\n")
                process.stdin.flush()
            said = [process.stdout.readline().strip() for process in pair]
            assert said.count("trained") == 1, said
            winner = pair[said.index("trained")]
            assert f"process {winner.pid} on" in said[1 - said.index("trained")]
        for process in pair:
            process.stdin.close()


@pytest.mark.parametrize("changes", [{}, {"sampling": "fair", "accumulation": "sum"}, {"schedule": "plateau"}])
def test_training_that_goes_on_from_its_folder_gives_the_same_weights(changes: dict[str, str], tmp_path: Path) -> None:
    training = PathTraining(epochs=3, images=64, batch=32, kept=3, **changes)  # type: ignore[arg-type]  # all are words
    whole = trained(training)
    folder = TrainingFolder(tmp_path)
    stopped = StagedTrainer(SPACE, DIGITS, training, 0)

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder.run(stopped, {}, stop)
    assert not folder.finished(3)
    again = StagedTrainer(SPACE, DIGITS, training, 0)
    folder.run(again, {}, lambda _: None)
    assert equal(weights(again.copies["shared"]), weights(whole))
    assert equal(list(folder.weights(3)["shared"].values()), weights(whole))
    assert [(point.epoch, point.loss) for point in folder.curve()] == [(p.epoch, p.loss) for p in whole.curve]


KILLED = """
import sys, torch
from pathlib import Path
torch.set_num_threads(1)
from path_trainings import DIGITS, SHORT, SPACE
from benchsuite.estimators.supernets.folder import TrainingFolder
from benchsuite.estimators.one_shot.stages import StagedTrainer
trainer = StagedTrainer(SPACE, DIGITS, SHORT, 0)
TrainingFolder(Path(sys.argv[1])).run(trainer, {}, lambda epoch: print("done", flush=True))
"""


def test_training_killed_at_any_moment_ends_with_the_weights_of_one_that_was_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    path = os.pathsep.join([os.getcwd(), os.path.join(os.getcwd(), "tests")])
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / "lock.json").is_file()
    folder = TrainingFolder(tmp_path)
    assert 1 <= len(folder.curve()) <= 3
    folder.run(StagedTrainer(SPACE, DIGITS, SHORT, 0), {}, lambda _: None)
    assert equal(list(folder.weights(3)["shared"].values()), weights(trained(SHORT)))
    assert not (tmp_path / "lock.json").exists()


@pytest.mark.parametrize("file", ["curve.csv", "epoch_0003.pt", "latest.pt"])
def test_a_training_stopped_before_any_file_of_its_last_epoch_becomes_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    folder, written = TrainingFolder(tmp_path), one_shot_folder._write
    trainer = StagedTrainer(SPACE, DIGITS, SHORT, 0)

    def stopped(path: Path, content: Callable[[Any], object]) -> None:
        if trainer.epoch == 3 and path.name == file:
            raise KeyboardInterrupt
        written(path, content)

    monkeypatch.setattr(one_shot_folder, "_write", stopped)
    with pytest.raises(KeyboardInterrupt):
        folder.run(trainer, {}, lambda _: None)
    monkeypatch.undo()
    assert not folder.finished(3) or len(folder.curve()) == 3
    folder.run(StagedTrainer(SPACE, DIGITS, SHORT, 0), {}, lambda _: None)
    assert [point.epoch for point in folder.curve()] == [1, 2, 3]
    assert equal(list(folder.weights(3)["shared"].values()), weights(trained(SHORT)))


def test_folder_refuses_a_second_trainer_and_names_the_first(tmp_path: Path) -> None:
    folder, trainer = TrainingFolder(tmp_path), StagedTrainer(SPACE, DIGITS, SHORT, 0)
    with held_elsewhere(tmp_path / "lock"), pytest.raises(BusyError, match="process 1 on elsewhere"):
        folder.run(trainer, {}, lambda _: None)
    with pytest.raises(DataMissingError, match="lacks a checkpoint of epoch 2; it has: none"):
        folder.weights(2)


def test_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "epoch_0002.pt").write_bytes(b"PK")
    with pytest.raises(BenchsuiteError, match=r"epoch_0002\.pt cannot be read"):
        TrainingFolder(tmp_path).weights(2)
