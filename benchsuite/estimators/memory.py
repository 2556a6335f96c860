"""The largest memory that a process, or its accelerator, has held since it was last asked to forget."""

from __future__ import annotations

import ctypes
import math
import os
from pathlib import Path

import torch

_FORGET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")  # Linux alone has them


def forget_peak(device: torch.device) -> None:
    """Begin to look for the largest memory anew; what is free goes back to the system, so that it does not count."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif os.access(_FORGET, os.W_OK):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc, which keeps what trainings before have freed
        if trim is not None:
            trim(0)
        _FORGET.write_text("5", encoding="ascii")  # proc(5): sets the peak to what is held now


def peak_memory(device: torch.device) -> float:
    """Largest memory in MiB since `forget_peak`, of the accelerator's tensors or of the whole process; NaN if unknown.

    Examples
    --------
    >>> cpu = torch.device("cpu")
    >>> forget_peak(cpu)
    >>> peak_memory(cpu) > 10 or math.isnan(peak_memory(cpu))  # a process that has imported torch holds more
    True
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if not os.access(_FORGET, os.W_OK):
        return math.nan
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    held = next(line for line in lines if line.startswith("VmHWM:"))  # "VmHWM:    415928 kB"
    return int(held.split()[1]) / 2**10
