"""The mixed-operation supernet of the DARTS space, with the operation sets of RobustDARTS (Zela et al., ICLR 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from benchsuite.core.errors import UnknownNameError, UnsupportedError
from benchsuite.core.supernet import NONE, EdgeChoices
from benchsuite.spaces.mixed import MixedCell, MixedCellSupernet, MixedEdge, check_partial, largest, rows
from benchsuite.spaces.nasbench301 import network as own
from benchsuite.spaces.nasbench301.layout import NODES, Part, plan
from benchsuite.spaces.nasbench301.space import OPERATIONS, READ, live_part, parse, render
from benchsuite.spaces.supernet import without_affine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nasbench301.layout import Place
    from benchsuite.spaces.nasbench301.space import Cell, Choice, Node

EDGES = tuple((source, target) for target in range(2, 2 + NODES) for source in range(target))
KINDS = ("normal", "reduction")
NOISE = "noise"
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
    """The operations of each edge in normal and reduction cells: "all" of DARTS, or a set of RobustDARTS, S1 to S4.

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
    """Fresh noise from the standard normal distribution, whatever comes in; sides are divided by the stride."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, features: Tensor) -> Tensor:
        """Noise from torch's current random state, shape (batch, channels, height / stride, width / stride)."""
        return torch.randn_like(features[..., :: self.stride, :: self.stride])


def make_mixed_operation(name: str, channels: int, stride: int) -> nn.Module | None:
    """The module of an operation while searching: what pools give is normalised, "noise" is known."""
    if name == NOISE:
        return Noise(stride)
    module = own.make_operation(name, channels, stride)
    if module is not None and "pool" in name:
        return nn.Sequential(module, nn.BatchNorm2d(channels))
    return module


class NASBench301MixedCell(own.Cell, MixedCell):
    """A cell with both inputs that mixes the operations of all 14 edges, in whose normalisations nothing is learnt."""

    def __init__(self, place: Place, choices: Iterable[EdgeChoices], partial: int) -> None:
        super().__init__(place, Part((), _INPUTS))

        def make(edge: EdgeChoices) -> MixedEdge:
            width, stride = place.width // partial, place.stride(edge.source)
            return MixedEdge(
                edge.operations,
                lambda name: make_mixed_operation(name, width, stride),
                stride=stride,
                partial=partial,
            )

        self.join(choices, make)
        without_affine(self)

    def mix(self, weights: Tensor, scales: Sequence[Tensor | None]) -> None:
        """Run both inputs and all edges, each with its row of the weights."""
        self.inputs = _INPUTS
        super().mix(weights, scales)

    def choose(self, chosen: Iterable[tuple[int, int, str]]) -> list[nn.Module]:
        """Run these edges and the inputs that they read alone, and return the modules of their operations."""
        modules = super().choose(chosen)
        sources = {source for source, _, _ in self.edges}
        self.inputs = tuple(number for number in _INPUTS if number in sources)
        return modules

    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        """The nodes of the cell side by side; the newer input if nothing of the cell is run."""
        return super().forward(older, newer) if self.edges else newer


class NASBench301MixedSupernet(MixedCellSupernet):
    """The network that DARTS searches with (C=16, L=8: 1,930,618 weights); tables "normal" and "reduction"."""

    def __init__(self, places: Sequence[Place], dataset: Dataset, *, operations: str, partial: int) -> None:
        tables = operation_tables(operations)
        check_partial("nasbench301", places[0].width, partial)
        both = Part((), _INPUTS)
        network = own.CellNetwork(
            plan(places, both, both),
            dataset,
            make_cell=lambda place, _: NASBench301MixedCell(place, tables[_kind(place)], partial),
        )
        mixed = [cell for cell in network.cells.values() if isinstance(cell, NASBench301MixedCell)]
        cells = tuple(map(_kind, places))
        super().__init__(network, mixed, tables=tables, cells=cells, aligned=KINDS[0], partial=partial)
        self.places = places

    def live_edges(self, architecture: str) -> list[Iterable[tuple[int, int, str]]]:
        """The live edges of each cell, none where no later cell reads the output."""
        self.choices(architecture)  # refuses operations that the set lacks
        normal, reduction = parse(architecture, _READ)
        parts = plan(self.places, live_part(normal), live_part(reduction))
        return [() if part is None else part.edges for _, part in parts]

    def derive(self, weights: Mapping[str, Tensor], edges: Mapping[str, Tensor] | None = None) -> str:
        """Two edges for each node, those whose best operation weighs most, and these operations; never "none".

        Of equal weights the first counts. With the set S4 the string may hold "noise", and is then no architecture of
        the space.
        """
        normal, reduction = (
            _derived_cell(self.tables[kind], rows(weights[kind], None if edges is None else edges[kind]))
            for kind in KINDS
        )
        return render(normal, reduction)

    def choices(self, architecture: str) -> dict[str, list[tuple[int, int]]]:
        """The place of each of the 8 chosen edges' operations, in the order of edges; "none" or "noise" may be one.

        Raises
        ------
        UnsupportedError
            If an edge of the operation set lacks the architecture's operation.
        """
        cells = dict(zip(KINDS, parse(architecture, _READ), strict=True))
        return {kind: _places(kind, self.tables[kind], cell) for kind, cell in cells.items()}


def _kind(place: Place) -> str:
    return KINDS[place.reduction]


def _derived_cell(choices: Sequence[EdgeChoices], table: Sequence[Sequence[float]]) -> Cell:
    nodes: dict[int, list[tuple[float, Choice]]] = {}
    for edge, row in zip(choices, table, strict=True):
        weights = {name: weight for name, weight in zip(edge.operations, row, strict=True) if name != NONE}
        best = largest(weights)
        nodes.setdefault(edge.target, []).append((weights[best], (best, edge.source)))
    one, two, three, four = (_heaviest(node) for node in nodes.values())
    return one, two, three, four


def _heaviest(choices: Sequence[tuple[float, Choice]]) -> Node:
    """The two choices of the largest weights, by their inputs."""
    two = sorted(choices, key=lambda weighted: -weighted[0])[:2]
    first, second = sorted((choice for _, choice in two), key=lambda choice: choice[1])
    return first, second


def _places(kind: str, choices: Sequence[EdgeChoices], cell: Cell) -> list[tuple[int, int]]:
    """The place of each edge's operation."""
    chosen = {(source, target): name for target, node in enumerate(cell, start=2) for name, source in node}
    found = []
    for number, (source, target, operations) in enumerate(choices):
        name = chosen.get((source, target))
        if name in operations:
            found.append((number, operations.index(name)))
        elif name is not None:
            raise UnsupportedError(
                f"no {name} on the edge {target}<-{source} of {kind} cells; it has {' and '.join(operations)} there"
            )
    return found
