"""The networks of NAS-Bench-Macro: stem, a chain of inverted residuals in three stages, 1x1 convolution, classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from benchsuite.spaces.macro import BLOCKS, layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from benchsuite.core import Dataset
    from benchsuite.spaces.macro import Block, Layer


def _convolution(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """Convolution without bias that keeps the size (divided by the stride), batch normalisation."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(outputs)]


class InvertedResidual(nn.Module):
    """Block of MobileNetV2: wide 1x1, depthwise and narrow 1x1 convolution; its input is added where shapes allow."""

    def __init__(self, layer: Layer, block: Block) -> None:
        super().__init__()
        hidden = block.expansion * layer.inputs
        self.convolutions = nn.Sequential(
            *_convolution(layer.inputs, hidden),
            nn.ReLU(),
            *_convolution(hidden, hidden, block.kernel, layer.stride, groups=hidden),
            nn.ReLU(),
            *_convolution(hidden, layer.outputs),
        )
        self.residual = layer.stride == 1

    def forward(self, features: Tensor) -> Tensor:
        """Features of the layer's output channels, their size divided by its stride."""
        result: Tensor = self.convolutions(features)
        return features + result if self.residual else result


def _chain(digits: str, channels: int) -> Iterator[nn.Module]:
    """The blocks that compute something, so that equal architectures give equal networks."""
    for digit, layer in zip(digits, layers(channels), strict=True):
        if digit in BLOCKS:
            yield InvertedResidual(layer, BLOCKS[digit])
        elif layer.stride > 1:
            yield nn.Sequential(*_convolution(layer.inputs, layer.outputs, stride=layer.stride))


class ChainNetwork(nn.Module):
    """Stem of 3x3 convolution, chain of blocks, 1x1 convolution to `head` features, global average, classifier."""

    def __init__(self, digits: str, channels: int, head: int, dataset: Dataset) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_convolution(dataset.channels, channels, 3), nn.ReLU())
        self.layers = nn.Sequential(*_chain(digits, channels))
        self.last = nn.Sequential(*_convolution(layers(channels)[-1].outputs, head), nn.ReLU())
        self.classifier = nn.Linear(head, dataset.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, classes), of images of shape (batch, channels, height, width)."""
        features: Tensor = self.last(self.layers(self.stem(images)))
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits
