"""The networks of SCARLET's space: stem, 19 layers of inverted residuals with h-swish, 1x1 convolution, classifier."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

from torch import nn

from benchsuite.spaces.layers import conv_bn
from benchsuite.spaces.mobile.chains import ChainNetwork, ChainSupernet, InvertedResidual, chain, choices
from benchsuite.spaces.mobile.scarlet import BLOCKS, IDENTITY, convolutions, last, layers, squeezed, stem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.supernet import Substitute
    from benchsuite.core.types import Dataset
    from benchsuite.spaces.costs import Layer
    from benchsuite.spaces.mobile.scarlet import Scarlet

M = TypeVar("M", bound=nn.Module)


class SqueezeExcite(nn.Module):
    """Channels multiplied by gates of h-sigmoid, which two 1x1 convolutions with biases make of their averages."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gates = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeezed(channels), 1),
            nn.ReLU(),
            nn.Conv2d(squeezed(channels), channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """The features, each channel of each image multiplied by its gate."""
        weighted: Tensor = features * self.gates(features)
        return weighted


def initialised(module: M) -> M:
    """The module with weights drawn as SCARLET draws them; biases are zero, normalisations as torch makes them."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.normal_(part.weight, std=math.sqrt(2 / (math.prod(part.kernel_size) * part.out_channels)))
        elif isinstance(part, nn.Linear):
            bound = 1 / math.sqrt(part.out_features)
            nn.init.uniform_(part.weight, -bound, bound)
        if isinstance(part, nn.Conv2d | nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
    return module


def network(space: Scarlet, operations: Sequence[str], dataset: Dataset) -> ChainNetwork:
    """The network of one architecture."""
    return _frame(space, dataset, lambda: chain(operations, layers(space), _make))


def supernet(space: Scarlet, dataset: Dataset, substitute: Mapping[str, Substitute] | None) -> ChainSupernet:
    """The supernet; substitutes have the weights that they are made with."""
    frame = _frame(space, dataset, lambda: choices(space, layers(space), _make, substitute))
    return ChainSupernet(frame, space.operations)


def _make(name: str, layer: Layer) -> nn.Module | None:
    """The module of an operation; the identity needs none."""
    if name == IDENTITY:
        return None
    wide, depthwise, narrow = convolutions(BLOCKS[name], layer)
    excite = [SqueezeExcite(wide.outputs)] if BLOCKS[name].excited else []
    row = nn.Sequential(*conv_bn(wide), nn.Hardswish(), *conv_bn(depthwise), nn.Hardswish(), *excite, *conv_bn(narrow))
    return initialised(InvertedResidual(row, residual=layer.keeps_shape))


def _frame(space: Scarlet, dataset: Dataset, body: Callable[[], Sequence[nn.Module]]) -> ChainNetwork:
    """Stem of a 3x3 and a separable convolution, the layers, 1x1 convolution, global average, classifier."""
    (first, depthwise, narrow), wide = stem(space, dataset), last(space)
    before = nn.Sequential(*conv_bn(first), nn.ReLU6(), *conv_bn(depthwise), nn.ReLU6(), *conv_bn(narrow))
    return ChainNetwork(
        initialised(before),
        body(),  # after the stem: weights are drawn in the order of the forward pass
        initialised(nn.Sequential(*conv_bn(wide), nn.ReLU6())),
        initialised(nn.Linear(wide.outputs, dataset.classes)),
    )
