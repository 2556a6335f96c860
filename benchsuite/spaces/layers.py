"""Operations that several search spaces share. Activations are modules (probes see them) and never work in place."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from benchsuite.spaces.costs import Convolution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor

    Connection = tuple[int, int, str | None]  # source, target, name of the module; None brings the source as it is


def conv_bn(convolution: Convolution) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """A convolution and the batch normalisation that follows it."""
    inputs, outputs, kernel, stride, groups = convolution
    module = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)
    return module, nn.BatchNorm2d(outputs)


def convolution_row(convolutions: Sequence[Convolution]) -> nn.Sequential:
    """Convolutions one after the other, each with its batch normalisation, and ReLUs between them."""
    *first, last = convolutions
    before = [layer for convolution in first for layer in (*conv_bn(convolution), nn.ReLU())]
    return nn.Sequential(*before, *conv_bn(last))


class ReLUConvBN(nn.Sequential):
    """ReLU, convolution without bias that keeps the size (divided by the stride), batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(nn.ReLU(), *conv_bn(Convolution(inputs, outputs, kernel, stride)))


class SeparableConvBN(nn.Sequential):
    """Depthwise and 1x1 convolution after a ReLU, batch normalisation; keeps the size (divided by the stride)."""

    def __init__(self, channels: int, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        padding = dilation * (kernel // 2)
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )


class SummingCell(nn.Module):
    """Base of cells whose nodes sum what their edges bring; an edge's module is named edge_{target}_{source}."""

    def __init__(self) -> None:
        super().__init__()
        self.edges: list[Connection] = []

    def connect(self, source: int, target: int, operation: nn.Module | None) -> None:
        """Add an edge, after all that lead to its source; without a module it brings its source as it is."""
        name = None if operation is None else f"edge_{target}_{source}"
        self.edges.append((source, target, name))
        if name is not None:
            self.add_module(name, operation)

    def sums(self, nodes: dict[int, Tensor], edges: Iterable[Connection] | None = None) -> dict[int, Tensor]:
        """Features of each node, those of the given ones included, by all edges or some of them."""
        children, found = self._modules, dict(nodes)
        for source, target, name in self.edges if edges is None else edges:
            value = found[source]
            if name is not None:
                value = children[name](value)  # type: ignore[misc]  # children are typed as optional modules
            found[target] = found[target] + value if target in found else value
        return found


class FactorizedReduction(nn.Module):
    """Half the size by two 1x1 convolutions, of the pixels at even and at odd positions; batch normalisation.

    Height and width must be even.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.activation = nn.ReLU()
        self.even, self.odd = (nn.Conv2d(inputs, outputs // 2, 1, stride=2, bias=False) for _ in range(2))
        self.normalisation = nn.BatchNorm2d(outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Features of half the size, shape (batch, outputs, height / 2, width / 2)."""
        active = self.activation(features)
        halves = torch.cat([self.even(active), self.odd(active[:, :, 1:, 1:])], dim=1)
        normalised: Tensor = self.normalisation(halves)
        return normalised


class Zero(nn.Module):
    """Zeros of the input's shape (sides divided by the stride), through which a gradient of zeros still flows."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, features: Tensor) -> Tensor:
        """Zeros, shape (batch, channels, height / stride, width / stride)."""
        return features[..., :: self.stride, :: self.stride] * 0


class ResidualReduction(nn.Module):
    """Residual block that halves the size: two ReLU-conv3x3-BN beside average pooling and a 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = ReLUConvBN(inputs, outputs, 3, stride=2)
        self.second = ReLUConvBN(outputs, outputs, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, features: Tensor) -> Tensor:
        """Features of half the size, shape (batch, outputs, height / 2, width / 2)."""
        total: Tensor = self.shortcut(features) + self.second(self.first(features))
        return total


class SameAveragePool(nn.AvgPool2d):
    """Average over the 3x3 neighbours inside the image; sides are divided by the stride.

    Without a stride it is a sum, which is its own derivative, divided by the number of neighbours: the same bits as
    torch's average, forwards and backwards, in a third of the time.
    """

    def __init__(self, stride: int = 1) -> None:
        super().__init__(3, stride=stride, padding=1, count_include_pad=False)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Averages, shape (batch, channels, height / stride, width / stride)."""
        if self.stride != 1:
            return super().forward(input)
        height, width = input.shape[2:]
        total: Tensor = _NeighbourSum.apply(input)  # type: ignore[no-untyped-call]
        return total / _neighbours(height, width, input.dtype, input.device)


class _NeighbourSum(torch.autograd.Function):
    """Sum over the 3x3 neighbours inside the image; torch is faster at it channels last."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        last = features.contiguous(memory_format=torch.channels_last)
        total = avg_pool2d(last, 3, stride=1, padding=1, divisor_override=1)
        return total.contiguous() if features.is_contiguous() else total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total: Tensor = _NeighbourSum.apply(*gradients)  # type: ignore[no-untyped-call]
        return total


@lru_cache(maxsize=64)
def _neighbours(height: int, width: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Number of 3x3 neighbours inside the image at each position, those at the sides fewer than 9."""
    with torch.inference_mode(mode=False), torch.no_grad():
        ones = torch.ones(1, 1, height, width, dtype=dtype, device=device)
        return avg_pool2d(ones, 3, stride=1, padding=1, divisor_override=1)
