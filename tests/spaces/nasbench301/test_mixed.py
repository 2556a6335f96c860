"""The mixed supernet of the DARTS space: counts, one-hot weights, partial channels, operation sets, derivation."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from benchsuite.core.errors import SuiteError, UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.spaces.nasbench301.mixed import EDGES, operation_tables
from benchsuite.spaces.nasbench301.space import NASBench301
from benchsuite.spaces.nasbench301.strings import parse
from benchsuite.spaces.supernet import without_affine

DATA = Dataset("small", 3, channels=2, size=8)
SMALL = NASBench301(channels=4, cells=4)
NODE = "|sep_conv_3x3~0|skip_connect~1|"
CELL = "+".join([NODE] * 4)
FIRST_ONLY = "|sep_conv_3x3~0|none~1|+|none~1|skip_connect~2|+|none~1|max_pool_3x3~0|+|none~1|skip_connect~3|"


def images():
    return torch.randn(5, 2, 8, 8)


def one_hot(supernet, architecture):
    """Weights of operations and of edges that stand for one architecture, by cell."""
    weights, edges = {}, {}
    for kind, places in supernet.choices(architecture).items():
        weights[kind], edges[kind] = torch.zeros(14, 8), torch.zeros(14)
        for edge, operation in places:
            weights[kind][edge, operation] = 1
            edges[kind][edge] = float(operation != 0)
    return weights, edges


def by_cell(supernet, tables):
    return [tables[kind] for kind in supernet.cells]


def drawn(number):
    rng = np.random.default_rng(0)
    return [f"{FIRST_ONLY}/{FIRST_ONLY}", *(SMALL.draw(rng) for _ in range(number))]


def own_network(supernet, architecture):
    """The architecture's own network with the supernet's weights; what its pools give is normalised too."""
    own = SMALL.build(architecture, DATA)
    for cell in own.cells.values():
        for name, module in cell.named_children():
            if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
                setattr(cell, name, nn.Sequential(module, nn.LazyBatchNorm2d(affine=False)))
    own(images())  # now the lazy ones know their channels
    without_affine(own.cells)
    state, weights = {}, supernet.state_dict()
    for name in own.state_dict():
        parts = name.split(".")
        if parts[0] == "cells" and parts[2].startswith("edge_"):
            cell = parse(architecture)[supernet.cells[int(parts[1])] == "reduction"]
            target, source = map(int, parts[2].split("_")[1:])
            operation = next(operation for operation, other in cell[target - 2] if other == source)
            parts.insert(3, f"operations.{operation}")
        state[name] = weights["network." + ".".join(parts)]
    own.load_state_dict(state)
    return own


@pytest.mark.parametrize(("partial", "count"), [(1, 1_930_618), (2, 671_482), (4, 299_578), (8, 178_042)])
def test_full_size_has_the_published_number_of_weights(partial, count):
    supernet = NASBench301(channels=16, cells=8).mixed("cifar10", partial=partial)
    assert sum(weight.numel() for weight in supernet.parameters()) == count


def test_tables_have_every_edge_and_operation():
    supernet = SMALL.mixed(DATA)
    assert list(supernet.tables) == ["normal", "reduction"]
    assert [(edge.source, edge.target) for edge in supernet.tables["normal"]] == list(EDGES)
    assert all(len(edge.operations) == 8 for table in supernet.tables.values() for edge in table)
    assert supernet.cells == ("normal", "reduction", "reduction", "normal")
    assert Counter(NASBench301(channels=4).mixed(DATA).cells) == {"normal": 6, "reduction": 2}


def test_one_hot_weights_activation_and_the_architectures_own_network_are_equal():
    supernet, batch = SMALL.mixed(DATA), images()
    for architecture in drawn(6):
        own = own_network(supernet, architecture)
        supernet.activate(architecture)
        activated = supernet(batch)
        assert torch.equal(activated, own(batch)), architecture
        weights, _ = one_hot(supernet, architecture)
        supernet.mix(by_cell(supernet, weights))
        assert torch.equal(supernet(batch), activated), architecture


def test_pools_are_normalised_without_weights():
    supernet = SMALL.mixed(DATA)
    pools = [modules[name] for modules in supernet.alternatives().values() for name in modules if "pool" in name]
    assert len(pools) == 2 * 14 * 4
    values = [pool(torch.randn(3, 4, 8, 8)) for pool in pools if pool[1].num_features == 4]
    torch.testing.assert_close(torch.stack([value.mean() for value in values]), torch.zeros(len(values)))
    assert not any(True for pool in pools for _ in pool.parameters())


def test_with_partial_channels_an_activation_drops_the_edges_that_an_architecture_has_not():
    supernet, batch = SMALL.mixed(DATA, partial=2), images()
    for architecture in drawn(4):
        weights, edges = one_hot(supernet, architecture)
        supernet.mix(by_cell(supernet, weights), by_cell(supernet, edges))
        dropped = supernet(batch)
        supernet.activate(architecture)
        assert torch.equal(supernet(batch), dropped), architecture


def test_edges_that_halve_the_size_pool_the_channels_that_pass_by():
    supernet = SMALL.mixed(DATA, partial=4)
    weights = {kind: torch.rand(14, 8) for kind in supernet.tables}
    supernet.mix(by_cell(supernet, weights))
    edge = next(iter(supernet.mixed_cells[1].mixed_edges().values()))
    features = torch.randn(3, 8, 6, 6)
    ordered = edge(features).reshape(3, 2, 4, 3, 3).transpose(1, 2).reshape(3, 8, 3, 3)
    assert torch.equal(ordered[:, 2:], features[:, 2:].reshape(3, 6, 3, 2, 3, 2).amax((3, 5)))


def test_noise_is_fresh_standard_normal_and_depends_on_torchs_random_state():
    supernet, batch = SMALL.mixed(DATA, operations="S4"), images()
    weights = {kind: torch.rand(14, 2, requires_grad=True) for kind in supernet.tables}
    supernet.mix(by_cell(supernet, weights))
    torch.manual_seed(1)
    first, second = supernet(batch), supernet(batch)
    torch.manual_seed(1)
    assert torch.equal(supernet(batch), first)
    assert not torch.equal(second, first)
    [noise, *_] = [modules["noise"] for modules in supernet.alternatives().values()]
    values = noise(torch.full((20, 4, 16, 16), 7.0))
    assert abs(float(values.mean())) < 0.03
    assert abs(float(values.std()) - 1) < 0.03
    second.square().sum().backward()
    assert bool((weights["normal"].grad[:, 0] != 0).all())


@pytest.mark.parametrize("name", ["S1", "S2", "S3", "S4"])
def test_operation_sets_make_small_supernets(name):
    supernet = SMALL.mixed(DATA, operations=name)
    weights = {
        kind: torch.rand(14, len(table[0].operations), requires_grad=True) for kind, table in supernet.tables.items()
    }
    supernet.mix(by_cell(supernet, weights))
    assert tuple(supernet(images()).shape) == (5, 3)
    assert supernet.derive(weights).count("~") == 16


def test_operation_sets_are_those_of_robust_darts():
    assert {edge.operations for edge in operation_tables("S2")["normal"]} == {("skip_connect", "sep_conv_3x3")}
    assert {edge.operations for edge in operation_tables("S3")["reduction"]} == {
        ("none", "skip_connect", "sep_conv_3x3")
    }
    first = operation_tables("S1")
    counts = {kind: Counter(name for edge in table for name in edge.operations) for kind, table in first.items()}
    assert counts["normal"]["skip_connect"] == 12
    assert counts["normal"]["sep_conv_5x5"] == counts["normal"]["avg_pool_3x3"] == 0
    assert counts["reduction"]["max_pool_3x3"] == 8
    assert all(len(set(edge.operations)) == 2 for table in first.values() for edge in table)
    with pytest.raises(UnknownNameError, match="no operation set of nasbench301 named 'S5'"):
        operation_tables("S5")


def test_architectures_outside_an_operation_set_are_refused():
    supernet = SMALL.mixed(DATA, operations="S2")
    supernet.activate(f"{CELL}/{CELL}")
    pooled = "+".join([NODE, NODE, NODE.replace("sep_conv_3x3", "max_pool_3x3"), NODE])
    with pytest.raises(
        UnsupportedError,
        match="the edge 4<-0 of normal cells cannot have max_pool_3x3 in this operation set; allowed: skip_connect",
    ):
        supernet.activate(f"{pooled}/{CELL}")
    with pytest.raises(SuiteError, match="partial = 3"):
        SMALL.mixed(DATA, partial=3)


def test_derivation_keeps_two_edges_a_node_and_never_none():
    supernet = SMALL.mixed(DATA)
    weights = {kind: torch.zeros(14, 8) for kind in supernet.tables}
    weights["normal"][:, 0] = 9.0  # none counts for nothing
    first = "|max_pool_3x3~0|max_pool_3x3~1|"
    assert supernet.derive(weights) == "/".join(["+".join([first] * 4)] * 2)
    weights["normal"][13, 3] = 0.7  # 5<-4 by skip
    weights["normal"][10, 6] = 0.8  # 5<-1 by dil_conv_3x3
    weights["normal"][9, 4] = 0.1  # 5<-0
    found = supernet.derive(weights).split("/")[0].split("+")
    assert found == [first, first, first, "|dil_conv_3x3~1|skip_connect~4|"]


def test_edge_weights_decide_which_edges_are_kept_but_not_their_operations():
    supernet = SMALL.mixed(DATA)
    weights = {kind: torch.full((14, 8), 0.1) for kind in supernet.tables}
    weights["normal"][:, 4] = 0.2
    edges = {kind: torch.full((14,), 0.1) for kind in supernet.tables}
    edges["normal"][12] = edges["normal"][13] = 0.5
    found = supernet.derive(weights, edges).split("/")[0].split("+")
    assert found[3] == "|sep_conv_3x3~3|sep_conv_3x3~4|"
    assert found[2] == "|sep_conv_3x3~0|sep_conv_3x3~1|"


def test_derivation_undoes_choices():
    supernet = SMALL.mixed(DATA)
    for architecture in drawn(8)[1:]:
        weights, _ = one_hot(supernet, architecture)
        assert SMALL.canonical(supernet.derive(weights)) == SMALL.canonical(architecture)
