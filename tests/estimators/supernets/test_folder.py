"""The folder of a training: two processes never train in it at once, and its files survive a kill."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
