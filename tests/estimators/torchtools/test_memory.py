"""The largest memory of a process since it was asked to forget."""

from __future__ import annotations

import ctypes
import math

import pytest
import torch

from benchsuite.estimators.torchtools.memory import forget_peak, peak_memory

CPU = torch.device("cpu")


def _held() -> float:
    """What the process holds; no test where it cannot forget its largest memory."""
    forget_peak(CPU)
    held = peak_memory(CPU)
    if math.isnan(held):
        pytest.skip("this system has no /proc/self/clear_refs, by which a process forgets its largest memory")
    return held


def test_a_peak_is_forgotten_when_what_made_it_is_gone() -> None:
    before = _held()
    held = torch.ones(50 * 2**20)  # 200 MiB
    peak = peak_memory(CPU)
    del held
    assert peak - before == pytest.approx(200, abs=20)
    assert peak_memory(CPU) == pytest.approx(peak, abs=20)  # not what is held now
    forget_peak(CPU)
    assert peak - peak_memory(CPU) == pytest.approx(200, abs=20)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library is not glibc")
def test_memory_that_was_freed_before_is_not_that_of_what_comes_after() -> None:
    before = _held()
    pieces = [torch.ones(2**14) for _ in range(3200)]  # 200 MiB, so small that the allocator keeps them for itself
    last = pieces.pop()
    pieces.clear()
    assert _held() - before == pytest.approx(0, abs=20)
    assert len(last) == 2**14
