"""The networks of NAS-Bench-Macro: stem, a chain of inverted residuals in three stages, 1x1 convolution, classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from benchsuite.spaces.costs import Convolution
from benchsuite.spaces.layers import conv_bn, convolution_row
from benchsuite.spaces.macro import block, layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from benchsuite.core import Dataset


class InvertedResidual(nn.Module):
    """Block of MobileNetV2: wide 1x1, depthwise and narrow 1x1 convolution; its input is added where shapes allow."""

    def __init__(self, convolutions: Sequence[Convolution]) -> None:
        super().__init__()
        self.convolutions = convolution_row(convolutions)
        self.residual = all(convolution.stride == 1 for convolution in convolutions)

    def forward(self, features: Tensor) -> Tensor:
        """Features of the layer's output channels, their size divided by its stride."""
        result: Tensor = self.convolutions(features)
        return features + result if self.residual else result


def _chain(digits: str, channels: int) -> Iterator[nn.Module]:
    """The blocks that compute something, so that equal architectures give equal networks."""
    for digit, layer in zip(digits, layers(channels), strict=True):
        convolutions = block(digit, layer)
        if len(convolutions) > 1:
            yield InvertedResidual(convolutions)
        elif convolutions:
            yield convolution_row(convolutions)


class ChainNetwork(nn.Module):
    """Stem of 3x3 convolution, chain of blocks, 1x1 convolution to `head` features, global average, classifier."""

    def __init__(self, digits: str, channels: int, head: int, dataset: Dataset) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv_bn(Convolution(dataset.channels, channels, 3)), nn.ReLU())
        self.layers = nn.Sequential(*_chain(digits, channels))
        self.last = nn.Sequential(*conv_bn(Convolution(layers(channels)[-1].outputs, head)), nn.ReLU())
        self.classifier = nn.Linear(head, dataset.classes)

    def feature_blocks(self) -> list[nn.Module]:
        """The stem and each block that computes something, in the order of the forward pass."""
        return [self.stem, *self.layers]

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, classes), of images of shape (batch, channels, height, width)."""
        features: Tensor = self.last(self.layers(self.stem(images)))
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits
