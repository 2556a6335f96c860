"""The networks of NAS-Bench-Macro: stem, a chain of inverted residuals in three stages, 1x1 convolution, classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from benchsuite.spaces.costs import Convolution
from benchsuite.spaces.layers import conv_bn, convolution_row
from benchsuite.spaces.mobile.chains import ChainNetwork, ChainSupernet, InvertedResidual, chain, choices
from benchsuite.spaces.mobile.macro import block, layers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchsuite.core.supernet import Substitute
    from benchsuite.core.types import Dataset
    from benchsuite.spaces.costs import Layer
    from benchsuite.spaces.mobile.macro import Macro


def network(space: Macro, operations: Sequence[str], dataset: Dataset) -> ChainNetwork:
    """The network of one architecture."""
    return _frame(space, dataset, lambda: chain(operations, layers(space.channels), _make))


def supernet(space: Macro, dataset: Dataset, substitute: Mapping[str, Substitute] | None) -> ChainSupernet:
    """The supernet; its batch normalisations have scale and shift, as in the networks of the space."""
    frame = _frame(space, dataset, lambda: choices(space, layers(space.channels), _make, substitute))
    return ChainSupernet(frame, space.operations)


def _make(name: str, layer: Layer) -> nn.Module | None:
    """The module of a block; an identity that keeps the shape needs none."""
    convolutions = block(name, layer)
    if len(convolutions) > 1:
        return InvertedResidual(convolution_row(convolutions), residual=layer.keeps_shape)
    return convolution_row(convolutions) if convolutions else None


def _frame(space: Macro, dataset: Dataset, body: Callable[[], Sequence[nn.Module]]) -> ChainNetwork:
    """Stem of 3x3 convolution, the layers, 1x1 convolution to `head` features, global average, classifier."""
    return ChainNetwork(
        nn.Sequential(*conv_bn(Convolution(dataset.channels, space.channels, 3)), nn.ReLU()),
        body(),  # after the stem: weights are drawn in the order of the forward pass
        nn.Sequential(*conv_bn(Convolution(layers(space.channels)[-1].outputs, space.head)), nn.ReLU()),
        nn.Linear(space.head, dataset.classes),
    )
