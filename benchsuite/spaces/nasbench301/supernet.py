"""The supernet of NAS-Bench-301: every cell has all seven operations on each of its 14 edges."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING

from typing_extensions import override

from benchsuite.core.supernet import Step
from benchsuite.spaces.nasbench301.cells import NODES, OPERATIONS, CellPart, live_part
from benchsuite.spaces.nasbench301.layout import plan
from benchsuite.spaces.nasbench301.network import NASBench301Cell, NASBench301Network, make_operation
from benchsuite.spaces.nasbench301.strings import parse
from benchsuite.spaces.supernet import CellSupernet, ChoiceCell, checked_substitutes, without_affine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from benchsuite.core.supernet import Substitute
    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nasbench301.layout import CellShape

    CellStates = tuple[Tensor, Tensor]  # outputs of the cell before the last and of the last one

_BOTH = CellPart((), (0, 1))  # a cell with only its inputs


class NASBench301SuperCell(NASBench301Cell, ChoiceCell):
    """A cell with both inputs and all operations, in whose normalisations nothing is learnt.

    Substitutes stand only where an operation keeps the size, not on the edges that halve it. If nothing of the cell is
    run, it passes on its newer input.

    Parameters
    ----------
    shape
        Channels and sides.
    part
        Both inputs.
    substitute
        Modules in the place of operations, made from the number of channels.
    """

    def __init__(self, shape: CellShape, part: CellPart, *, substitute: Mapping[str, Substitute]) -> None:
        super().__init__(shape, part)
        edges = [(source, target) for target in range(2, 2 + NODES) for source in range(target)]
        for (source, target), name in product(edges, OPERATIONS):
            stride = shape.stride(source)
            replaced = stride == 1 and name in substitute
            module = substitute[name](shape.width) if replaced else make_operation(name, shape.width, stride)
            self.offer(source, target, name, module)
        without_affine(self)

    def become(self, part: CellPart | None) -> None:
        """Run only a part of the cell.

        Parameters
        ----------
        part
            The part; None where no later cell reads the output.
        """
        self.inputs = () if part is None else part.inputs
        self.choose(() if part is None else part.edges)

    @override
    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        return super().forward(older, newer) if self.edges else newer


class NASBench301Supernet(CellSupernet):
    """The frame of the DARTS space's networks with cells that hold all operations (C=16, L=8: 1,930,618 weights).

    These are the weights of the network that DARTS searches with (Liu, Simonyan and Yang, ICLR 2019). It also
    normalises the output of pools, without weights; here pools are as in the networks of single architectures.

    Parameters
    ----------
    shapes
        Of the cells.
    dataset
        Images and classes.
    substitute
        Modules in the place of operations, on edges that keep the size, made from the number of channels.
    """

    def __init__(self, shapes: Sequence[CellShape], dataset: Dataset, substitute: Mapping[str, Substitute]) -> None:
        super().__init__()
        make_cell = partial(NASBench301SuperCell, substitute=checked_substitutes(substitute, OPERATIONS))
        self.shapes = shapes
        self.network = NASBench301Network(plan(shapes, _BOTH, _BOTH), dataset, make_cell=make_cell)
        self.cells = [cell for cell in self.network.cells.values() if isinstance(cell, NASBench301SuperCell)]
        self.parts: list[CellPart | None] = []

    @override
    def activate(self, architecture: str) -> None:
        normal, reduction = parse(architecture)
        self.parts = [part for _, part in plan(self.shapes, live_part(normal), live_part(reduction))]
        for cell, part in zip(self.cells, self.parts, strict=True):
            cell.become(part)

    @override
    def active_choices(self) -> list[nn.Module]:
        return [module for cell in self.cells for module in cell.chosen()]

    @override
    def steps(self) -> list[Step]:
        """Return the stem, each cell, and the classifier."""
        cells = [Step(part, partial(_follow, cell)) for cell, part in zip(self.cells, self.parts, strict=True)]
        stem = Step("stem", lambda images: (self.network.stem(images),) * 2)
        return [stem, *cells, Step("classifier", lambda states: self.network.classify(states[1]))]


def _follow(cell: NASBench301SuperCell, states: CellStates) -> CellStates:
    """Return the outputs of the last cell and of this one."""
    older, newer = states
    return newer, cell(older, newer)
