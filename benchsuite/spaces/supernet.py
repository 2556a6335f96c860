"""What the supernets of several spaces are made of: cells that hold all operations of all edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from typing_extensions import override

from benchsuite.core.errors import UnknownNameError
from benchsuite.core.supernet import Supernet
from benchsuite.spaces.layers import SummingCell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchsuite.core.supernet import Substitute


class CellSupernet(Supernet, nn.Module):
    """Base of supernets of `ChoiceCell`s."""

    @override
    def alternatives(self) -> dict[str, dict[str, nn.Module]]:
        return {
            f"{name}.{edge}": modules
            for name, cell in self.named_modules()
            if isinstance(cell, ChoiceCell)
            for edge, modules in cell.offered().items()
        }


class ChoiceCell(SummingCell):
    """A cell that has all operations of all edges, named edge_{target}_{source}_{operation}, and runs some."""

    def offer(self, source: int, target: int, operation: str, module: nn.Module | None) -> None:
        """Add an operation to an edge.

        Parameters
        ----------
        source, target
            The nodes that the edge joins.
        operation
            Name of the operation.
        module
            What computes it; None is the identity.
        """
        self.add_module(_edge_name(source, target, operation), nn.Identity() if module is None else module)

    def offered(self) -> dict[str, dict[str, nn.Module]]:
        """Return the modules of each edge, named source-target, by operation."""
        found: dict[str, dict[str, nn.Module]] = {}
        for name, module in self.named_children():
            if name.startswith("edge_"):
                _, target, source, operation = name.split("_", 3)
                found.setdefault(f"{source}-{target}", {})[operation] = module
        return found

    def choose(self, edges: Iterable[tuple[int, int, str]]) -> None:
        """Run only some edges.

        Parameters
        ----------
        edges
            Source, target and operation of each, after all that lead to its source.
        """
        self.edges = [(source, target, _edge_name(source, target, operation)) for source, target, operation in edges]

    def chosen(self) -> list[nn.Module]:
        """Return the modules of the edges that are run."""
        return [self.get_submodule(name) for _, _, name in self.edges if name is not None]


def _edge_name(source: int, target: int, operation: str) -> str:
    return f"edge_{target}_{source}_{operation}"


def without_affine(module: nn.Module) -> nn.Module:
    """Take scale and shift from all batch normalisations of a module, as in cells of supernets.

    Parameters
    ----------
    module
        It is changed.

    Returns
    -------
    Module
        The same module.
    """
    for part in module.modules():
        if isinstance(part, _BatchNorm):
            part.affine, part.weight, part.bias = False, None, None  # type: ignore[assignment]  # as torch does itself
    return module


def checked_substitutes(substitute: Mapping[str, Substitute] | None, known: Sequence[str]) -> Mapping[str, Substitute]:
    """Return the substitutes, if the space has all their operations.

    Parameters
    ----------
    substitute
        Makers of modules by operation.
    known
        Operations of the space that may be substituted.

    Returns
    -------
    Mapping
        The substitutes, empty for None.

    Raises
    ------
    UnknownNameError
        If an operation is unknown.
    """
    for name in substitute or {}:
        if name not in known:
            raise UnknownNameError("operation to substitute", name, known)
    return substitute or {}
