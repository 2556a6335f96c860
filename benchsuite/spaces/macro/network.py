"""The networks of NAS-Bench-Macro: stem, a chain of inverted residuals in three stages, 1x1 convolution, classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from benchsuite.spaces.chains import ChainNetwork, ChainSupernet, InvertedResidual, chain, choices
from benchsuite.spaces.layers import conv_bn, convolution_row
from benchsuite.spaces.macro.layers import convolutions
from benchsuite.spaces.macro.strings import LAYERS, OPERATIONS, operations_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchsuite.core.supernet import Substitute
    from benchsuite.core.types import Dataset
    from benchsuite.spaces.costs import ChainFrame, Layer


def network(frame: ChainFrame, operations: Sequence[str], dataset: Dataset) -> ChainNetwork:
    """Build the network of one architecture.

    Parameters
    ----------
    frame
        Stem, layers and last convolution.
    operations
        The block of each layer.
    dataset
        Images and classes.

    Returns
    -------
    ChainNetwork
        Initialised from torch's current random state.
    """
    return _built(frame, dataset, lambda: chain(operations, frame.layers, _make))


def supernet(frame: ChainFrame, dataset: Dataset, substitute: Mapping[str, Substitute] | None) -> ChainSupernet:
    """Build the supernet; its batch normalisations have scale and shift, as in the networks of the space.

    Parameters
    ----------
    frame
        Stem, layers and last convolution.
    dataset
        Images and classes.
    substitute
        Modules in the place of blocks, in layers that keep the shape, made from the number of channels.

    Returns
    -------
    ChainSupernet
        Initialised from torch's current random state.
    """
    allowed = (OPERATIONS,) * LAYERS
    built = _built(frame, dataset, lambda: choices(allowed, frame.layers, _make, substitute))
    return ChainSupernet(built, operations_of)


def _make(name: str, layer: Layer) -> nn.Module | None:
    """Make the module of a block; an identity that keeps the shape needs none."""
    row = convolutions(name, layer)
    if len(row) > 1:
        return InvertedResidual(convolution_row(row), residual=layer.keeps_shape)
    return convolution_row(row) if row else None


def _built(frame: ChainFrame, dataset: Dataset, body: Callable[[], Sequence[nn.Module]]) -> ChainNetwork:
    """Return stem of 3x3 convolution, the layers, 1x1 convolution, global average, classifier."""
    (stem,) = frame.stem
    return ChainNetwork(
        nn.Sequential(*conv_bn(stem), nn.ReLU()),
        body(),  # after the stem: weights are drawn in the order of the forward pass
        nn.Sequential(*conv_bn(frame.last), nn.ReLU()),
        nn.Linear(frame.last.outputs, dataset.classes),
    )
