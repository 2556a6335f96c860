"""The largest memory of a process since it was asked to forget."""

from __future__ import annotations

import math

import pytest
import torch

from benchsuite.estimators.memory import forget_peak, peak_memory

CPU = torch.device("cpu")


def test_a_peak_is_forgotten_when_what_made_it_is_gone() -> None:
    forget_peak(CPU)
    before = peak_memory(CPU)
    if math.isnan(before):
        pytest.skip("this system has no /proc/self/clear_refs, by which a process forgets its largest memory")
    held = torch.ones(50 * 2**20)  # 200 MiB
    peak = peak_memory(CPU)
    del held
    assert peak - before == pytest.approx(200, abs=20)
    assert peak_memory(CPU) == pytest.approx(peak, abs=20)  # not what is held now
    forget_peak(CPU)
    assert peak - peak_memory(CPU) == pytest.approx(200, abs=20)
