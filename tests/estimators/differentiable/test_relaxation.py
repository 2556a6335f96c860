"""Architecture parameters and the probabilities that they define."""

from __future__ import annotations

import pytest
import torch
from mixed_trainings import DIGITS, SPACES

from benchsuite.estimators.differentiable.relaxation import Relaxation

on_both = pytest.mark.parametrize("space", SPACES)


@on_both
def test_shares_of_the_edges_into_a_node_add_up_to_one(space: str) -> None:
    tables = SPACES[space].mixed(DIGITS.dataset).tables
    relaxation = Relaxation(tables, edge_normalisation=True)
    with torch.no_grad():
        for beta in relaxation.beta.values():
            beta.copy_(3 * torch.randn_like(beta))
        shares = relaxation.edges()
    assert shares is not None
    for name, edges in tables.items():
        for node in {edge.target for edge in edges}:
            places = [place for place, edge in enumerate(edges) if edge.target == node]
            assert float(shares[name][places].sum()) == pytest.approx(1, abs=1e-6)
