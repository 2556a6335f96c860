"""NAS-Bench-201 (Dong and Yang, ICLR 2020): cells of four nodes and six edges with five operations each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from benchsuite.core.errors import InvalidArchitectureError, UnsupportedError
from benchsuite.core.space import Space
from benchsuite.core.types import Complexity, Dataset
from benchsuite.data.home import shipped
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.base import check_halves_twice, drops_dead, one_changed
from benchsuite.spaces.cells import Edge, live_edges, unique_string
from benchsuite.spaces.costs import Convolution, Cost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

    from benchsuite.core.supernet import MixedSupernet, Supernet

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES: tuple[Edge, ...] = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
_FORM = r"\|(\w+)~0\|\+\|(\w+)~0\|(\w+)~1\|\+\|(\w+)~0\|(\w+)~1\|(\w+)~2\|"
_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}  # the operations that have weights


def parse(architecture: str) -> tuple[str, ...]:
    """The six operations in the order of EDGES.

    Raises
    ------
    InvalidArchitectureError
        If the string has another form or an unknown operation; white space around it does not matter.

    Examples
    --------
    >>> parse("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")
    ('none', 'none', 'none', 'skip_connect', 'none', 'nor_conv_3x3')
    """
    match = re.fullmatch(_FORM, str(architecture).strip())
    if match is None:
        raise InvalidArchitectureError(
            f"{str(architecture)[:120]!r} is no NAS-Bench-201 architecture; write |op~0|+|op~0|op~1|+|op~0|op~1|op~2|"
        )
    operations = match.groups()
    for operation in operations:
        if operation not in OPERATIONS:
            allowed = ", ".join(OPERATIONS)
            raise InvalidArchitectureError(f"no NAS-Bench-201 operation {operation[:40]!r}; allowed: {allowed}")
    return operations


def render(operations: Sequence[str]) -> str:
    """The official string of six operations in the order of EDGES.

    Examples
    --------
    >>> render(["skip_connect"] + 5 * ["none"])
    '|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|'
    """
    first, *rest = operations
    second = "".join(f"{operation}~{source}|" for source, operation in enumerate(rest[:2]))
    third = "".join(f"{operation}~{source}|" for source, operation in enumerate(rest[2:]))
    return f"|{first}~0|+|{second}+|{third}"


@lru_cache
def _live(present: tuple[bool, ...]) -> tuple[bool, ...]:
    return live_edges(EDGES, present)


def live_part(operations: Sequence[str]) -> list[tuple[Edge, str]]:
    """Edges on live paths with their operations; empty if no path joins input and output.

    Examples
    --------
    >>> live_part(parse("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"))
    [((0, 3), 'skip_connect')]
    """
    alive = _live(tuple(operation != "none" for operation in operations))
    return [pair for pair, here in zip(zip(EDGES, operations, strict=True), alive, strict=True) if here]


@dataclass(frozen=True, slots=True)
class _Table:
    """All strings in the benchmark's order, and the classes that they form."""

    index: Mapping[str, int]
    representative: Mapping[str, str]  # of each string
    members: Mapping[str, tuple[str, ...]]  # of each representative


@lru_cache
def _cells() -> tuple[tuple[str, ...], ...]:
    """The operations of all cells, in the benchmark's order (shipped as codes, see the card beside the file)."""
    codes = np.load(shipped("data", "nasbench201_order.npy"), allow_pickle=False)
    digits = np.transpose(np.unravel_index(codes, len(EDGES) * (len(OPERATIONS),))).tolist()
    return tuple(tuple(OPERATIONS[digit] for digit in row) for row in digits)


@lru_cache
def _table() -> _Table:
    costs = _operation_costs(NASBench201(), describe("cifar10"))
    classes: dict[str, list[tuple[int, int, str]]] = {}
    for position, operations in enumerate(_cells()):
        live_params = sum(costs[operation].params for _, operation in live_part(operations))
        member = (live_params, position, render(operations))
        classes.setdefault(unique_string(EDGES, operations), []).append(member)
    first = sorted((min(group)[1:], group) for group in classes.values())
    members = {name: tuple(architecture for *_, architecture in group) for (_, name), group in first}
    representative = {architecture: name for name, group in members.items() for architecture in group}
    index = {render(operations): position for position, operations in enumerate(_cells())}
    return _Table(index, representative, members)


def _stages(space: NASBench201, data: Dataset) -> list[tuple[int, int]]:
    """Channels and side of the features in each stage."""
    if min(space.channels, space.cells) < 1:
        raise UnsupportedError(f"NAS-Bench-201 needs channels and cells of at least 1, not {dict(space.sizes)}")
    check_halves_twice("NAS-Bench-201", data)
    return [(space.channels * scale, data.size // scale) for scale in (1, 2, 4)]


@lru_cache
def _operation_costs(space: NASBench201, data: Dataset) -> dict[str, Cost]:
    """Cost of each operation on one edge, in all cells together."""
    costs = dict.fromkeys(OPERATIONS, Cost())
    for operation, kernel in _KERNELS.items():
        stages = [Convolution(width, width, kernel).cost(side) for width, side in _stages(space, data)]
        costs[operation] = sum(stages, Cost()) * space.cells
    return costs


@lru_cache
def _frame_cost(space: NASBench201, data: Dataset) -> Cost:
    """Cost of all but the cells: stem, residual reductions, last normalisation, classifier with its bias."""
    (width, side), *reduced = _stages(space, data)
    last = reduced[-1][0]
    classifier = (last + 1) * data.classes
    total = Convolution(data.channels, width, 3).cost(side) + Cost(2 * last + classifier, classifier)
    for wide, small in reduced:
        shortcut = wide // 2 * wide  # weights of a convolution without normalisation
        total += Convolution(wide // 2, wide, 3).cost(small) + Convolution(wide, wide, 3).cost(small)
        total += Cost(shortcut, shortcut * small**2)
    return total


@dataclass(frozen=True, slots=True)
class NASBench201(Space):
    """The 15,625 cells of NAS-Bench-201 in a network of three stages of `cells` cells, `channels` wide at first.

    Strings whose output node computes the same expression (`unique_string`) form a class: 6,466 classes. They are not
    classes of equal functions: one member may share an operation that another has twice. A class is represented by
    the member with the fewest live parameters (the same one at every size), then the lowest index.

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

    def architectures(self) -> Sequence[str]:
        """The representatives of the 6,466 classes, by index."""
        return tuple(_table().members)

    def every_string(self) -> Sequence[str]:
        """All 15,625 strings in the benchmark's order."""
        return tuple(_table().index)

    def index(self, architecture: str) -> int:
        """Position of the architecture in the official benchmark.

        Examples
        --------
        >>> NASBench201().index("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
        1651
        """
        return _table().index[render(parse(architecture))]

    def canonical(self, architecture: str) -> str:
        """The representative of the architecture's class; InvalidArchitectureError for a foreign string."""
        return _table().representative[render(parse(architecture))]

    def members(self, architecture: str) -> tuple[str, ...]:
        """All strings of the architecture's class, by index."""
        return _table().members[self.canonical(architecture)]

    def equivalent(self, architecture: str, rng: np.random.Generator) -> str:
        """A random member of the architecture's class."""
        members = self.members(architecture)
        return members[rng.integers(len(members))]

    def validate(self, architecture: str) -> None:
        """Return nothing for an architecture of the space, raise InvalidArchitectureError otherwise."""
        parse(architecture)

    def neighbours(self, architecture: str) -> list[str]:
        """The 24 architectures that differ in the operation of one edge."""
        return [render(other) for other in one_changed(parse(architecture), OPERATIONS)]

    def operations(self, architecture: str) -> tuple[str, ...]:
        """The operation on each edge: 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2."""
        return parse(architecture)

    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        """The five operations, for each edge."""
        return (OPERATIONS,) * len(EDGES)

    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        """The string of the operations, in the order of `operations`."""
        parse(architecture)
        return render(operations)

    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        """The untrained network, initialised from torch's current random state.

        Parameters
        ----------
        dead
            "drop" leaves out operations on no live path; "keep" builds and runs them as the official network does.
            Both compute the same function as long as batch normalisation maps zeros to zeros, as it does untrained.
            Modules have the same names in both.

        Raises
        ------
        UnsupportedError
            If the side of the images is no multiple of 4.
        """
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.nasbench201.network import Cell, CellNetwork  # noqa: PLC0415

        operations, data = parse(architecture), describe(dataset)
        edges = live_part(operations) if drops_dead(dead) else list(zip(EDGES, operations, strict=True))
        _stages(self, data)  # refuses images that the network cannot take
        return CellNetwork(lambda width: Cell(edges, width), self.channels, self.cells, data)

    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        """The supernet, initialised from torch's current random state.

        Parameters
        ----------
        substitute
            Modules in the place of operations, made from the number of channels.
        """
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.nasbench201.supernet import NASBench201Supernet  # noqa: PLC0415

        data = describe(dataset)
        _stages(self, data)  # refuses images that the network cannot take
        return NASBench201Supernet(self.channels, self.cells, data, substitute or {})

    def mixed(self, dataset: str | Dataset, *, operations: str = "all", partial: int = 1) -> MixedSupernet:
        """The supernet that mixes operations by weights, initialised from torch's current random state.

        Raises
        ------
        SuiteError
            If `partial` does not divide the channels without rest.
        UnknownNameError
            If `operations` is not "all".
        """
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.nasbench201.mixed import NASBench201MixedSupernet  # noqa: PLC0415

        data = describe(dataset)
        _stages(self, data)  # refuses images that the network cannot take
        return NASBench201MixedSupernet(self.channels, self.cells, data, operations=operations, partial=partial)

    def pools(self) -> Mapping[str, Callable[[], nn.Module]]:
        """How the average pooling is made."""
        from benchsuite.spaces.layers import SameAveragePool  # noqa: PLC0415 - torch takes a second to load

        return {"avg_pool_3x3": SameAveragePool}

    def region_network(self, architecture: str) -> nn.Module:
        """The network whose linear regions TE-NAS counts: one cell of one channel, live operations alone.

        Initialised from torch's current random state; it takes images of one channel and any size to what its last
        ReLU gives.
        """
        from benchsuite.spaces.nasbench201.network import narrow_cell  # noqa: PLC0415 - torch takes a second to load

        return narrow_cell(live_part(parse(architecture)))

    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Parameters and multiply-adds of convolutions and classifier, its bias included as in the official table.

        Examples
        --------
        >>> cell = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
        >>> NASBench201().complexity(cell, "cifar10")
        Complexity(params=316346, macs=43172490, live_params=73306, live_macs=7783050)
        """
        operations, data = parse(architecture), describe(dataset)
        costs, frame = _operation_costs(self, data), _frame_cost(self, data)
        every = sum((costs[operation] for operation in operations), frame)
        live = sum((costs[operation] for _, operation in live_part(operations)), frame)
        return Complexity(every.params, every.macs, live.params, live.macs)
