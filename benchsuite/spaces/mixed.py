"""Mixed-operation supernets: every edge gives a weighted sum of all its operations, as in DARTS and PC-DARTS."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import nn
from typing_extensions import override

from benchsuite.core.errors import SuiteError
from benchsuite.core.supernet import NONE, EdgeChoices, MixedSupernet, Step
from benchsuite.spaces.layers import SummingCell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from torch import Tensor


def channel_shuffle(features: Tensor, groups: int) -> Tensor:
    """Return the channels of all groups in turn: the first ones of each, then the second ones (a permutation).

    Parameters
    ----------
    features
        Shape (batch, channels, height, width).
    groups
        Number of equal groups of channels.

    Returns
    -------
    Tensor
        The same shape.

    Examples
    --------
    >>> channel_shuffle(torch.arange(6).reshape(1, 6, 1, 1), 2).flatten().tolist()
    [0, 3, 1, 4, 2, 5]
    """
    grouped = features.reshape(len(features), groups, -1, *features.shape[2:])
    return grouped.transpose(1, 2).flatten(1, 2)


def check_partial(space: str, channels: int, partial: int) -> None:
    """Raise SuiteError unless the operations of every edge can see one of `partial` equal parts of the channels.

    Parameters
    ----------
    space
        Name of the space, for the message.
    channels
        Channels of the narrowest cells.
    partial
        Number of parts.
    """
    if partial < 1 or channels % partial:
        raise SuiteError(
            f"{space}: partial = {partial}; must be at least 1 and divide the {channels} channels of the first cell"
        )


class MixedEdge(nn.Module):
    """The operations of an edge: their weighted sum, or one of them.

    With partial channels (PC-DARTS, Xu et al., ICLR 2020) operations see only the first of `partial` equal parts of
    the channels. The others pass by, max-pooled where the edge halves the size, and channels are shuffled, so that
    the next edge takes others. Features (batch, channels, height, width) become (batch, channels, height / stride,
    width / stride).

    Parameters
    ----------
    names
        Operations in the order of the weights; "none" has no module and contributes nothing.
    make
        Makes an operation's module; None is the identity.
    stride
        By what height and width are divided.
    partial
        Operations see 1 / `partial` of the channels.
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
        """Compute the weighted sum of the operations from now on.

        Parameters
        ----------
        weights
            Shape (operations,).
        scale
            Weight of the whole edge; None is 1.
        """
        weighted = zip(self.names, weights.unbind(), strict=True)
        self._terms = [(self.operations[name], weight) for name, weight in weighted if name != NONE]
        self._scale = scale

    def choose(self, name: str) -> nn.Module:
        """Compute one operation from now on.

        Parameters
        ----------
        name
            The operation.

        Returns
        -------
        Module
            What computes it.
        """
        self._terms, self._scale = [(self.operations[name], None)], None
        return self.operations[name]

    @override
    def forward(self, features: Tensor) -> Tensor:
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
            raise SuiteError(
                "the mixed supernet neither mixes operations nor has an active architecture; call mix or activate first"
            )
        return total


class MixedCell(SummingCell):
    """Base of cells whose edges are `MixedEdge`s in the order of a table."""

    def join(self, choices: Iterable[EdgeChoices], make: Callable[[EdgeChoices], MixedEdge]) -> None:
        """Add the edges of a table.

        Parameters
        ----------
        choices
            Edges and their operations.
        make
            Makes the module of an edge.
        """
        for edge in choices:
            self.connect(edge.source, edge.target, make(edge))
        self._every = list(self.edges)

    def mixed_edges(self) -> dict[str, MixedEdge]:
        """Return all edges in the order of the table, those that are not run included, by module name."""
        found = {name: self._modules[name] for _, _, name in self._every if name is not None}
        return {name: edge for name, edge in found.items() if isinstance(edge, MixedEdge)}

    def mix(self, weights: Tensor, scales: Sequence[Tensor | None]) -> None:
        """Run all edges.

        Parameters
        ----------
        weights
            Shape (edges, operations).
        scales
            Weight of each whole edge; None is 1.
        """
        self.edges = list(self._every)
        for edge, row, scale in zip(self.mixed_edges().values(), weights.unbind(), scales, strict=True):
            edge.mix(row, scale)

    def choose(self, chosen: Iterable[tuple[int, int, str]]) -> list[nn.Module]:
        """Run only some edges.

        Parameters
        ----------
        chosen
            Source, target and operation of each.

        Returns
        -------
        list
            The modules of their operations.
        """
        operations = {(source, target): name for source, target, name in chosen}
        self.edges = [edge for edge in self._every if edge[:2] in operations]
        edges = self.mixed_edges()
        return [edges[str(name)].choose(operations[source, target]) for source, target, name in self.edges]


class MixedCellSupernet(MixedSupernet, nn.Module):
    """Base of supernets whose cells are `MixedCell`s.

    Parameters
    ----------
    network
        Takes images to logits through the cells.
    mixed_cells
        The cells, first to last.
    tables, cells, aligned, partial
        As in `MixedSupernet`.
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

    @override
    def mix(self, weights: Sequence[Tensor], edges: Sequence[Tensor] | None = None) -> None:
        self._active, self._chosen = None, []
        for number, (cell, rows) in enumerate(zip(self.mixed_cells, weights, strict=True)):
            cell.mix(rows, [None] * len(rows) if edges is None else list(edges[number].unbind()))

    @override
    def activate(self, architecture: str) -> None:
        """Run only an architecture's live operations.

        Edges that it lacks, and those of "none", are dropped whole. With partial channels the other edges keep
        the channels that pass by.

        Parameters
        ----------
        architecture
            A string of the space, or one with operations that only the operation set has.
        """
        parts = self.live_edges(architecture)
        pairs = zip(self.mixed_cells, parts, strict=True)
        self._chosen = [module for cell, edges in pairs for module in cell.choose(edges)]
        self._active = architecture

    @abstractmethod
    def live_edges(self, architecture: str) -> list[Iterable[tuple[int, int, str]]]:
        """Return the edges of each cell that an architecture's logits depend on.

        Parameters
        ----------
        architecture
            A string of the space.

        Returns
        -------
        list
            For each cell edges (source, target, operation).
        """

    @override
    def active_choices(self) -> list[nn.Module]:
        return list(self._chosen)

    @override
    def alternatives(self) -> dict[str, dict[str, nn.Module]]:
        return {name: dict(part.operations.items()) for name, part in self.named_modules() if type(part) is MixedEdge}

    @override
    def steps(self) -> list[Step]:
        """Return the whole forward pass as one step, which other architectures do not share."""
        return [Step(self._active if self._active is not None else object(), self.network)]


def rows(weights: Tensor, edges: Tensor | None = None) -> list[list[float]]:
    """Return a table's weights as numbers, those of operations times those of edges.

    Parameters
    ----------
    weights
        Shape (edges, operations).
    edges
        Shape (edges,); None is 1 for each.

    Returns
    -------
    list
        A row for each edge.
    """
    scaled = weights if edges is None else weights * edges[:, None]
    values: list[list[float]] = scaled.detach().tolist()
    return values


def largest(values: Mapping[str, float]) -> str:
    """Return the name of the largest value, the first one of equals.

    Parameters
    ----------
    values
        Numbers by name.

    Returns
    -------
    str
        A name.

    Examples
    --------
    >>> largest({"a": 1.0, "b": 2.0, "c": 2.0})
    'b'
    """
    return max(values, key=values.__getitem__)
