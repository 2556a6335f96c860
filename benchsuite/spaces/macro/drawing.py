"""How architectures of NAS-Bench-Macro are drawn: one bar a layer, as high as its block's expansion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.spaces.chain_drawing import chain_drawing, identity_block, mobile_block
from benchsuite.spaces.macro.layers import INVERTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.core.drawing import ChainDrawing

_BLOCKS = {name: mobile_block(*inverted) for name, inverted in INVERTED.items()}


def drawing(operations: Sequence[str]) -> ChainDrawing:
    """Return the drawing of an architecture.

    Parameters
    ----------
    operations
        The block of each layer.

    Returns
    -------
    ChainDrawing
        Eight blocks.
    """
    return chain_drawing([_BLOCKS.get(name, identity_block()) for name in operations])
