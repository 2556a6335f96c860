"""Supernets: networks that hold one set of weights for all architectures of a space, of which one is active."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from benchsuite.core.errors import UnknownNameError, UnsupportedError
from benchsuite.spaces.layers import SummingCell

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from torch import Tensor

    Substitute = Callable[[int], nn.Module]  # channels -> the module in an operation's place


class Step(NamedTuple):
    """A part of a forward pass: what it computes from what the step before gave.

    Steps of the same keys, from the first one on, give the same values for the same images: so evaluations of many
    architectures need not repeat them.
    """

    key: Hashable
    run: Callable[[Any], Any]


class Supernet(nn.Module):
    """Base of supernets: `forward` computes the sub-network of the active architecture, and nothing else.

    Weights that the active architecture does not use take no part in the computation: their gradients stay None.
    """

    @abstractmethod
    def activate(self, architecture: str) -> None:
        """Make an architecture the active one; nothing is copied. InvalidArchitectureError for a foreign string."""

    @abstractmethod
    def steps(self) -> list[Step]:
        """The parts of the active sub-network's forward pass, from images to logits."""

    @abstractmethod
    def active_choices(self) -> list[nn.Module]:
        """The modules that stand for the chosen operations of the active architecture, each once."""

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, classes) of the active architecture for images (batch, channels, height, width)."""
        value = images
        for step in self.steps():
            value = step.run(value)
        return value

    def alternatives(self) -> dict[str, dict[str, nn.Module]]:
        """The modules to choose from, by operation, at each edge of a cell or layer of a chain, by its name."""
        return {
            f"{name}.{edge}": modules
            for name, cell in self.named_modules()
            if isinstance(cell, ChoiceCell)
            for edge, modules in cell.offered().items()
        }

    def mix(self, weights: Sequence[Tensor], edges: Sequence[Tensor] | None = None) -> None:
        """Let all operations take part, by these weights."""
        raise UnsupportedError(f"{type(self).__name__} cannot mix operations: it has no table of choices")


class ChoiceCell(SummingCell):
    """A cell that has all operations of all edges, named edge_{target}_{source}_{operation}, and runs some."""

    def offer(self, source: int, target: int, operation: str, module: nn.Module | None) -> None:
        """Add an operation to an edge; None is the identity."""
        self.add_module(_edge_name(source, target, operation), nn.Identity() if module is None else module)

    def offered(self) -> dict[str, dict[str, nn.Module]]:
        """The modules of each edge, by operation."""
        found: dict[str, dict[str, nn.Module]] = {}
        for name, module in self.named_children():
            if name.startswith("edge_"):
                _, target, source, operation = name.split("_", 3)
                found.setdefault(f"{source}-{target}", {})[operation] = module
        return found

    def choose(self, edges: Iterable[tuple[int, int, str]]) -> None:
        """Run these edges (source, target, operation) alone, each after all that lead to its source."""
        self.edges = [(source, target, _edge_name(source, target, operation)) for source, target, operation in edges]

    def chosen(self) -> list[nn.Module]:
        """The modules of the edges that are run."""
        return [self.get_submodule(name) for _, _, name in self.edges if name is not None]


def _edge_name(source: int, target: int, operation: str) -> str:
    return f"edge_{target}_{source}_{operation}"


def without_affine(module: nn.Module) -> nn.Module:
    """The module, whose batch normalisations have lost their scale and shift, as in cells of supernets."""
    for part in module.modules():
        if isinstance(part, _BatchNorm):
            part.affine, part.weight, part.bias = False, None, None  # type: ignore[assignment]  # as torch does itself
    return module


def checked_substitutes(substitute: Mapping[str, Substitute] | None, known: Sequence[str]) -> Mapping[str, Substitute]:
    """Substitutes by operation; UnknownNameError for one that the space does not have."""
    for name in substitute or {}:
        if name not in known:
            raise UnknownNameError("operation to substitute", name, known)
    return substitute or {}
