"""The networks of NAS-Bench-Macro: stem, a chain of inverted residuals in three stages, 1x1 convolution, classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from benchsuite.spaces.chains import ChainNetwork, InvertedResidual
from benchsuite.spaces.costs import Convolution
from benchsuite.spaces.layers import conv_bn, convolution_row
from benchsuite.spaces.macro import block, layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchsuite.core import Dataset
    from benchsuite.spaces.macro import Layer, Macro


def make_block(digit: str, layer: Layer) -> nn.Module | None:
    """The module of a block; an identity that keeps the shape needs none."""
    convolutions = block(digit, layer)
    if len(convolutions) > 1:
        return InvertedResidual(convolution_row(convolutions), residual=layer.stride == 1)
    return convolution_row(convolutions) if convolutions else None


def chain(digits: str, channels: int) -> Iterator[nn.Module]:
    """The blocks that compute something, so that equal architectures give equal networks."""
    blocks = (make_block(digit, layer) for digit, layer in zip(digits, layers(channels), strict=True))
    return (module for module in blocks if module is not None)


def make_network(space: Macro, dataset: Dataset, body: Iterator[nn.Module]) -> ChainNetwork:
    """Stem of 3x3 convolution, the chain, 1x1 convolution to `head` features, global average, classifier."""
    wide = layers(space.channels)[-1].outputs
    return ChainNetwork(
        nn.Sequential(*conv_bn(Convolution(dataset.channels, space.channels, 3)), nn.ReLU()),
        list(body),  # not earlier: networks draw their weights in the order of the forward pass
        nn.Sequential(*conv_bn(Convolution(wide, space.head)), nn.ReLU()),
        nn.Linear(space.head, dataset.classes),
    )
