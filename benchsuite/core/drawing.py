"""Drawings of architectures: what a picture shows, told by the space, so that no report reads architecture strings.

A drawing is one or more cells (graphs) or a chain of blocks. Each operation has a name, which is written, and a kind, a
word of a fixed vocabulary, which decides its colour.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, get_args

Kind = Literal[
    "none",  # contributes nothing and is not drawn
    "skip",
    "average pooling",
    "max pooling",
    "convolution 1x1",
    "convolution 3x3",
    "convolution 5x5",
    "dilated convolution 3x3",
    "dilated convolution 5x5",
    "block 3x3",  # of several convolutions, by its largest kernel
    "block 5x5",
    "block 7x7",
    "other",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class DrawnOperation:
    """An operation of a drawing.

    Attributes
    ----------
    name
        How the legend names it.
    kind
        What it is, one of KINDS; operations of one kind have one colour.
    """

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class DrawnEdge:
    """An edge of a cell.

    Attributes
    ----------
    source, target
        Numbers of the vertices that it joins, `source` < `target`.
    operation
        The operation on the edge; None where vertices have the operations.
    """

    source: int
    target: int
    operation: DrawnOperation | None = None


@dataclass(frozen=True, slots=True)
class DrawnCell:
    """A cell: a graph whose inputs are its first vertices and whose output is its last.

    Attributes
    ----------
    vertices
        The operation of each vertex; None for inputs, outputs and sums.
    edges
        Edges between them.
    name
        What the cell is called where an architecture has several.
    """

    vertices: tuple[DrawnOperation | None, ...]
    edges: tuple[DrawnEdge, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class DrawnBlock:
    """A block of a chain.

    Attributes
    ----------
    operation
        What the block is.
    height
        Height relative to the highest block that the space can have, above 0 and at most 1.
    mark
        What a dot above the block says, such as "squeeze-excite"; empty for a block without a dot.
    """

    operation: DrawnOperation
    height: float
    mark: str = ""


@dataclass(frozen=True, slots=True)
class DrawnStage:
    """Blocks of a chain that belong together.

    Attributes
    ----------
    blocks
        First to last.
    caption
        Lines of text below the blocks.
    """

    blocks: tuple[DrawnBlock, ...]
    caption: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CellDrawing:
    """An architecture drawn as cells.

    Attributes
    ----------
    cells
        One cell below the other.
    note
        What the legend adds in words.
    """

    form: ClassVar[str] = "cells"

    cells: tuple[DrawnCell, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class ChainDrawing:
    """An architecture drawn as a chain of blocks.

    Attributes
    ----------
    stages
        Blocks from the stem to the classifier; a chain without captions is one stage.
    note
        What the legend adds in words, such as what heights and marks mean.
    """

    form: ClassVar[str] = "chain"

    stages: tuple[DrawnStage, ...]
    note: str = ""


ArchitectureDrawing = CellDrawing | ChainDrawing


def as_json(drawing: ArchitectureDrawing) -> dict[str, Any]:
    """Return a drawing as values that JSON knows.

    Parameters
    ----------
    drawing
        What a space returned.

    Returns
    -------
    dict
        "form" ("cells" or "chain") and the fields of the drawing, nested objects as dictionaries.

    Examples
    --------
    >>> skip = DrawnOperation("skip_connect", "skip")
    >>> as_json(CellDrawing((DrawnCell((None, None), (DrawnEdge(0, 1, skip),)),)))["cells"][0]["edges"]
    ({'source': 0, 'target': 1, 'operation': {'name': 'skip_connect', 'kind': 'skip'}},)
    """
    return {"form": drawing.form, **asdict(drawing)}
