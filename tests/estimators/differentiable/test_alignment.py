"""Layer alignment, its closed-form slopes, and mixed second derivatives by finite differences."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from benchsuite.estimators.differentiable.alignment import MEASURES, alignment, alignment_slope
from benchsuite.estimators.differentiable.differences import along, standing_in


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


class _Smooth(nn.Module):
    """Two mixed layers of smooth operations in float64, so that finite differences can be compared."""

    def __init__(self) -> None:
        super().__init__()
        layers = [[nn.Linear(5, 5) for _ in range(3)] for _ in range(3)]
        self.layers = nn.ModuleList(nn.ModuleList(row) for row in layers)
        self.last = nn.Linear(5, 3)

    def forward(self, inputs: torch.Tensor, mixtures: list[torch.Tensor]) -> torch.Tensor:
        for row, mixture in zip(self.layers, mixtures, strict=True):
            inputs = sum(p * functional.softplus(layer(inputs)) for p, layer in zip(mixture, row, strict=True))
        return self.last(inputs)


@pytest.fixture
def smooth() -> SimpleNamespace:
    network = _Smooth().double()
    inputs, targets = torch.randn(16, 5, dtype=torch.float64), torch.randint(3, (16,))
    mixtures = [torch.rand(3, dtype=torch.float64).requires_grad_() for _ in range(3)]

    def loss(mixed: list[torch.Tensor]) -> torch.Tensor:
        return functional.cross_entropy(network(inputs, mixed), targets)

    return SimpleNamespace(loss=loss, mixtures=mixtures, weights=list(network.parameters()))


def _cosine(one: list[torch.Tensor], other: list[torch.Tensor]) -> float:
    first, second = (torch.cat([part.flatten() for part in parts]) for parts in (one, other))
    return float(functional.cosine_similarity(first, second, dim=0))


@pytest.mark.parametrize("measure", MEASURES)
def test_finite_difference_is_the_gradient_of_the_alignment_by_the_weights(
    smooth: SimpleNamespace, measure: str
) -> None:
    gradients = torch.autograd.grad(smooth.loss(smooth.mixtures), smooth.mixtures, create_graph=True)
    wanted = torch.autograd.grad(_pairwise(torch.stack(gradients), measure), smooth.weights)
    direction = alignment_slope(torch.stack(gradients).detach(), measure).unbind()
    point = [mixture.detach() for mixture in smooth.mixtures]
    found = along(lambda at: torch.autograd.grad(smooth.loss(at), smooth.weights), point, direction, 1e-4)
    assert _cosine(found, list(wanted)) == pytest.approx(1, abs=1e-7)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-9)


def test_second_order_difference_is_that_of_double_backward(smooth: SimpleNamespace) -> None:
    direction = [torch.randn_like(weight) for weight in smooth.weights]
    gradients = torch.autograd.grad(smooth.loss(smooth.mixtures), smooth.weights, create_graph=True)
    product = sum((gradient * part).sum() for gradient, part in zip(gradients, direction, strict=True))
    wanted = torch.autograd.grad(product, smooth.mixtures)

    def by_mixtures(values: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        with standing_in(smooth.weights, values):
            return torch.autograd.grad(smooth.loss(smooth.mixtures), smooth.mixtures)

    found = along(by_mixtures, [weight.detach() for weight in smooth.weights], direction, 1e-3)
    assert _cosine(found, list(wanted)) == pytest.approx(1, abs=1e-7)


def test_no_direction_has_no_difference() -> None:
    assert along(lambda at: at, [torch.ones(2)], [torch.zeros(2)], 0.1)[0].tolist() == [0, 0]


def test_weights_come_back_after_an_error() -> None:
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    with pytest.raises(RuntimeError, match="inside"), standing_in([weight], [torch.zeros(2)]):
        raise RuntimeError("inside")
    assert weight.tolist() == [1, 2]
