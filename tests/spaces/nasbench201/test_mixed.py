"""The mixed supernet of NAS-Bench-201: mixing, one-hot weights, partial channels, derivation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from benchsuite.core.errors import InvalidArchitectureError, SuiteError, UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.spaces.macro.space import Macro
from benchsuite.spaces.mixed import channel_shuffle
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench201.strings import OPERATIONS
from benchsuite.spaces.supernet import without_affine

DATA = Dataset("small", 3, channels=2, size=8)
SMALL = NASBench201(channels=4, cells=2)
CELLS = 6
EMPTY = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
FULL = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|"


def images():
    return torch.randn(5, 2, 8, 8)


def one_hot(supernet, architecture):
    weights = torch.zeros(6, 5)
    for edge, operation in supernet.choices(architecture)["cell"]:
        weights[edge, operation] = 1
    return weights


def drawn(number):
    rng = np.random.default_rng(0)
    return [EMPTY, FULL, *(SMALL.draw(rng) for _ in range(number))]


def test_full_size_has_the_published_number_of_weights():
    assert sum(weight.numel() for weight in NASBench201().mixed("cifar10").parameters()) == 1_686_106


def test_tables_name_edges_and_operations_in_the_benchmarks_order():
    supernet = SMALL.mixed(DATA)
    assert [(edge.source, edge.target) for edge in supernet.tables["cell"]] == [
        (0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)
    ]  # fmt: skip
    assert {edge.operations for edge in supernet.tables["cell"]} == {OPERATIONS}
    assert supernet.cells == ("cell",) * CELLS
    assert NASBench201().mixed("cifar10").cells == ("cell",) * 15


def test_a_mixed_network_computes_the_weighted_sum_of_its_operations():
    torch.manual_seed(1)
    supernet, features = SMALL.mixed(DATA), torch.randn(3, 4, 8, 8)
    weights = torch.rand(6, 5)
    supernet.mix([weights] * CELLS)
    [cell, *_] = supernet.mixed_cells
    edges = list(cell.mixed_edges().values())
    nodes = [features]
    for target in (1, 2, 3):
        node = torch.zeros_like(features)
        for number, (edge, mixed) in enumerate(zip(supernet.tables["cell"], edges, strict=True)):
            if edge.target == target:
                for place, name in enumerate(OPERATIONS[1:], start=1):
                    node = node + weights[number, place] * mixed.operations[name](nodes[edge.source])
        nodes.append(node)
    torch.testing.assert_close(cell(features), nodes[3])


def test_one_hot_weights_activation_and_the_architectures_own_network_are_equal():
    supernet, batch = SMALL.mixed(DATA), images()
    weights = supernet.state_dict()
    for architecture in drawn(15):
        own = SMALL.build(architecture, DATA)
        for name, module in own.named_modules():
            if name.rpartition(".")[2].startswith("edge_"):
                without_affine(module)
        chosen = dict(zip(["1_0", "2_0", "2_1", "3_0", "3_1", "3_2"], SMALL.operations(architecture), strict=True))
        state = {}
        for name in own.state_dict():
            parts = name.split(".")
            if parts[2:3] and parts[2].startswith("edge_"):
                parts.insert(3, f"operations.{chosen[parts[2].removeprefix('edge_')]}")
            state[name] = weights["network." + ".".join(parts)]
        own.load_state_dict(state)
        supernet.activate(architecture)
        activated = supernet(batch)
        assert torch.equal(activated, own(batch)), architecture
        supernet.mix([one_hot(supernet, architecture)] * CELLS)
        assert torch.equal(supernet(batch), activated), architecture


def test_activation_runs_live_operations_alone():
    supernet = SMALL.mixed(DATA)
    supernet.activate("|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|nor_conv_1x1~0|none~1|none~2|")
    supernet(images()).sum().backward()
    touched = {name for name, weight in supernet.named_parameters() if weight.grad is not None and "edge" in name}
    assert touched
    assert all("edge_3_0.operations.nor_conv_1x1" in name for name in touched)
    assert len(supernet.active_choices()) == CELLS


def test_mixing_after_an_activation_runs_everything_again():
    supernet, batch = SMALL.mixed(DATA), images()
    weights = [torch.rand(6, 5)] * CELLS
    supernet.mix(weights)
    before = supernet(batch)
    supernet.activate(EMPTY)
    supernet(batch)
    supernet.mix(weights)
    assert torch.equal(supernet(batch), before)


def test_gradients_flow_to_weights_and_none_to_the_operation_none():
    supernet = SMALL.mixed(DATA)
    weights = [torch.rand(6, 5, requires_grad=True) for _ in range(CELLS)]
    supernet.mix(weights)
    supernet(images()).square().sum().backward()
    for each in weights:
        assert torch.equal(each.grad[:, 0], torch.zeros(6))
        assert bool((each.grad[:, 1:] != 0).all())
    shared = torch.stack([each.detach() for each in weights])[0].requires_grad_()
    supernet.mix([shared] * CELLS)
    supernet(images()).square().sum().backward()
    assert bool((shared.grad[:, 1:] != 0).all())


def test_edge_weights_of_one_change_no_bit_and_others_scale_what_an_edge_brings():
    supernet, batch = SMALL.mixed(DATA), images()
    weights = torch.rand(6, 5)
    supernet.mix([weights] * CELLS)
    plain = supernet(batch)
    supernet.mix([weights] * CELLS, [torch.ones(6)] * CELLS)
    assert torch.equal(supernet(batch), plain)
    scales = torch.rand(6)
    supernet.mix([weights] * CELLS, [scales] * CELLS)
    scaled = supernet(batch)
    supernet.mix([weights * scales[:, None]] * CELLS)
    torch.testing.assert_close(scaled, supernet(batch))


@pytest.mark.parametrize("partial", [2, 4])
def test_other_channels_pass_by_unchanged_before_the_shuffle(partial):
    supernet = SMALL.mixed(DATA, partial=partial)
    supernet.mix([torch.rand(6, 5)] * CELLS)
    features = torch.randn(3, 4, 8, 8)
    edge = next(iter(supernet.mixed_cells[0].mixed_edges().values()))
    width = 4 // partial
    ordered = channel_shuffle(edge(features), width)  # undoes the shuffle into `partial` groups
    assert torch.equal(ordered[:, width:], features[:, width:])
    assert not torch.equal(ordered[:, :width], features[:, :width])


@pytest.mark.parametrize(("channels", "groups"), [(12, 1), (12, 3), (12, 4), (12, 12)])
def test_the_shuffle_is_the_published_permutation(channels, groups):
    features = torch.arange(2 * channels * 6.0).reshape(2, channels, 2, 3)
    found = channel_shuffle(features, groups)
    again = features.numpy().reshape(2, groups, channels // groups, 2, 3).swapaxes(1, 2).reshape(2, channels, 2, 3)
    assert torch.equal(found, torch.from_numpy(again.copy()))
    assert sorted(found[0, :, 0, 0].tolist()) == features[0, :, 0, 0].tolist()


def test_with_partial_channels_none_does_not_cut_an_edge_but_an_activation_drops_it():
    supernet, batch = SMALL.mixed(DATA, partial=2), images()
    for architecture in drawn(6):
        weights = one_hot(supernet, architecture)
        kept = torch.tensor([float(name != "none") for name in SMALL.operations(architecture)])
        supernet.mix([weights] * CELLS, [kept] * CELLS)
        dropped = supernet(batch)
        supernet.activate(architecture)
        assert torch.equal(supernet(batch), dropped)
    supernet.activate(EMPTY)
    cut = supernet(batch)
    supernet.mix([one_hot(supernet, EMPTY)] * CELLS)
    assert not torch.equal(supernet(batch), cut)


@pytest.mark.parametrize("partial", [0, -1, 3, 8])
def test_channels_that_cannot_be_parted_are_an_error(partial):
    with pytest.raises(SuiteError, match=f"partial = {partial}; must be at least 1 and divide the 4 channels"):
        SMALL.mixed(DATA, partial=partial)


def test_only_spaces_with_a_table_mix():
    with pytest.raises(UnknownNameError, match="no operation set of nasbench201 named 'S1'"):
        SMALL.mixed(DATA, operations="S1")
    with pytest.raises(UnsupportedError, match="'macro' does not offer a mixed supernet"):
        Macro().mixed("cifar10")
    with pytest.raises(InvalidArchitectureError):
        SMALL.mixed(DATA).choices("no architecture")
    with pytest.raises(SuiteError, match="call mix or activate"):
        SMALL.mixed(DATA)(images())


def test_derivation_takes_the_largest_weight_of_each_edge_and_the_first_of_equals():
    supernet, weights = SMALL.mixed(DATA), torch.zeros(6, 5)
    assert supernet.derive({"cell": weights}) == EMPTY
    weights[:, 3] = weights[:, 4] = 0.5
    weights[5, 0] = 0.6
    expected = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|none~2|"
    assert supernet.derive({"cell": weights.requires_grad_()}) == expected
    assert supernet.derive({"cell": weights}, {"cell": torch.rand(6) + 0.1}) == expected


def test_derivation_undoes_choices():
    supernet = SMALL.mixed(DATA)
    for architecture in drawn(20):
        assert supernet.derive({"cell": one_hot(supernet, architecture)}) == architecture


def test_alternatives_are_the_modules_of_each_edge():
    supernet = SMALL.mixed(DATA)
    found = supernet.alternatives()
    assert len(found) == CELLS * 6
    assert {tuple(modules) for modules in found.values()} == {OPERATIONS[1:]}
    supernet.activate(FULL)
    assert {id(module) for module in supernet.active_choices()} <= {
        id(module) for modules in found.values() for module in modules.values()
    }


def test_operations_of_a_seed_are_the_same_again():
    torch.manual_seed(5)
    first = SMALL.mixed(DATA)
    torch.manual_seed(5)
    again = SMALL.mixed(DATA)
    assert all(torch.equal(one, other) for one, other in zip(first.parameters(), again.parameters(), strict=True))
    assert not any(isinstance(module, nn.BatchNorm2d) and module.affine for module in first.mixed_cells[0].modules())
