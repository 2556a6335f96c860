"""The supernet of NAS-Bench-201: every cell has all five operations on each edge."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchsuite.core.supernet import Step
from benchsuite.spaces.nasbench201.network import CellNetwork, make_operation
from benchsuite.spaces.nasbench201.space import EDGES, OPERATIONS, live_part, parse
from benchsuite.spaces.supernet import CellSupernet, ChoiceCell, checked_substitutes, without_affine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from benchsuite.core.supernet import Substitute
    from benchsuite.core.types import Dataset

_NODES = 4


class SuperCell(ChoiceCell):
    """A cell with all operations, in whose normalisations nothing is learnt."""

    def __init__(self, channels: int, substitute: Mapping[str, Substitute]) -> None:
        super().__init__()
        for source, target in EDGES:
            for name in OPERATIONS[1:]:
                make = substitute.get(name, partial(make_operation, name))
                module = make(channels)
                self.offer(source, target, name, None if module is None else without_affine(module))

    def forward(self, features: Tensor) -> Tensor:
        """Sum at the output node, shape of the input; zeros if no path joins them."""
        nodes = {0: features}
        for target in range(1, _NODES):
            nodes = self.extend(nodes, target)
        return self.output(nodes)

    def extend(self, nodes: dict[int, Tensor], target: int) -> dict[int, Tensor]:
        """Features of the nodes given and of one more, if an edge leads there."""
        return self.sums(nodes, [edge for edge in self.edges if edge[1] == target])

    def output(self, nodes: dict[int, Tensor]) -> Tensor:
        """The last node's features; zeros if no edge is live."""
        return nodes[_NODES - 1] if self.edges else nodes[0] * 0


class NASBench201Supernet(CellSupernet):
    """The frame of NAS-Bench-201's networks with cells that hold all operations (1,686,106 weights at full size)."""

    def __init__(self, channels: int, cells: int, dataset: Dataset, substitute: Mapping[str, Substitute]) -> None:
        super().__init__()
        known = checked_substitutes(substitute, OPERATIONS[1:])
        self.network = CellNetwork(lambda width: SuperCell(width, known), channels, cells, dataset)
        self.cells = [layer for layer in self.network.layers if isinstance(layer, SuperCell)]

    def activate(self, architecture: str) -> None:
        """Make an architecture the active one: its live edges are run."""
        edges = [(source, target, name) for (source, target), name in live_part(parse(architecture))]
        for cell in self.cells:
            cell.choose(edges)

    def active_choices(self) -> list[nn.Module]:
        """The modules on live edges, those of all cells."""
        return [module for cell in self.cells for module in cell.chosen()]

    def steps(self) -> list[Step]:
        """The stem, the nodes of the first cell one by one, all that follows."""
        first, others = self.cells[0], self.network.layers[1:]
        into = [tuple(edge for edge in first.edges if edge[1] == target) for target in range(_NODES)]
        nodes = [Step(into[target], partial(first.extend, target=target)) for target in range(1, _NODES)]

        def rest(found: dict[int, Tensor]) -> Tensor:
            return self.network.classify(others(first.output(found)))

        stem = Step("stem", lambda images: {0: self.network.stem(images)})
        return [stem, *nodes, Step("rest", rest)]
