"""The continuous relaxation of a search space: architecture parameters and the probabilities that they define.

The operation o of edge (i, j) has the probability softmax_o(alpha_ij) (DARTS, Liu et al., ICLR 2019). With edge
normalisation, edge (i, j) also has the share softmax_i(beta_ij) of node j (PC-DARTS, Xu et al., ICLR 2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.supernet import EdgeChoices

_DEVIATION = 1e-3  # of architecture parameters at the beginning (Liu et al., ICLR 2019)
_ABSENT = "none"


class Relaxation(nn.Module):
    """Architecture parameters: alpha for each operation of each edge; beta for each edge if edges are normalised.

    Parameters
    ----------
    tables
        The edges of each kind of cell, with their operations.
    edge_normalisation
        Whether an edge has a beta too (PC-DARTS): its share of the node at which it ends.

    Examples
    --------
    >>> from benchsuite.core.supernet import EdgeChoices
    >>> cell = (EdgeChoices(0, 1, ("none", "skip")), EdgeChoices(0, 2, ("none", "skip")))
    >>> relaxation = Relaxation({"cell": cell}, edge_normalisation=True)
    >>> relaxation.operations()["cell"].shape, relaxation.edges()["cell"].tolist()
    (torch.Size([2, 2]), [1.0, 1.0])
    """

    def __init__(self, tables: Mapping[str, Sequence[EdgeChoices]], *, edge_normalisation: bool) -> None:
        super().__init__()
        self.tables = tables
        sizes = {name: (len(edges), len(edges[0].operations)) for name, edges in tables.items()}
        self.alpha = nn.ParameterDict({name: _drawn(*size) for name, size in sizes.items()})
        normalised = sizes if edge_normalisation else {}
        self.beta = nn.ParameterDict({name: _drawn(edges) for name, (edges, _) in normalised.items()})

    def operations(self) -> dict[str, Tensor]:
        """Return the probabilities of the operations of each edge, shape (edges, operations), by table."""
        return {name: alpha.softmax(-1) for name, alpha in self.alpha.items()}

    def edges(self) -> dict[str, Tensor] | None:
        """Return the shares of the edges, shape (edges,), by table; those into one node sum to 1. None without beta."""
        if not self.beta:
            return None
        return {name: self._log_shares(name).exp() for name in self.beta}

    @torch.no_grad()
    def log_likelihood(self, choices: Mapping[str, Sequence[tuple[int, int]]]) -> float:
        """Return the sum of the logarithms of the probabilities of some choices.

        With beta, also of the shares of the edges that are kept: those whose operation is not "none".

        Parameters
        ----------
        choices
            Pairs (edge, operation) of positions, by table.

        Returns
        -------
        float
            sum log softmax_o(alpha_ij) + sum log softmax_i(beta_ij).
        """
        found = [self._log_likelihood(name, chosen) for name, chosen in choices.items()]
        return float(torch.stack(found).sum())

    def _log_likelihood(self, name: str, chosen: Sequence[tuple[int, int]]) -> Tensor:
        edges, operations = zip(*chosen, strict=True)
        total: Tensor = self.alpha[name].double().log_softmax(-1)[list(edges), list(operations)].sum()
        if self.beta:
            kept = [edge for edge, operation in chosen if self.tables[name][edge].operations[operation] != _ABSENT]
            total = total + self._log_shares(name)[kept].sum()
        return total

    def _log_shares(self, name: str) -> Tensor:
        beta, targets = self.beta[name], [edge.target for edge in self.tables[name]]
        same = torch.tensor([[one == other for other in targets] for one in targets], device=beta.device)
        incoming = torch.where(same, beta, -torch.inf)  # row: the edges into the node of this edge
        shares: Tensor = beta - incoming.logsumexp(-1)  # log softmax over these edges
        return shares


def _drawn(*size: int) -> nn.Parameter:
    return nn.Parameter(_DEVIATION * torch.randn(*size))
