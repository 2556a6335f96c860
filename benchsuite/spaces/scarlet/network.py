"""The networks of SCARLET's space: stem, 19 layers of inverted residuals with h-swish, 1x1 convolution, classifier."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

from torch import nn
from typing_extensions import override

from benchsuite.spaces.chains import ChainNetwork, ChainSupernet, InvertedResidual, chain, choices
from benchsuite.spaces.layers import conv_bn
from benchsuite.spaces.scarlet.layers import convolutions, squeezed
from benchsuite.spaces.scarlet.strings import ALLOWED, BLOCKS, IDENTITY, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.supernet import Substitute
    from benchsuite.core.types import Dataset
    from benchsuite.spaces.costs import ChainFrame, Layer

M = TypeVar("M", bound=nn.Module)


class SqueezeExcite(nn.Module):
    """Channels multiplied by gates of h-sigmoid, which two 1x1 convolutions with biases compute from their averages.

    Parameters
    ----------
    channels
        Channels that go in and come out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gates = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeezed(channels), 1),
            nn.ReLU(),
            nn.Conv2d(squeezed(channels), channels, 1),
            nn.Hardsigmoid(),
        )

    @override
    def forward(self, features: Tensor) -> Tensor:
        weighted: Tensor = features * self.gates(features)
        return weighted


def initialised(module: M) -> M:
    """Draw the weights of a module as SCARLET does; biases are zero, normalisations as torch makes them.

    Parameters
    ----------
    module
        It is changed.

    Returns
    -------
    Module
        The same module.
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.normal_(part.weight, std=math.sqrt(2 / (math.prod(part.kernel_size) * part.out_channels)))
        elif isinstance(part, nn.Linear):
            bound = 1 / math.sqrt(part.out_features)
            nn.init.uniform_(part.weight, -bound, bound)
        if isinstance(part, nn.Conv2d | nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
    return module


def network(frame: ChainFrame, operations: Sequence[str], dataset: Dataset) -> ChainNetwork:
    """Build the network of one architecture.

    Parameters
    ----------
    frame
        Stem, layers and last convolution.
    operations
        The operation of each layer.
    dataset
        Images and classes.

    Returns
    -------
    ChainNetwork
        Initialised from torch's current random state.
    """
    return _built(frame, dataset, lambda: chain(operations, frame.layers, _make))


def supernet(frame: ChainFrame, dataset: Dataset, substitute: Mapping[str, Substitute] | None) -> ChainSupernet:
    """Build the supernet; substitutes keep the weights that they are made with.

    Parameters
    ----------
    frame
        Stem, layers and last convolution.
    dataset
        Images and classes.
    substitute
        Modules in the place of operations, in layers that keep the shape, made from the number of channels.

    Returns
    -------
    ChainSupernet
        Initialised from torch's current random state.
    """
    built = _built(frame, dataset, lambda: choices(ALLOWED, frame.layers, _make, substitute))
    return ChainSupernet(built, parse)


def _make(name: str, layer: Layer) -> nn.Module | None:
    """Make the module of an operation; the identity needs none."""
    if name == IDENTITY:
        return None
    wide, depthwise, narrow = convolutions(BLOCKS[name], layer)
    excite = [SqueezeExcite(wide.outputs)] if BLOCKS[name].excited else []
    row = nn.Sequential(*conv_bn(wide), nn.Hardswish(), *conv_bn(depthwise), nn.Hardswish(), *excite, *conv_bn(narrow))
    return initialised(InvertedResidual(row, residual=layer.keeps_shape))


def _built(frame: ChainFrame, dataset: Dataset, body: Callable[[], Sequence[nn.Module]]) -> ChainNetwork:
    """Return stem, the layers, 1x1 convolution, global average, classifier."""
    (first, depthwise, narrow), wide = frame.stem, frame.last
    before = nn.Sequential(*conv_bn(first), nn.ReLU6(), *conv_bn(depthwise), nn.ReLU6(), *conv_bn(narrow))
    return ChainNetwork(
        initialised(before),
        body(),  # after the stem: weights are drawn in the order of the forward pass
        initialised(nn.Sequential(*conv_bn(wide), nn.ReLU6())),
        initialised(nn.Linear(wide.outputs, dataset.classes)),
    )
