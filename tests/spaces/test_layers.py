"""Operations that spaces share."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from benchsuite.spaces.layers import SameAveragePool

SIDES = st.integers(1, 9)


@pytest.mark.parametrize("stride", [1, 2])
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 5), SIDES, SIDES),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    layout=st.sampled_from([torch.contiguous_format, torch.channels_last]),
)
def test_average_pooling_gives_the_bits_of_torch(
    stride: int, shape: tuple[int, int, int, int], dtype: torch.dtype, layout: torch.memory_format
) -> None:
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(shape, generator=rng, dtype=dtype).contiguous(memory_format=layout).requires_grad_()
    ours = SameAveragePool(stride)(features)
    theirs = nn.AvgPool2d(3, stride=stride, padding=1, count_include_pad=False)(features)
    above = torch.randn(theirs.shape, generator=rng, dtype=dtype)
    gradients = [torch.autograd.grad(pooled, features, above)[0] for pooled in (ours, theirs)]
    assert torch.equal(ours, theirs)
    assert ours.stride() == theirs.stride()
    assert torch.equal(*gradients)


def test_average_pooling_is_differentiable_twice() -> None:
    features = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(SameAveragePool(), [features])
