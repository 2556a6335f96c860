"""The supernet of NAS-Bench-201: every cell has all five operations on each edge."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from typing_extensions import override

from benchsuite.core.supernet import Step
from benchsuite.spaces.nasbench201.network import NASBench201Network, make_operation
from benchsuite.spaces.nasbench201.strings import EDGES, NODES, OPERATIONS, live_part, parse
from benchsuite.spaces.supernet import CellSupernet, ChoiceCell, checked_substitutes, without_affine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from benchsuite.core.supernet import Substitute
    from benchsuite.core.types import Dataset


class NASBench201SuperCell(ChoiceCell):
    """A cell with all operations, in whose normalisations nothing is learnt.

    Its output, the last node, has the shape of its input; it is zero if no path of active edges joins them.

    Parameters
    ----------
    channels
        Channels of every node.
    substitute
        Modules in the place of operations, made from the number of channels.
    """

    def __init__(self, channels: int, substitute: Mapping[str, Substitute]) -> None:
        super().__init__()
        for source, target in EDGES:
            for name in OPERATIONS[1:]:
                make = substitute.get(name, partial(make_operation, name))
                module = make(channels)
                self.offer(source, target, name, None if module is None else without_affine(module))

    @override
    def forward(self, features: Tensor) -> Tensor:
        nodes = {0: features}
        for target in range(1, NODES):
            nodes = self.extend(nodes, target)
        return self.output(nodes)

    def extend(self, nodes: dict[int, Tensor], target: int) -> dict[int, Tensor]:
        """Compute one more node.

        Parameters
        ----------
        nodes
            Features of the nodes before it that are reached.
        target
            Its number.

        Returns
        -------
        dict
            Features of the nodes given, and of the target if an active edge leads there.
        """
        return self.sums(nodes, [edge for edge in self.edges if edge[1] == target])

    def output(self, nodes: dict[int, Tensor]) -> Tensor:
        """Return the cell's output.

        Parameters
        ----------
        nodes
            Features of all nodes that are reached.

        Returns
        -------
        Tensor
            Features of the last node; zeros if no edge is active.
        """
        return nodes[NODES - 1] if self.edges else nodes[0] * 0


class NASBench201Supernet(CellSupernet):
    """The frame of NAS-Bench-201's networks with cells that hold all operations (1,686,106 weights at full size).

    Parameters
    ----------
    channels, cells
        Sizes of the space.
    dataset
        Images and classes.
    substitute
        Modules in the place of operations, made from the number of channels.
    """

    def __init__(self, channels: int, cells: int, dataset: Dataset, substitute: Mapping[str, Substitute]) -> None:
        super().__init__()
        known = checked_substitutes(substitute, OPERATIONS[1:])
        self.network = NASBench201Network(lambda width: NASBench201SuperCell(width, known), channels, cells, dataset)
        self.cells = [layer for layer in self.network.layers if isinstance(layer, NASBench201SuperCell)]

    @override
    def activate(self, architecture: str) -> None:
        edges = [(source, target, name) for (source, target), name in live_part(parse(architecture))]
        for cell in self.cells:
            cell.choose(edges)

    @override
    def active_choices(self) -> list[nn.Module]:
        return [module for cell in self.cells for module in cell.chosen()]

    @override
    def steps(self) -> list[Step]:
        """Return the stem, the nodes of the first cell one by one, and all that follows."""
        first, others = self.cells[0], self.network.layers[1:]
        into = [tuple(edge for edge in first.edges if edge[1] == target) for target in range(NODES)]
        nodes = [Step(into[target], partial(first.extend, target=target)) for target in range(1, NODES)]

        def rest(found: dict[int, Tensor]) -> Tensor:
            return self.network.classify(others(first.output(found)))

        stem = Step("stem", lambda images: {0: self.network.stem(images)})
        return [stem, *nodes, Step("rest", rest)]
