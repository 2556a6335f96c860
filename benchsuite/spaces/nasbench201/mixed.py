"""The mixed-operation supernet of NAS-Bench-201."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from benchsuite.core.errors import UnknownNameError
from benchsuite.core.supernet import EdgeChoices
from benchsuite.spaces.mixed import MixedCell, MixedCellSupernet, MixedEdge, check_partial, largest, rows
from benchsuite.spaces.nasbench201.network import NASBench201Cell, NASBench201Network, make_operation
from benchsuite.spaces.nasbench201.strings import EDGES, OPERATIONS, live_part, parse, render
from benchsuite.spaces.supernet import without_affine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from benchsuite.core.types import Dataset

TABLE = tuple(EdgeChoices(source, target, OPERATIONS) for source, target in EDGES)


class NASBench201MixedCell(NASBench201Cell, MixedCell):
    """A cell that mixes all operations, in whose normalisations nothing is learnt.

    Parameters
    ----------
    channels
        Channels of every node.
    partial
        Operations see 1 / `partial` of the channels.
    """

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
    """The frame of NAS-Bench-201's networks with mixed cells; one table "cell" for all of them.

    Parameters
    ----------
    channels, cells
        Sizes of the space.
    dataset
        Images and classes.
    operations
        "all", the one operation set of the space.
    partial
        Operations see 1 / `partial` of the channels.
    """

    def __init__(self, channels: int, cells: int, dataset: Dataset, *, operations: str, partial: int) -> None:
        if operations != "all":
            raise UnknownNameError("operation set of nasbench201", operations, ["all"])
        check_partial("nasbench201", channels, partial)
        network = NASBench201Network(lambda width: NASBench201MixedCell(width, partial), channels, cells, dataset)
        mixed = [layer for layer in network.layers if isinstance(layer, NASBench201MixedCell)]
        tables, every = {"cell": TABLE}, ("cell",) * len(mixed)
        super().__init__(network, mixed, tables=tables, cells=every, aligned="cell", partial=partial)

    @override
    def live_edges(self, architecture: str) -> list[Iterable[tuple[int, int, str]]]:
        edges = [(source, target, name) for (source, target), name in live_part(parse(architecture))]
        return [edges] * len(self.cells)

    @override
    def derive(self, weights: Mapping[str, Tensor], edges: Mapping[str, Tensor] | None = None) -> str:
        """Return the architecture with the operation of the largest weight on each edge, "none" included.

        Parameters
        ----------
        weights
            "cell": shape (6, 5); of equal weights the first counts.
        edges
            "cell": shape (6,); positive weights of edges change nothing.

        Returns
        -------
        str
            An architecture string.
        """
        table = rows(weights["cell"], None if edges is None else edges["cell"])
        return render([largest(dict(zip(OPERATIONS, row, strict=True))) for row in table])

    @override
    def choices(self, architecture: str) -> dict[str, list[tuple[int, int]]]:
        return {"cell": [(edge, OPERATIONS.index(name)) for edge, name in enumerate(parse(architecture))]}
