"""The mixed-operation supernet of the DARTS space, with the operation sets of RobustDARTS (Zela et al., ICLR 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from typing_extensions import override

from benchsuite.core.errors import UnknownNameError, UnsupportedError
from benchsuite.core.supernet import NONE, EdgeChoices
from benchsuite.spaces.mixed import MixedCell, MixedCellSupernet, MixedEdge, check_partial, largest, rows
from benchsuite.spaces.nasbench301.cells import NODES, NOISE, OPERATIONS, CellPart, live_part
from benchsuite.spaces.nasbench301.layout import plan
from benchsuite.spaces.nasbench301.network import NASBench301Cell, NASBench301Network, make_operation
from benchsuite.spaces.nasbench301.strings import READ, parse, render
from benchsuite.spaces.supernet import without_affine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nasbench301.cells import CellNodes, Incoming, NodeEdges
    from benchsuite.spaces.nasbench301.layout import CellShape

EDGES = tuple((source, target) for target in range(2, 2 + NODES) for source in range(target))
KINDS = ("normal", "reduction")
_READ = (*READ, NOISE)  # in strings that a supernet derives or runs
_INPUTS = (0, 1)
_MAX, _AVERAGE, _SKIP, _SEP3, _, _DIL3, _DIL5 = OPERATIONS
_S1 = (  # of each edge in normal and in reduction cells, as the authors' code has them
    ((_SKIP, _DIL3), (_MAX, _AVERAGE)),
    ((_SKIP, _DIL5), (_MAX, _DIL3)),
    ((_SKIP, _DIL5), (_MAX, _AVERAGE)),
    ((_SKIP, _SEP3), (_MAX, _AVERAGE)),
    ((_SKIP, _DIL3), (_SKIP, _DIL5)),
    ((_MAX, _SKIP), (_MAX, _AVERAGE)),
    ((_SKIP, _SEP3), (_MAX, _SEP3)),
    ((_SKIP, _SEP3), (_SKIP, _DIL3)),
    ((_SKIP, _DIL3), (_SKIP, _DIL5)),
    ((_SKIP, _SEP3), (_MAX, _AVERAGE)),
    ((_MAX, _SKIP), (_MAX, _AVERAGE)),
    ((_SKIP, _DIL3), (_SKIP, _DIL5)),
    ((_DIL3, _DIL5), (_SKIP, _DIL5)),
    ((_DIL3, _DIL5), (_SKIP, _DIL5)),
)
_EVERYWHERE = {"all": (NONE, *OPERATIONS), "S2": (_SKIP, _SEP3), "S3": (NONE, _SKIP, _SEP3), "S4": (NOISE, _SEP3)}


def operation_tables(name: str) -> dict[str, tuple[EdgeChoices, ...]]:
    """Return the operations of each edge in normal and reduction cells.

    Parameters
    ----------
    name
        "all" of DARTS, or a set of RobustDARTS, "S1" to "S4".

    Returns
    -------
    dict
        Tables "normal" and "reduction".

    Raises
    ------
    UnknownNameError
        If it is another word.

    Examples
    --------
    >>> operation_tables("S4")["normal"][2]
    EdgeChoices(source=0, target=3, operations=('noise', 'sep_conv_3x3'))
    """
    if name == "S1":
        chosen = dict(zip(KINDS, zip(*_S1, strict=True), strict=True))
    elif name in _EVERYWHERE:
        chosen = dict.fromkeys(KINDS, (_EVERYWHERE[name],) * len(EDGES))
    else:
        raise UnknownNameError("operation set of nasbench301", name, ["S1", *_EVERYWHERE])
    return {
        kind: tuple(EdgeChoices(*edge, operations) for edge, operations in zip(EDGES, sets, strict=True))
        for kind, sets in chosen.items()
    }


class Noise(nn.Module):
    """Fresh noise from the standard normal distribution, drawn from torch's current random state.

    It has the shape of the features that go in, sides divided by the stride.

    Parameters
    ----------
    stride
        By what height and width are divided.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    @override
    def forward(self, features: Tensor) -> Tensor:
        return torch.randn_like(features[..., :: self.stride, :: self.stride])


def make_mixed_operation(name: str, channels: int, stride: int) -> nn.Module | None:
    """Make the module of an operation while searching: the output of pools is normalised, "noise" is known.

    Parameters
    ----------
    name
        An operation of an operation set.
    channels
        Channels that go in and come out.
    stride
        By what height and width are divided.

    Returns
    -------
    Module or None
        None for the identity, which needs no module.
    """
    if name == NOISE:
        return Noise(stride)
    module = make_operation(name, channels, stride)
    if module is not None and name in {_MAX, _AVERAGE}:
        return nn.Sequential(module, nn.BatchNorm2d(channels))
    return module


class NASBench301MixedCell(NASBench301Cell, MixedCell):
    """A cell with both inputs that mixes the operations of all 14 edges, in whose normalisations nothing is learnt.

    If nothing of the cell is run, it passes on its newer input.

    Parameters
    ----------
    shape
        Channels and sides.
    choices
        Edges and their operations.
    partial
        Operations see 1 / `partial` of the channels.
    """

    def __init__(self, shape: CellShape, choices: Iterable[EdgeChoices], partial: int) -> None:
        super().__init__(shape, CellPart((), _INPUTS))

        def make(edge: EdgeChoices) -> MixedEdge:
            width, stride = shape.width // partial, shape.stride(edge.source)
            return MixedEdge(
                edge.operations,
                lambda name: make_mixed_operation(name, width, stride),
                stride=stride,
                partial=partial,
            )

        self.join(choices, make)
        without_affine(self)

    @override
    def mix(self, weights: Tensor, scales: Sequence[Tensor | None]) -> None:
        self.inputs = _INPUTS
        super().mix(weights, scales)

    @override
    def choose(self, chosen: Iterable[tuple[int, int, str]]) -> list[nn.Module]:
        modules = super().choose(chosen)
        sources = {source for source, _, _ in self.edges}
        self.inputs = tuple(number for number in _INPUTS if number in sources)
        return modules

    @override
    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        return super().forward(older, newer) if self.edges else newer


class NASBench301MixedSupernet(MixedCellSupernet):
    """The network that DARTS searches with (C=16, L=8: 1,930,618 weights); tables "normal" and "reduction".

    Parameters
    ----------
    shapes
        Of the cells.
    dataset
        Images and classes.
    operations
        Name of the operation set.
    partial
        Operations see 1 / `partial` of the channels.
    """

    def __init__(self, shapes: Sequence[CellShape], dataset: Dataset, *, operations: str, partial: int) -> None:
        tables = operation_tables(operations)
        check_partial("nasbench301", shapes[0].width, partial)
        both = CellPart((), _INPUTS)
        network = NASBench301Network(
            plan(shapes, both, both),
            dataset,
            make_cell=lambda shape, _: NASBench301MixedCell(shape, tables[_kind(shape)], partial),
        )
        mixed = [cell for cell in network.cells.values() if isinstance(cell, NASBench301MixedCell)]
        cells = tuple(map(_kind, shapes))
        super().__init__(network, mixed, tables=tables, cells=cells, aligned=KINDS[0], partial=partial)
        self.shapes = shapes

    @override
    def live_edges(self, architecture: str) -> list[Iterable[tuple[int, int, str]]]:
        self.choices(architecture)  # refuses operations that the set lacks
        normal, reduction = parse(architecture, _READ)
        parts = plan(self.shapes, live_part(normal), live_part(reduction))
        return [() if part is None else part.edges for _, part in parts]

    @override
    def derive(self, weights: Mapping[str, Tensor], edges: Mapping[str, Tensor] | None = None) -> str:
        """Return two edges for each node, those whose best operation weighs most, and these operations; never "none".

        Parameters
        ----------
        weights
            For each table shape (14, operations); of equal weights the first counts.
        edges
            For each table shape (14,), multiplied with the weights of the operations.

        Returns
        -------
        str
            A string; with the set S4 it may have "noise", and is then outside the space.
        """
        normal, reduction = (
            _derived_cell(self.tables[kind], rows(weights[kind], None if edges is None else edges[kind]))
            for kind in KINDS
        )
        return render(normal, reduction)

    @override
    def choices(self, architecture: str) -> dict[str, list[tuple[int, int]]]:
        cells = dict(zip(KINDS, parse(architecture, _READ), strict=True))
        return {kind: _positions(kind, self.tables[kind], cell) for kind, cell in cells.items()}


def _kind(shape: CellShape) -> str:
    return KINDS[shape.reduction]


def _derived_cell(choices: Sequence[EdgeChoices], table: Sequence[Sequence[float]]) -> CellNodes:
    nodes: dict[int, list[tuple[float, Incoming]]] = {}
    for edge, row in zip(choices, table, strict=True):
        weights = {name: weight for name, weight in zip(edge.operations, row, strict=True) if name != NONE}
        best = largest(weights)
        nodes.setdefault(edge.target, []).append((weights[best], (best, edge.source)))
    one, two, three, four = (_heaviest(node) for node in nodes.values())
    return one, two, three, four


def _heaviest(edges: Sequence[tuple[float, Incoming]]) -> NodeEdges:
    """Return the two edges of the largest weights, by their inputs."""
    two = sorted(edges, key=lambda weighted: -weighted[0])[:2]
    first, second = sorted((edge for _, edge in two), key=lambda edge: edge[1])
    return first, second


def _positions(kind: str, choices: Sequence[EdgeChoices], cell: CellNodes) -> list[tuple[int, int]]:
    """Return row and column of each edge's operation."""
    chosen = {(source, target): name for target, node in enumerate(cell, start=2) for name, source in node}
    found = []
    for number, (source, target, operations) in enumerate(choices):
        name = chosen.get((source, target))
        if name in operations:
            found.append((number, operations.index(name)))
        elif name is not None:
            raise UnsupportedError(
                f"the edge {target}<-{source} of {kind} cells cannot have {name} in this operation set; "
                f"allowed: {', '.join(operations)}"
            )
    return found
