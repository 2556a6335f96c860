"""The layers of NAS-Bench-Macro, and the convolutions of its blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.spaces.costs import ChainFrame, Convolution, Layer
from benchsuite.spaces.macro.strings import STAGES

if TYPE_CHECKING:
    from benchsuite.core.types import Dataset

INVERTED = {"MB3_K3": (3, 3), "MB6_K5": (6, 5)}  # expansion and depthwise kernel of the inverted residuals


def frame(channels: int, head: int, data: Dataset) -> ChainFrame:
    """Return stem, layers and last convolution.

    Parameters
    ----------
    channels
        Channels after the stem.
    head
        Features before the classifier.
    data
        Images and classes.

    Returns
    -------
    ChainFrame
        With eight layers.

    Examples
    --------
    >>> from benchsuite.core.types import Dataset
    >>> [tuple(layer) for layer in frame(32, 1280, Dataset("cifar10", 10)).layers[:3]]
    [(32, 64, 2), (64, 64, 1), (64, 128, 2)]
    """
    layers = []
    for stage, number in enumerate(STAGES):
        wide = channels * 2 ** (stage + 1)
        layers += [Layer(wide // 2, wide, 2), *[Layer(wide, wide, 1)] * (number - 1)]
    return ChainFrame((Convolution(data.channels, channels, 3),), tuple(layers), Convolution(wide, head))


def convolutions(name: str, layer: Layer) -> tuple[Convolution, ...]:
    """Return the convolutions of a block one after the other.

    Parameters
    ----------
    name
        The operation.
    layer
        Shape of the layer.

    Returns
    -------
    tuple
        Empty for an identity that keeps the shape.

    Examples
    --------
    >>> [(each.outputs, each.kernel) for each in convolutions("MB6_K5", Layer(32, 64, 2))]
    [(192, 1), (192, 5), (64, 1)]
    """
    inputs, outputs, stride = layer
    if name in INVERTED:
        expansion, kernel = INVERTED[name]
        hidden = expansion * inputs
        depthwise = Convolution(hidden, hidden, kernel, stride, groups=hidden)
        return Convolution(inputs, hidden), depthwise, Convolution(hidden, outputs)
    return (Convolution(inputs, outputs, stride=stride),) if stride > 1 else ()
