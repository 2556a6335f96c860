"""The mixed-operation supernet of NAS-Bench-201."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.core.errors import UnknownNameError
from benchsuite.core.supernet import EdgeChoices
from benchsuite.spaces.mixed import MixedCell, MixedCellSupernet, MixedEdge, check_partial, largest, rows
from benchsuite.spaces.nasbench201.network import Cell, CellNetwork, make_operation
from benchsuite.spaces.nasbench201.space import EDGES, OPERATIONS, live_part, parse, render
from benchsuite.spaces.supernet import without_affine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from benchsuite.core.types import Dataset

TABLE = tuple(EdgeChoices(source, target, OPERATIONS) for source, target in EDGES)


class NASBench201MixedCell(Cell, MixedCell):
    """A cell that mixes all operations, in whose normalisations nothing is learnt."""

    def __init__(self, channels: int, partial: int) -> None:
        super().__init__((), channels)
        self.join(
            TABLE,
            lambda edge: MixedEdge(
                edge.operations, lambda name: make_operation(name, channels // partial), stride=1, partial=partial
            ),
        )
        without_affine(self)


class NASBench201MixedSupernet(MixedCellSupernet):
    """The frame of NAS-Bench-201's networks with mixed cells; one table "cell" for all of them."""

    def __init__(self, channels: int, cells: int, dataset: Dataset, *, operations: str, partial: int) -> None:
        if operations != "all":
            raise UnknownNameError("operation set of nasbench201", operations, ["all"])
        check_partial("nasbench201", channels, partial)
        network = CellNetwork(lambda width: NASBench201MixedCell(width, partial), channels, cells, dataset)
        mixed = [layer for layer in network.layers if isinstance(layer, NASBench201MixedCell)]
        tables, every = {"cell": TABLE}, ("cell",) * len(mixed)
        super().__init__(network, mixed, tables=tables, cells=every, aligned="cell", partial=partial)

    def live_edges(self, architecture: str) -> list[Iterable[tuple[int, int, str]]]:
        """The live edges, the same in all cells."""
        edges = [(source, target, name) for (source, target), name in live_part(parse(architecture))]
        return [edges] * len(self.cells)

    def derive(self, weights: Mapping[str, Tensor], edges: Mapping[str, Tensor] | None = None) -> str:
        """The operation of the largest weight on each edge, "none" included; the first of equals.

        On an edge, weights of edges change nothing as long as they are positive.
        """
        table = rows(weights["cell"], None if edges is None else edges["cell"])
        return render([largest(dict(zip(OPERATIONS, row, strict=True))) for row in table])

    def choices(self, architecture: str) -> dict[str, list[tuple[int, int]]]:
        """The place of each edge's operation, "none" included."""
        return {"cell": [(edge, OPERATIONS.index(name)) for edge, name in enumerate(parse(architecture))]}
