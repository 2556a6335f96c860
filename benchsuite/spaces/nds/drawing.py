"""How architectures of the NDS design spaces are drawn: one bar a block, as high as its logarithm of channels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchsuite.core.drawing import ChainDrawing, DrawnBlock, DrawnOperation, DrawnStage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.spaces.nds.strings import Stage

_BLOCK = DrawnOperation("block", "block 3x3")
_WIDEST = 1024  # channels, in NDS-ResNeXt-B
_TIMES = "\N{MULTIPLICATION SIGN}"
_NOTE = f"blocks{_TIMES}channels, more channels are higher"
_BOTTLENECKS = "; b: width inside as a multiple, g: groups"


def drawing(stages: Sequence[Stage], *, bottlenecks: bool) -> ChainDrawing:
    """Return the drawing of an architecture.

    Parameters
    ----------
    stages
        The chosen values of each stage.
    bottlenecks
        Whether multiplier and groups are chosen.

    Returns
    -------
    ChainDrawing
        Three stages with captions.
    """
    return ChainDrawing(
        tuple(_stage(stage, bottlenecks=bottlenecks) for stage in stages), _NOTE + _BOTTLENECKS * bottlenecks
    )


def _stage(stage: Stage, *, bottlenecks: bool) -> DrawnStage:
    block = DrawnBlock(_BLOCK, math.log2(stage.width) / math.log2(_WIDEST))
    caption = [f"{stage.depth}{_TIMES}{stage.width}"]
    if bottlenecks:
        caption.append(f"b{stage.multiplier:g} g{stage.groups}")
    return DrawnStage((block,) * stage.depth, tuple(caption))
