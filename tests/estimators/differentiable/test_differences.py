"""Mixed second derivatives by finite differences."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from benchsuite.estimators.differentiable.alignment import MEASURES, alignment_slope
from benchsuite.estimators.differentiable.differences import along, standing_in


def _pairwise(rows: torch.Tensor, measure: str) -> torch.Tensor:
    """The definition, pair by pair, that autograd can differentiate."""
    total = torch.zeros((), dtype=rows.dtype)
    for i in range(len(rows)):
        for j in range(i + 1, len(rows)):
            size = rows[i].norm() * rows[j].norm() if measure == "corr" else rows[i].abs() @ rows[j].abs()
            total = total + rows[i] @ rows[j] / size
    return 2 * total / (len(rows) * (len(rows) - 1))


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
