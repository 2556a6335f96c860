"""Operations that several search spaces share. Activations are modules (probes see them) and never work in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class ReLUConvBN(nn.Sequential):
    """ReLU, convolution without bias that keeps the size (divided by the stride), batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )


class Zero(nn.Module):
    """Zeros of the input's shape, through which a gradient (of zeros) still flows."""

    def forward(self, features: Tensor) -> Tensor:
        """Zeros, shape of the input."""
        return features * 0


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


def same_average_pool() -> nn.AvgPool2d:
    """Average over the 3x3 neighbours inside the image, stride 1."""
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
