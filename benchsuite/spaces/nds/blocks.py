"""The blocks of the NDS design spaces as convolutions, and what they cost."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from benchsuite.spaces.costs import Convolution, Cost, row_cost

if TYPE_CHECKING:
    from benchsuite.spaces.nds.strings import Stage


class BlockConvolutions(NamedTuple):
    """The convolutions of a block.

    Attributes
    ----------
    path
        Convolutions in a row.
    residual
        Whether a shortcut is added to them.
    projection
        The 1x1 convolution of the shortcut; None for the identity, which costs nothing.
    """

    path: tuple[Convolution, ...]
    residual: bool
    projection: Convolution | None = None

    @property
    def stride(self) -> int:
        """By what the block divides the size."""
        return max(convolution.stride for convolution in self.path)


@lru_cache(maxsize=1 << 12)
def block_cost(block: BlockConvolutions, side: int) -> Cost:
    """Return the cost of a block.

    Parameters
    ----------
    block
        Its convolutions.
    side
        Height and width of the features that go in, in pixels.

    Returns
    -------
    Cost
        Of path and projection.
    """
    shortcut = [] if block.projection is None else [block.projection]
    return row_cost(block.path, side) + row_cost(shortcut, side)


def plain(inputs: int, stage: Stage, stride: int) -> BlockConvolutions:
    """Return two 3x3 convolutions without shortcut.

    Parameters
    ----------
    inputs
        Channels that go in.
    stage
        The values chosen for the stage.
    stride
        By what the block divides the size.

    Returns
    -------
    BlockConvolutions
        The block.
    """
    first, second = Convolution(inputs, stage.width, 3, stride), Convolution(stage.width, stage.width, 3)
    return BlockConvolutions((first, second), residual=False)


def basic(inputs: int, stage: Stage, stride: int) -> BlockConvolutions:
    """Return two 3x3 convolutions and a shortcut (He et al., CVPR 2016).

    Parameters
    ----------
    inputs
        Channels that go in.
    stage
        The values chosen for the stage.
    stride
        By what the block divides the size.

    Returns
    -------
    BlockConvolutions
        The block.
    """
    return _with_shortcut(plain(inputs, stage, stride).path)


def bottleneck(inputs: int, stage: Stage, stride: int) -> BlockConvolutions:
    """Return a 1x1, a grouped 3x3 and a 1x1 convolution and a shortcut (Xie et al., CVPR 2017).

    The width inside is the multiple of the groups nearest to the product of width and multiplier, at least one per
    group. In the official spaces that is the product itself; only networks of divided widths need the rounding.

    Parameters
    ----------
    inputs
        Channels that go in.
    stage
        The values chosen for the stage.
    stride
        By what the block divides the size.

    Returns
    -------
    BlockConvolutions
        The block.
    """
    inside = stage.groups * max(1, round(stage.width * stage.multiplier / stage.groups))
    path = (
        Convolution(inputs, inside, 1),
        Convolution(inside, inside, 3, stride, stage.groups),
        Convolution(inside, stage.width, 1),
    )
    return _with_shortcut(path)


def _with_shortcut(path: tuple[Convolution, ...]) -> BlockConvolutions:
    """Return the residual block; it has a projection if it changes the size or the number of channels."""
    block, inputs, outputs = BlockConvolutions(path, residual=True), path[0].inputs, path[-1].outputs
    if (inputs, block.stride) == (outputs, 1):
        return block
    return block._replace(projection=Convolution(inputs, outputs, 1, block.stride))
