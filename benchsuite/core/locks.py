"""Locks between processes: one trains or downloads, the others wait or are told who does."""

from __future__ import annotations

import json
import math
import os
import platform
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchsuite.core.errors import BusyError
from benchsuite.core.files import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def locked(path: Path, work: str, *, patience: float = 0.2) -> Iterator[None]:
    """Keep other processes and threads out of the block.

    The lock is the operating system's (flock), so it is free as soon as its holder has ended, killed or not; the file
    stays. Network file systems of today (NFS 4, Lustre and BeeGFS with their flock option) keep it across machines.
    Where one keeps it on each machine alone, two machines can enter: a store for each machine avoids that. Where a
    file system has no locks at all, filelock warns and takes the existence of the file as the lock; only then may a
    killed process on another machine leave a file to remove.

    Parameters
    ----------
    path
        The lock file. The holder's machine and process stand beside it, in a file that ends in .json.
    work
        What is done under the lock, as the beginning of a message: "the training in /data/trainings/3f2a".
    patience
        Seconds to wait for another holder, enough for one that has just begun to write its name; infinity waits as
        long as it takes.

    Raises
    ------
    BusyError
        If another holder keeps the lock for longer; the message names its process and machine.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder, locked(pathlib.Path(folder) / "lock", "the example"):
    ...     sorted(file.name for file in pathlib.Path(folder).iterdir())
    ['lock', 'lock.json']
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - loads slowly, and most commands lock nothing

    path.parent.mkdir(parents=True, exist_ok=True)
    named, lock = path.with_name(f"{path.name}.json"), FileLock(path)
    try:
        lock.acquire(timeout=-1 if math.isinf(patience) else patience)
    except Timeout:
        raise BusyError(f"{work} is being done by {_holder(named)}; wait until it ends, or stop it") from None
    try:
        write_text(named, json.dumps({"host": platform.node(), "pid": os.getpid()}))
        yield
    finally:
        named.unlink(missing_ok=True)
        lock.release()


def _holder(named: Path) -> str:
    try:
        holder = json.loads(named.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # released meanwhile
        return "another process"
    return f"process {holder['pid']} on {holder['host']}"
