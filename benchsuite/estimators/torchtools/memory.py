"""Peak memory of a piece of work, in a process or on its accelerator, beyond what was in use before."""

from __future__ import annotations

import ctypes
import math
import os
from pathlib import Path

import torch

_FORGET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")  # only Linux has them


def forget_peak(device: torch.device) -> float:
    """Reset the peak, so that `peak_memory` measures from here on; freed memory is returned to the system first.

    Parameters
    ----------
    device
        Where the work is done.

    Returns
    -------
    float
        Memory in use now, in MiB; NaN if unknown.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif os.access(_FORGET, os.W_OK):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc, which keeps what earlier trainings freed
        if trim is not None:
            trim(0)
        _FORGET.write_text("5", encoding="ascii")  # proc(5): sets the peak to what is in use now
    return peak_memory(device)


def peak_memory(device: torch.device) -> float:
    """Return the peak memory since `forget_peak`, of the accelerator's tensors or of the whole process.

    Parameters
    ----------
    device
        Where the work is done.

    Returns
    -------
    float
        In MiB; NaN if unknown.

    Examples
    --------
    >>> cpu = torch.device("cpu")
    >>> held = forget_peak(cpu)
    >>> peak_memory(cpu) >= held or math.isnan(held)
    True
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if not os.access(_FORGET, os.W_OK):
        return math.nan
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    held = next(line for line in lines if line.startswith("VmHWM:"))  # "VmHWM:    415928 kB"
    return int(held.split()[1]) / 2**10
