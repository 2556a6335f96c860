"""Where networks run, and on how many threads."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from benchsuite.core.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_device(name: str) -> None:
    """Return nothing for a device on which networks can run.

    Parameters
    ----------
    name
        A device of torch, such as cpu or cuda:1.

    Raises
    ------
    SuiteError
        If it cannot be used here; the message says why.
    """
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise SuiteError(
            f"device {name!r} cannot be used here: {reason}; choose cpu, or cuda with a CUDA build"
        ) from error


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
