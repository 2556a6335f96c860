"""The supernet of NAS-Bench-101: cells of full width that hold each operation for each vertex."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from torch import nn
from typing_extensions import override

from benchsuite.core.supernet import Step, Supernet
from benchsuite.spaces.nasbench101.graphs import MOST_VERTICES
from benchsuite.spaces.nasbench101.network import ConvBNReLU, ModuleCell, NASBench101Network, make_operation
from benchsuite.spaces.nasbench101.strings import OPERATIONS, live_module
from benchsuite.spaces.slices import SlicedConvolution, sliced
from benchsuite.spaces.supernet import checked_substitutes, without_affine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.supernet import Substitute
    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nasbench101.graphs import ModuleGraph

_POSITIONS = MOST_VERTICES - 2  # of inner vertices


class NASBench101SuperCell(ModuleCell):
    """All operations and a projection for each of five inner vertices, and a projection for the output.

    All of them are as wide as the output; the active module uses slices. In normalisations nothing is learnt.

    Parameters
    ----------
    inputs, outputs
        Channels that go in and come out.
    substitute
        Modules in the place of operations, made from the number of channels.
    """

    def __init__(self, inputs: int, outputs: int, *, substitute: Mapping[str, Substitute]) -> None:
        super().__init__()
        self.outputs = outputs
        make = {name: substitute.get(name, partial(make_operation, name)) for name in OPERATIONS}
        self.operations = nn.ModuleList(
            nn.ModuleDict({name: make[name](outputs) for name in OPERATIONS}) for _ in range(_POSITIONS)
        )
        self.projections = nn.ModuleList(ConvBNReLU(inputs, outputs, 1) for _ in range(_POSITIONS + 1))
        sliced(without_affine(self))
        self.chosen: list[nn.Module] = []

    def become(self, module: ModuleGraph) -> None:
        """Compute a module from now on.

        Parameters
        ----------
        module
            A pruned module.
        """
        self.connect(module.edges, self.outputs)
        named = zip(self.operations, module.labels, strict=False)
        self.chosen = [choices[OPERATIONS[label]] for choices, label in named]  # type: ignore[index]  # of a list of modules
        for vertex in range(1, self.last + 1):
            modules = [self.operation(vertex)] if vertex < self.last else []
            modules += [self.projection(vertex)] if self.projected[vertex] else []
            for part in (part for module in modules for part in module.modules()):
                if isinstance(part, SlicedConvolution):
                    part.choose(self.widths[vertex])

    @override
    def operation(self, vertex: int) -> nn.Module:
        return self.chosen[vertex - 1]

    @override
    def projection(self, vertex: int) -> nn.Module:
        return self.projections[-1 if vertex == self.last else vertex - 1]


class NASBench101Supernet(Supernet, nn.Module):
    """The frame of NAS-Bench-101's networks with cells that hold all operations for all vertices.

    An architecture's inner vertices, numbered as in its string (in a canonical one as in the benchmark's own matrix)
    after those on no path are pruned, use the operations and projections of positions 1, 2 and so on; modules of fewer
    than seven vertices leave the last positions unused. So isomorphic strings share weights between different vertices.
    A vertex of w channels uses the first w rows and columns of its weights, see `slices`, as vertices read the first
    channels of wider ones.

    Parameters
    ----------
    layout
        For each stack the input and output channels of its cells.
    dataset
        Images and classes.
    substitute
        Modules in the place of operations, made from the cell's number of channels.
    """

    def __init__(
        self, layout: Sequence[Sequence[tuple[int, int]]], dataset: Dataset, substitute: Mapping[str, Substitute]
    ) -> None:
        super().__init__()
        make_cell = partial(NASBench101SuperCell, substitute=checked_substitutes(substitute, OPERATIONS))
        self.network = NASBench101Network(make_cell, layout, dataset)
        self.cells = [layer for layer in self.network.layers if isinstance(layer, NASBench101SuperCell)]

    @override
    def activate(self, architecture: str) -> None:
        self.module = live_module(architecture)
        for cell in self.cells:
            cell.become(self.module)

    @override
    def active_choices(self) -> list[nn.Module]:
        return [module for cell in self.cells for module in cell.chosen]

    @override
    def steps(self) -> list[Step]:
        """Return the stem, the vertices of the first cell one by one, and all that follows."""
        first, others, module = self.cells[0], self.network.layers[1:], self.module
        about = zip(module.labels, first.sources[1:], first.widths[1:], first.projected[1:], strict=False)
        vertices = [Step(key, partial(first.extend, vertex=vertex)) for vertex, key in enumerate(about, start=1)]

        def rest(values: list[Tensor]) -> Tensor:
            return self.network.classify(others(first.output(values)))

        return [Step("stem", lambda images: [self.network.stem(images)]), *vertices, Step(module, rest)]
