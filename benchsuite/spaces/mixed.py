"""Mixed-operation supernets: every edge gives a weighted sum of all its operations, as in DARTS and PC-DARTS."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

from benchsuite.core.errors import SuiteError
from benchsuite.spaces.layers import SummingCell
from benchsuite.spaces.supernet import Step, Supernet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from torch import Tensor

NONE = "none"  # the operation that brings nothing: it is never computed


class EdgeChoices(NamedTuple):
    """An edge of a cell and the operations that it mixes."""

    source: int
    target: int
    operations: tuple[str, ...]


def channel_shuffle(features: Tensor, groups: int) -> Tensor:
    """The channels of all groups in turn: the first ones of each, then the second ones (a permutation).

    Examples
    --------
    >>> channel_shuffle(torch.arange(6).reshape(1, 6, 1, 1), 2).flatten().tolist()
    [0, 3, 1, 4, 2, 5]
    """
    grouped = features.reshape(len(features), groups, -1, *features.shape[2:])
    return grouped.transpose(1, 2).flatten(1, 2)


def check_partial(space: str, channels: int, partial: int) -> None:
    """Return nothing if the operations of every edge can see one of `partial` equal parts of the channels.

    Raises
    ------
    SuiteError
        If it divides the channels of the narrowest cells with a rest.
    """
    if partial < 1 or channels % partial:
        raise SuiteError(
            f"{space}: partial = {partial}; choose a positive number that divides the {channels} channels without rest"
        )


class MixedEdge(nn.Module):
    """The operations of an edge: their weighted sum, or one of them.

    With partial channels (PC-DARTS, Xu et al., ICLR 2020) operations see the first of `partial` equal parts of the
    channels alone. The others pass by, max-pooled where the edge halves the size, and channels are shuffled, so that
    the next edge takes others.

    Parameters
    ----------
    names
        Operations in the order of the weights; "none" has no module and brings nothing.
    make
        Makes an operation's module; None is the identity.
    """

    def __init__(
        self, names: Sequence[str], make: Callable[[str], nn.Module | None], *, stride: int, partial: int
    ) -> None:
        super().__init__()
        made = {name: make(name) for name in names if name != NONE}
        self.operations = nn.ModuleDict({name: module or nn.Identity() for name, module in made.items()})
        self.bypass = nn.MaxPool2d(2) if stride == 2 else nn.Identity()
        self.names, self.partial = tuple(names), partial
        self._terms: list[tuple[nn.Module, Tensor | None]] = []
        self._scale: Tensor | None = None

    def mix(self, weights: Tensor, scale: Tensor | None) -> None:
        """Bring the sum of the operations by these weights, shape (operations,), times the edge's own weight."""
        weighted = zip(self.names, weights.unbind(), strict=True)
        self._terms = [(self.operations[name], weight) for name, weight in weighted if name != NONE]
        self._scale = scale

    def choose(self, name: str) -> nn.Module:
        """Bring what one operation gives, and return its module."""
        self._terms, self._scale = [(self.operations[name], None)], None
        return self.operations[name]

    def forward(self, features: Tensor) -> Tensor:
        """What the edge brings, shape (batch, channels, height / stride, width / stride)."""
        if self.partial == 1:
            value = self._sum(features)
        else:
            width = features.shape[1] // self.partial
            parts = [self._sum(features[:, :width]), self.bypass(features[:, width:])]
            value = channel_shuffle(torch.cat(parts, 1), self.partial)
        return value if self._scale is None else value * self._scale

    def _sum(self, features: Tensor) -> Tensor:
        total: Tensor | None = None
        for module, weight in self._terms:
            value = module(features)
            if weight is not None:
                value = value * weight if total is None else torch.addcmul(total, value, weight)
            total = value
        if total is None:
            raise SuiteError("a mixed supernet neither mixes nor has an active architecture; call mix or activate")
        return total


class MixedCell(SummingCell):
    """Base of cells whose edges are `MixedEdge`s in the order of a table."""

    def join(self, choices: Iterable[EdgeChoices], make: Callable[[EdgeChoices], MixedEdge]) -> None:
        """Add the edges of a table."""
        for edge in choices:
            self.connect(edge.source, edge.target, make(edge))
        self._every = list(self.edges)

    def mixed_edges(self) -> dict[str, MixedEdge]:
        """The edges in the order of the table, those that are not run included, by the names of their modules."""
        found = {name: self._modules[name] for _, _, name in self._every if name is not None}
        return {name: edge for name, edge in found.items() if isinstance(edge, MixedEdge)}

    def mix(self, weights: Tensor, scales: Sequence[Tensor | None]) -> None:
        """Run all edges, each with its row of the weights."""
        self.edges = list(self._every)
        for edge, row, scale in zip(self.mixed_edges().values(), weights.unbind(), scales, strict=True):
            edge.mix(row, scale)

    def choose(self, chosen: Iterable[tuple[int, int, str]]) -> list[nn.Module]:
        """Run these edges (source, target, operation) alone, and return the modules of their operations."""
        operations = {(source, target): name for source, target, name in chosen}
        self.edges = [edge for edge in self._every if edge[:2] in operations]
        edges = self.mixed_edges()
        return [edges[str(name)].choose(operations[source, target]) for source, target, name in self.edges]


class MixedSupernet(Supernet):
    """A supernet that mixes all operations by weights of one's own, or runs one architecture.

    The weights are no part of it: what they are made of, and how they are learnt, is a method's business. What it
    mixes or runs is set by the last call of `mix` or `activate`; copy.deepcopy refuses it while it mixes weights that
    were computed from others, as torch refuses such tensors.

    Attributes
    ----------
    tables
        The edges of each kind of cell and their operations, which the rows and columns of weights stand for.
    cells
        The table of each cell, first to last.
    aligned
        The table whose cells Lambda-DARTS aligns.
    partial
        K of PC-DARTS: operations see 1 / K of the channels. 1 is DARTS.
    """

    def __init__(
        self,
        network: nn.Module,
        mixed_cells: Sequence[MixedCell],
        *,
        tables: Mapping[str, tuple[EdgeChoices, ...]],
        cells: tuple[str, ...],
        aligned: str,
        partial: int,
    ) -> None:
        super().__init__()
        self.network, self.mixed_cells = network, list(mixed_cells)
        self.tables, self.cells, self.aligned, self.partial = tables, cells, aligned, partial
        self._active: str | None = None
        self._chosen: list[nn.Module] = []

    def mix(self, weights: Sequence[Tensor], edges: Sequence[Tensor] | None = None) -> None:
        """Let all operations take part, by weights through which gradients flow back.

        Parameters
        ----------
        weights
            For each cell a tensor (edges, operations); several may be the same one.
        edges
            With edge normalisation, for each cell a tensor (edges,) by which what edges bring is multiplied.
        """
        self._active, self._chosen = None, []
        for number, (cell, rows) in enumerate(zip(self.mixed_cells, weights, strict=True)):
            cell.mix(rows, [None] * len(rows) if edges is None else list(edges[number].unbind()))

    def activate(self, architecture: str) -> None:
        """Run an architecture's live operations alone.

        Edges that it has not, and those of "none", are dropped whole. With partial channels the other edges keep the
        channels that pass by.
        """
        parts = self.live_edges(architecture)
        pairs = zip(self.mixed_cells, parts, strict=True)
        self._chosen = [module for cell, edges in pairs for module in cell.choose(edges)]
        self._active = architecture

    @abstractmethod
    def live_edges(self, architecture: str) -> list[Iterable[tuple[int, int, str]]]:
        """The edges (source, target, operation) of each cell that an architecture's logits depend on."""

    @abstractmethod
    def derive(self, weights: Mapping[str, Tensor], edges: Mapping[str, Tensor] | None = None) -> str:
        """The architecture of the largest weights (edges, operations) of each table, by the space's published rule.

        Of equal weights the first counts. Edge weights, if given, are multiplied with those of operations.
        """

    @abstractmethod
    def choices(self, architecture: str) -> dict[str, list[tuple[int, int]]]:
        """The places (edge, operation) of an architecture in each table.

        Raises
        ------
        UnsupportedError
            If an edge of the table lacks the architecture's operation.
        """

    def operations(self, architecture: str) -> list[str]:
        """The operations of an architecture, table by table, those that the space's strings do not know included."""
        chosen = self.choices(architecture).items()
        return [self.tables[table][edge].operations[place] for table, places in chosen for edge, place in places]

    def active_choices(self) -> list[nn.Module]:
        """The modules of the active architecture's operations, those of all cells."""
        return list(self._chosen)

    def alternatives(self) -> dict[str, dict[str, nn.Module]]:
        """The modules to choose from, by operation, at each edge."""
        return {name: dict(part.operations.items()) for name, part in self.named_modules() if type(part) is MixedEdge}

    def steps(self) -> list[Step]:
        """The whole forward pass, which other architectures do not share."""
        return [Step(self._active if self._active is not None else object(), self.network)]


def rows(weights: Tensor, edges: Tensor | None = None) -> list[list[float]]:
    """A table's weights as numbers, those of operations times those of edges."""
    scaled = weights if edges is None else weights * edges[:, None]
    values: list[list[float]] = scaled.detach().tolist()
    return values


def largest(values: Mapping[str, float]) -> str:
    """The name of the largest value, the first one of equals.

    Examples
    --------
    >>> largest({"a": 1.0, "b": 2.0, "c": 2.0})
    'b'
    """
    return max(values, key=values.__getitem__)
