"""What a run's machine is: the provenance of scores, and how many processes it can run."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path


def describe_machine(device: str) -> dict[str, str]:
    """Return versions, processor and device: the provenance of a score.

    Parameters
    ----------
    device
        Where networks run.
    """
    return {
        "benchsuite": version("benchsuite"),
        "torch": version("torch"),
        "python": platform.python_version(),
        "cpu": _processor(),
        "device": device,
        "threads": "1",
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def available_processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
