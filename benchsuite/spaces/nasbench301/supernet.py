"""The supernet of NAS-Bench-301: every cell has all seven operations on each of its 14 edges."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING

from benchsuite.core.supernet import Step
from benchsuite.spaces.nasbench301.layout import NODES, Part, plan
from benchsuite.spaces.nasbench301.network import Cell, CellNetwork, make_operation
from benchsuite.spaces.nasbench301.space import OPERATIONS, live_part, parse
from benchsuite.spaces.supernet import CellSupernet, ChoiceCell, checked_substitutes, without_affine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from benchsuite.core.supernet import Substitute
    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nasbench301.layout import Place

    States = tuple[Tensor, Tensor]  # what the cell before the last and the last one gave

_BOTH = Part((), (0, 1))  # a cell with its inputs alone


class SuperCell(Cell, ChoiceCell):
    """A cell with both inputs and all operations, in whose normalisations nothing is learnt.

    Substitutes stand only where an operation keeps the size, not on the edges that halve it.
    """

    def __init__(self, place: Place, part: Part, *, substitute: Mapping[str, Substitute]) -> None:
        super().__init__(place, part)
        edges = [(source, target) for target in range(2, 2 + NODES) for source in range(target)]
        for (source, target), name in product(edges, OPERATIONS):
            stride = place.stride(source)
            replaced = stride == 1 and name in substitute
            module = substitute[name](place.width) if replaced else make_operation(name, place.width, stride)
            self.offer(source, target, name, module)
        without_affine(self)

    def become(self, part: Part | None) -> None:
        """Run a part of the cell alone; None where no later cell reads the output."""
        self.inputs = () if part is None else part.inputs
        self.choose(() if part is None else part.edges)

    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        """The nodes of the cell side by side; the newer input if nothing of the cell is run."""
        return super().forward(older, newer) if self.edges else newer


class NASBench301Supernet(CellSupernet):
    """The frame of the DARTS space's networks with cells that hold all operations (C=16, L=8: 1,930,618 weights).

    These are the weights of the network that DARTS searches with (Liu, Simonyan and Yang, ICLR 2019). It also
    normalises what pools give, without weights; here pools are as in the networks that are trained alone.
    """

    def __init__(self, places: Sequence[Place], dataset: Dataset, substitute: Mapping[str, Substitute]) -> None:
        super().__init__()
        make_cell = partial(SuperCell, substitute=checked_substitutes(substitute, OPERATIONS))
        self.places = places
        self.network = CellNetwork(plan(places, _BOTH, _BOTH), dataset, make_cell=make_cell)
        self.cells = [cell for cell in self.network.cells.values() if isinstance(cell, SuperCell)]
        self.parts: list[Part | None] = []

    def activate(self, architecture: str) -> None:
        """Make an architecture the active one: the cells, inputs and edges that its logits depend on are run."""
        normal, reduction = parse(architecture)
        self.parts = [part for _, part in plan(self.places, live_part(normal), live_part(reduction))]
        for cell, part in zip(self.cells, self.parts, strict=True):
            cell.become(part)

    def active_choices(self) -> list[nn.Module]:
        """The modules on live edges, those of all cells."""
        return [module for cell in self.cells for module in cell.chosen()]

    def steps(self) -> list[Step]:
        """The stem, each cell, the classifier."""
        cells = [Step(part, partial(_follow, cell)) for cell, part in zip(self.cells, self.parts, strict=True)]
        stem = Step("stem", lambda images: (self.network.stem(images),) * 2)
        return [stem, *cells, Step("classifier", lambda states: self.network.classify(states[1]))]


def _follow(cell: SuperCell, states: States) -> States:
    """What the last cell and this one give."""
    older, newer = states
    return newer, cell(older, newer)
