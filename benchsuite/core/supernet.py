"""Supernets: networks that hold one set of weights for all architectures of a space, of which one is active.

These are the abstract types that estimators train and read. The supernets of the spaces derive from one of them *and*
from `torch.nn.Module`; torch itself is not loaded here.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from benchsuite.core.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from torch import Tensor, nn

    Substitute = Callable[[int], nn.Module]  # channels -> the module in an operation's place
    _Module = nn.Module
else:
    _Module = object  # derived classes name nn.Module themselves, so that torch is loaded when a network is made

NONE = "none"  # the operation that contributes nothing: it is never computed


class Step(NamedTuple):
    """A part of a forward pass: what it computes from the result of the step before.

    Steps with equal keys, from the first one on, give equal values for the same images: evaluations of many
    architectures need not repeat them.

    Attributes
    ----------
    key
        Identity of the computation.
    run
        Takes the result of the step before (the images at first) and returns its own.
    """

    key: Hashable
    run: Callable[[Any], Any]


class Supernet(_Module):
    """Base of supernets: `forward` computes the sub-network of the active architecture, and nothing else.

    Weights that the active architecture does not use take no part in the computation: their gradients stay None.
    Derive from this class and from `torch.nn.Module`, in this order.
    """

    @abstractmethod
    def activate(self, architecture: str) -> None:
        """Make an architecture the active one; nothing is copied.

        Parameters
        ----------
        architecture
            Any string of the space, canonical or not.

        Raises
        ------
        InvalidArchitectureError
            If the string is not an architecture of the space.
        """

    @abstractmethod
    def steps(self) -> list[Step]:
        """Return the parts of the active sub-network's forward pass, from images to logits."""

    @abstractmethod
    def active_choices(self) -> list[nn.Module]:
        """Return the modules that implement the operations of the active architecture, each once."""

    def forward(self, images: Tensor) -> Tensor:
        """Compute the logits of the active architecture.

        Parameters
        ----------
        images
            Shape (batch, channels, height, width).

        Returns
        -------
        Tensor
            Logits, shape (batch, classes).
        """
        value = images
        for step in self.steps():
            value = step.run(value)
        return value

    def alternatives(self) -> dict[str, dict[str, nn.Module]]:
        """Return the modules to choose from, by position and operation.

        Returns
        -------
        dict
            For each edge of a cell or layer of a chain, by its name, the modules by operation; empty if the choices
            are widths and depths, not operations.
        """
        return {}

    def mix(self, weights: Sequence[Tensor], edges: Sequence[Tensor] | None = None) -> None:
        """Let all operations take part, by weights through which gradients flow back.

        Parameters
        ----------
        weights
            For each cell a tensor (edges, operations); several may be the same one.
        edges
            With edge normalisation, for each cell a tensor (edges,) by which the result of each edge is multiplied.

        Raises
        ------
        UnsupportedError
            If the space has no table of choices.
        """
        raise UnsupportedError(f"{type(self).__name__} cannot mix operations: the space has no table of choices")


class EdgeChoices(NamedTuple):
    """An edge of a cell and the operations that it mixes.

    Attributes
    ----------
    source, target
        The nodes that the edge joins.
    operations
        Names, in the order of the columns of weights.
    """

    source: int
    target: int
    operations: tuple[str, ...]


class MixedSupernet(Supernet):
    """A supernet that mixes all operations by given weights, or runs one architecture.

    The weights are not part of it: what they are made of, and how they are learnt, is a method's business. What it
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

    tables: Mapping[str, tuple[EdgeChoices, ...]]
    cells: tuple[str, ...]
    aligned: str
    partial: int

    @abstractmethod
    def derive(self, weights: Mapping[str, Tensor], edges: Mapping[str, Tensor] | None = None) -> str:
        """Return the architecture of the largest weights, by the space's published rule.

        Parameters
        ----------
        weights
            For each table a tensor (edges, operations); of equal weights the first counts.
        edges
            For each table a tensor (edges,), multiplied with the weights of the operations.

        Returns
        -------
        str
            An architecture string of the space.
        """

    @abstractmethod
    def choices(self, architecture: str) -> dict[str, list[tuple[int, int]]]:
        """Return the positions of an architecture's operations in each table.

        Parameters
        ----------
        architecture
            A string of the space.

        Returns
        -------
        dict
            For each table pairs (edge, operation), rows and columns of its weights.

        Raises
        ------
        UnsupportedError
            If an edge of the table lacks the architecture's operation.
        """

    def operations(self, architecture: str) -> list[str]:
        """Return the operations of an architecture, table by table.

        Parameters
        ----------
        architecture
            A string of the space, or one with operations that only the supernet's operation set has.

        Returns
        -------
        list
            Names of operations.
        """
        chosen = self.choices(architecture).items()
        return [self.tables[table][edge].operations[column] for table, pairs in chosen for edge, column in pairs]
