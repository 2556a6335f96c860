"""Locks: a living holder is named or waited for, a dead one is forgotten."""

from __future__ import annotations

import math
import os
import platform
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from benchsuite.core.errors import BusyError
from benchsuite.core.locks import locked

if TYPE_CHECKING:
    from pathlib import Path

KILLED = """
import os, signal, sys
from pathlib import Path
from benchsuite.core.locks import locked
with locked(Path(sys.argv[1]), "the work"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def hold(path: Path, seconds: float) -> threading.Thread:
    """A thread that holds the lock already."""
    begun = threading.Event()

    def work() -> None:
        with locked(path, "the work"):
            begun.set()
            time.sleep(seconds)

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    return thread


def test_a_lock_that_is_held_names_work_process_and_machine_in_one_line(tmp_path: Path) -> None:
    thread = hold(tmp_path / "lock", 1.0)
    with pytest.raises(BusyError) as error, locked(tmp_path / "lock", "the work"):
        pass
    thread.join()
    holder = f"process {os.getpid()} on {platform.node()}"
    assert str(error.value) == f"the work is being done by {holder}; wait until it ends, or stop it"


def test_the_patient_wait_until_the_holder_ends(tmp_path: Path) -> None:
    thread = hold(tmp_path / "lock", 0.5)
    with locked(tmp_path / "lock", "the work", patience=math.inf):
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "lock")], check=False).returncode
    assert code < 0
    assert (tmp_path / "lock.json").is_file()  # its name is still there
    with locked(tmp_path / "lock", "the work", patience=0):
        assert str(os.getpid()) in (tmp_path / "lock.json").read_text()
    assert not (tmp_path / "lock.json").exists()


def test_a_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "lock", "the work"):
        raise ZeroDivisionError
    with locked(tmp_path / "lock", "the work", patience=0):
        pass
