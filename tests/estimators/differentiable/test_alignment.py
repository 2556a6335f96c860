"""Layer alignment and its closed-form slopes."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.estimators.differentiable.alignment import MEASURES, alignment, alignment_slope


def _rows(seed: int, cells: int = 4, number: int = 6) -> torch.Tensor:
    return torch.randn(cells, number, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _pairwise(rows: torch.Tensor, measure: str) -> torch.Tensor:
    """The definition, pair by pair, that autograd can differentiate."""
    total = torch.zeros((), dtype=rows.dtype)
    for i in range(len(rows)):
        for j in range(i + 1, len(rows)):
            size = rows[i].norm() * rows[j].norm() if measure == "corr" else rows[i].abs() @ rows[j].abs()
            total = total + rows[i] @ rows[j] / size
    return 2 * total / (len(rows) * (len(rows) - 1))


@pytest.mark.parametrize("measure", MEASURES)
@given(seed=st.integers(0, 10**6), cells=st.integers(2, 8))
def test_alignment_is_its_definition_and_lies_between_minus_one_and_one(measure: str, seed: int, cells: int) -> None:
    rows = _rows(seed, cells)
    assert -1 - 1e-12 <= alignment(rows, measure) <= 1 + 1e-12
    assert alignment(rows, measure) == pytest.approx(float(_pairwise(rows, measure)), abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
@given(seed=st.integers(0, 10**6), cells=st.integers(2, 8))
def test_closed_form_slopes_are_those_of_autograd(measure: str, seed: int, cells: int) -> None:
    rows = _rows(seed, cells).requires_grad_()
    (wanted,) = torch.autograd.grad(_pairwise(rows, measure), rows)
    torch.testing.assert_close(alignment_slope(rows.detach(), measure), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_equal_rows_are_aligned_and_have_no_slope(measure: str) -> None:
    rows = _rows(0, 1).expand(5, -1)
    assert alignment(rows, measure) == pytest.approx(1, abs=1e-12)
    assert not alignment_slope(rows, measure).any()
    assert alignment(torch.stack([rows[0], -rows[0]]), measure) == pytest.approx(-1, abs=1e-12)


def test_slope_of_corr_is_across_its_row_and_both_measures_know_no_scale() -> None:
    rows, scales = _rows(1), torch.tensor([[0.01], [3.0], [70.0], [1e4]], dtype=torch.float64)
    slope = alignment_slope(rows)
    torch.testing.assert_close((slope * rows).sum(1), torch.zeros(4, dtype=torch.float64), rtol=0, atol=1e-12)
    assert alignment(rows * scales) == pytest.approx(alignment(rows), abs=1e-12)
    common = 1e-9 * rows  # signcorr weighs entries by their size: a common factor alone changes nothing
    assert alignment(common, "signcorr") == pytest.approx(alignment(rows, "signcorr"), abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_rows_of_zeros_and_single_rows_make_no_errors(measure: str) -> None:
    rows = _rows(2)
    rows[1] = 0
    assert math.isfinite(alignment(rows, measure))
    slope = alignment_slope(rows, measure)
    assert slope.isfinite().all()
    assert slope[0].any()
    assert not alignment_slope(torch.zeros(3, 4), measure).any()
    assert math.isnan(alignment(rows[:1], measure))
    assert not alignment_slope(rows[:1], measure).any()
