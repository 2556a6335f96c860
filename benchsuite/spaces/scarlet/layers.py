"""The layers of SCARLET's space, the convolutions of its blocks, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.spaces.costs import ChainFrame, Convolution, Cost, Layer, row_cost
from benchsuite.spaces.scarlet.strings import BLOCKS, IDENTITY, STAGES, MobileBlock

if TYPE_CHECKING:
    from benchsuite.core.types import Dataset

HALVING = (-1, 0, 2, 6, 14)  # layers with stride 2; the stem is -1
_STEM, _SEPARABLE, _LAST = 32, 16, 1280  # channels
_REDUCTION = 4


def frame(width_divisor: int, halvings: int, data: Dataset) -> ChainFrame:
    """Return stem (a 3x3, then a depthwise separable convolution), layers and last convolution.

    Parameters
    ----------
    width_divisor
        Divides all widths.
    halvings
        How many of the strides keep 2, the last ones.
    data
        Images and classes.

    Returns
    -------
    ChainFrame
        With 19 layers.

    Examples
    --------
    >>> from benchsuite.core.types import Dataset
    >>> [tuple(layer) for layer in frame(1, 5, Dataset("imagenet", 1000, size=224)).layers[:3]]
    [(16, 32, 2), (32, 32, 1), (32, 40, 2)]
    """

    def width(channels: int) -> int:
        return max(1, round(channels / width_divisor))

    def stride(layer: int) -> int:
        return 2 if layer in HALVING[len(HALVING) - halvings :] else 1

    wide, narrow = width(_STEM), width(_SEPARABLE)
    stem = (
        Convolution(data.channels, wide, 3, stride(-1)),
        Convolution(wide, wide, 3, groups=wide),
        Convolution(wide, narrow),
    )
    widths = [width(outputs) for outputs, number in STAGES for _ in range(number)]
    pairs = zip([narrow, *widths[:-1]], widths, strict=True)
    layers = tuple(Layer(*pair, stride(number)) for number, pair in enumerate(pairs))
    return ChainFrame(stem, layers, Convolution(widths[-1], width(_LAST)))


def hidden(block: MobileBlock, layer: Layer) -> int:
    """Return the channels inside a block.

    Parameters
    ----------
    block
        The inverted residual.
    layer
        Its shape.

    Returns
    -------
    int
        Channels.
    """
    return block.expansion * layer.inputs


def squeezed(channels: int) -> int:
    """Return the channels in the middle of a squeeze-excite.

    Parameters
    ----------
    channels
        Channels that go in.

    Returns
    -------
    int
        A quarter, at least 1.

    Examples
    --------
    >>> squeezed(96), squeezed(3)
    (24, 1)
    """
    return max(1, channels // _REDUCTION)


def convolutions(block: MobileBlock, layer: Layer) -> tuple[Convolution, Convolution, Convolution]:
    """Return the three convolutions of a block: wide, depthwise, narrow.

    Parameters
    ----------
    block
        The inverted residual.
    layer
        Its shape.

    Returns
    -------
    tuple
        First to last.

    Examples
    --------
    >>> [(each.outputs, each.kernel) for each in convolutions(MobileBlock(6, 5, False), Layer(32, 40, 2))]
    [(192, 1), (192, 5), (40, 1)]
    """
    wide = hidden(block, layer)
    depthwise = Convolution(wide, wide, block.kernel, layer.stride, groups=wide)
    return Convolution(layer.inputs, wide), depthwise, Convolution(wide, layer.outputs)


def operation_cost(name: str, layer: Layer, side: int) -> Cost:
    """Return the cost of an operation, squeeze-excite included.

    Parameters
    ----------
    name
        The operation.
    layer
        Its shape.
    side
        Height and width of the features that go in, in pixels.

    Returns
    -------
    Cost
        Nothing for the identity.
    """
    if name == IDENTITY:
        return Cost()
    block = BLOCKS[name]
    wide = hidden(block, layer)
    weights = 2 * wide * squeezed(wide)
    excite = Cost(weights + wide + squeezed(wide), weights) if block.excited else Cost()
    return row_cost(convolutions(block, layer), side) + excite
