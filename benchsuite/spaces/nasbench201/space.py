"""NAS-Bench-201 (Dong and Yang, ICLR 2020): cells of four nodes and six edges with five operations each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from typing_extensions import override

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.space import Space
from benchsuite.core.types import Complexity, Dataset
from benchsuite.data.home import shipped
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.base import check_halves_twice, drops_dead, one_changed
from benchsuite.spaces.cells import unique_string
from benchsuite.spaces.costs import Convolution, Cost
from benchsuite.spaces.nasbench201.drawing import drawing
from benchsuite.spaces.nasbench201.strings import EDGES, OPERATIONS, live_part, parse, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

    from benchsuite.core.drawing import CellDrawing
    from benchsuite.core.supernet import MixedSupernet, Supernet

_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}  # the operations that have weights


@dataclass(frozen=True, slots=True)
class NASBench201(Space):
    """The 15,625 cells of NAS-Bench-201 in a network of three stages of `cells` cells, `channels` wide at first.

    Strings whose output node computes the same expression (`unique_string`) form an isomorphism class: 6,466 classes.
    They are not classes of equal functions: one member may share an operation that another has twice. The canonical
    architecture is the member with the fewest live parameters (the same one at every size), then the lowest index.

    Attributes
    ----------
    channels
        Channels of the first stage; each further stage doubles them.
    cells
        Cells in each stage.

    Examples
    --------
    >>> space = NASBench201()
    >>> len(space.every_string()), len(space.architectures())
    (15625, 6466)
    """

    channels: int = 16
    cells: int = 5
    name: ClassVar[str] = "nasbench201"
    datasets: ClassVar[tuple[str, ...]] = ("cifar10", "cifar100", "imagenet16-120", "digits")
    skips: ClassVar[tuple[str, ...]] = ("skip_connect",)

    @override
    def architectures(self) -> Sequence[str]:
        """Return the canonical architectures of the 6,466 classes, by index."""
        return tuple(_table().members)

    @override
    def every_string(self) -> Sequence[str]:
        """Return all 15,625 strings in the benchmark's order."""
        return tuple(_table().index)

    def index(self, architecture: str) -> int:
        """Return the position of an architecture in the official benchmark.

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        int
            0 to 15,624.

        Examples
        --------
        >>> NASBench201().index("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
        1651
        """
        return _table().index[render(parse(architecture))]

    @override
    def canonical(self, architecture: str) -> str:
        return _table().canonical[render(parse(architecture))]

    @override
    def members(self, architecture: str) -> tuple[str, ...]:
        return _table().members[self.canonical(architecture)]

    @override
    def equivalent(self, architecture: str, rng: np.random.Generator) -> str:
        members = self.members(architecture)
        return members[rng.integers(len(members))]

    @override
    def validate(self, architecture: str) -> None:
        parse(architecture)

    @override
    def neighbours(self, architecture: str) -> list[str]:
        return [render(other) for other in one_changed(parse(architecture), OPERATIONS)]

    @override
    def operations(self, architecture: str) -> tuple[str, ...]:
        """Return the operation on each edge: 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2.

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        tuple
            Six names.
        """
        return parse(architecture)

    @override
    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        return (OPERATIONS,) * len(EDGES)

    @override
    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        parse(architecture)
        return render(operations)

    @override
    def drawing(self, architecture: str) -> CellDrawing:
        return drawing(parse(architecture))

    @override
    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.nasbench201.network import NASBench201Cell, NASBench201Network  # noqa: PLC0415

        operations, data = parse(architecture), self._described(dataset)
        edges = live_part(operations) if drops_dead(dead) else list(zip(EDGES, operations, strict=True))
        return NASBench201Network(lambda width: NASBench201Cell(edges, width), self.channels, self.cells, data)

    @override
    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.nasbench201.supernet import NASBench201Supernet  # noqa: PLC0415

        return NASBench201Supernet(self.channels, self.cells, self._described(dataset), substitute or {})

    @override
    def mixed(self, dataset: str | Dataset, *, operations: str = "all", partial: int = 1) -> MixedSupernet:
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.nasbench201.mixed import NASBench201MixedSupernet  # noqa: PLC0415

        data = self._described(dataset)
        return NASBench201MixedSupernet(self.channels, self.cells, data, operations=operations, partial=partial)

    @override
    def pools(self) -> Mapping[str, Callable[[], nn.Module]]:
        from benchsuite.spaces.layers import SameAveragePool  # noqa: PLC0415 - torch takes a second to load

        return {"avg_pool_3x3": SameAveragePool}

    def region_network(self, architecture: str) -> nn.Module:
        """Build the network whose linear regions TE-NAS counts: one cell of one channel with only its live operations.

        It is initialised from torch's current random state.

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        Module
            Takes images of one channel and any size to the output of its last ReLU.
        """
        from benchsuite.spaces.nasbench201.network import narrow_cell  # noqa: PLC0415 - torch takes a second to load

        return narrow_cell(live_part(parse(architecture)))

    @override
    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Count parameters, and MACs of convolutions and classifier with its bias, as in the official table.

        Parameters
        ----------
        architecture
            Any string of the space.
        dataset
            Name or description of the data set.

        Returns
        -------
        Complexity
            Of all operations, and of the live ones.

        Examples
        --------
        >>> cell = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
        >>> NASBench201().complexity(cell, "cifar10")
        Complexity(params=316346, macs=43172490, live_params=73306, live_macs=7783050)
        """
        operations, data = parse(architecture), self._described(dataset)
        costs, frame = _operation_costs(self, data), _frame_cost(self, data)
        every = sum((costs[operation] for operation in operations), frame)
        live = sum((costs[operation] for _, operation in live_part(operations)), frame)
        return Complexity(every.params, every.macs, live.params, live.macs)

    def _described(self, dataset: str | Dataset) -> Dataset:
        """Return the data set; UnsupportedError if the network cannot take its images, or a size is not allowed."""
        data = describe(dataset)
        if min(self.channels, self.cells) < 1:
            raise UnsupportedError(f"{self}: channels and cells must be at least 1")
        check_halves_twice(self.name, data)
        return data


@dataclass(frozen=True, slots=True)
class _Strings:
    """All strings in the benchmark's order, and their isomorphism classes."""

    index: Mapping[str, int]
    canonical: Mapping[str, str]  # of each string
    members: Mapping[str, tuple[str, ...]]  # of each canonical architecture


@lru_cache
def _table() -> _Strings:
    costs = _operation_costs(NASBench201(), describe("cifar10"))
    classes: dict[str, list[tuple[int, int, str]]] = {}
    for position, operations in enumerate(_cells()):
        live_params = sum(costs[operation].params for _, operation in live_part(operations))
        member = (live_params, position, render(operations))
        classes.setdefault(unique_string(EDGES, operations), []).append(member)
    first = sorted((min(group)[1:], group) for group in classes.values())
    members = {name: tuple(architecture for *_, architecture in group) for (_, name), group in first}
    canonical = {architecture: name for name, group in members.items() for architecture in group}
    index = {render(operations): position for position, operations in enumerate(_cells())}
    return _Strings(index, canonical, members)


@lru_cache
def _cells() -> tuple[tuple[str, ...], ...]:
    """Return the operations of all cells, in the benchmark's order (shipped as codes, see the card beside the file)."""
    codes = np.load(shipped("data", "nasbench201_order.npy"), allow_pickle=False)
    digits = np.transpose(np.unravel_index(codes, len(EDGES) * (len(OPERATIONS),))).tolist()
    return tuple(tuple(OPERATIONS[digit] for digit in row) for row in digits)


def _stages(space: NASBench201, data: Dataset) -> list[tuple[int, int]]:
    """Return channels and side of the features in each stage."""
    return [(space.channels * scale, data.size // scale) for scale in (1, 2, 4)]


@lru_cache
def _operation_costs(space: NASBench201, data: Dataset) -> dict[str, Cost]:
    """Return the cost of each operation on one edge, in all cells together."""
    costs = dict.fromkeys(OPERATIONS, Cost())
    for operation, kernel in _KERNELS.items():
        stages = [Convolution(width, width, kernel).cost(side) for width, side in _stages(space, data)]
        costs[operation] = sum(stages, Cost()) * space.cells
    return costs


@lru_cache
def _frame_cost(space: NASBench201, data: Dataset) -> Cost:
    """Return the cost of all but the cells: stem, residual reductions, last normalisation, classifier with its bias."""
    (width, side), *reduced = _stages(space, data)
    last = reduced[-1][0]
    classifier = (last + 1) * data.classes
    total = Convolution(data.channels, width, 3).cost(side) + Cost(2 * last + classifier, classifier)
    for wide, small in reduced:
        shortcut = wide // 2 * wide  # weights of a convolution without normalisation
        total += Convolution(wide // 2, wide, 3).cost(small) + Convolution(wide, wide, 3).cost(small)
        total += Cost(shortcut, shortcut * small**2)
    return total
