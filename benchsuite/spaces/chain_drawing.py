"""How chains of inverted residuals are drawn: one bar a layer, as high as its block's expansion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.core.drawing import ChainDrawing, DrawnBlock, DrawnOperation, DrawnStage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchsuite.core.drawing import Kind

_KINDS: Mapping[int, Kind] = {3: "block 3x3", 5: "block 5x5", 7: "block 7x7"}
_WIDEST = 6  # expansion
_FLAT = 0.06  # height of an identity
_MARK = "squeeze-excite"
_NOTE = "low: expansion 3, high: 6"


def mobile_block(expansion: int, kernel: int, *, excited: bool = False) -> DrawnBlock:
    """Return the picture of an inverted residual.

    Parameters
    ----------
    expansion
        Hidden channels as a multiple of those that go in, at most 6.
    kernel
        Side of the depthwise kernel.
    excited
        Whether it has squeeze-excite.

    Returns
    -------
    DrawnBlock
        Its colour tells the kernel, its height the expansion, its mark squeeze-excite.
    """
    operation = DrawnOperation(f"kernel {kernel}", _KINDS[kernel])
    return DrawnBlock(operation, expansion / _WIDEST, _MARK if excited else "")


def identity_block() -> DrawnBlock:
    """Return the picture of an identity: a flat bar."""
    return DrawnBlock(DrawnOperation("identity", "skip"), _FLAT)


def chain_drawing(blocks: Sequence[DrawnBlock]) -> ChainDrawing:
    """Return the drawing of a chain.

    Parameters
    ----------
    blocks
        One for each layer.

    Returns
    -------
    ChainDrawing
        One stage without caption, and a note on heights and marks.
    """
    dots = f"; dot: {_MARK}" if any(block.mark for block in blocks) else ""
    return ChainDrawing((DrawnStage(tuple(blocks)),), _NOTE + dots)
