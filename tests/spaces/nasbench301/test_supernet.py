"""The supernet of NAS-Bench-301 against networks of their own with its weights, and DARTS's published count."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from supernets import modules_called, shared_steps, touched
from torch import nn

from benchsuite.core.errors import UnknownNameError
from benchsuite.core.types import Dataset
from benchsuite.spaces.nasbench301.cells import OPERATIONS
from benchsuite.spaces.nasbench301.space import NASBench301
from benchsuite.spaces.nasbench301.strings import parse
from benchsuite.spaces.supernet import without_affine

SMALL = NASBench301(channels=4, cells=4)
NODE = "|sep_conv_3x3~0|skip_connect~1|"
FIRST_ONLY = "|sep_conv_3x3~0|none~1|+|none~1|skip_connect~2|+|none~1|max_pool_3x3~0|+|none~1|skip_connect~3|"
DEAD = [f"{FIRST_ONLY}/{FIRST_ONLY}", "/".join(["+".join([NODE, "|none~0|none~1|", NODE, NODE])] * 2)]


def data(size=12):
    return Dataset("small", 3, channels=2, size=size)


def own_network(supernet, architecture, size):
    """The architecture's own network with the weights of the supernet, and the supernet's name of each weight."""
    own = SMALL.build(architecture, data(size))
    without_affine(own.cells)
    names = {}
    for name in own.state_dict():
        parts = name.split(".")
        if parts[0] == "cells" and parts[2].startswith("edge_"):
            cell = parse(architecture)[supernet.shapes[int(parts[1])].reduction]
            target, source = map(int, parts[2].split("_")[1:])
            operation = next(operation for operation, other in cell[target - 2] if other == source)
            parts[2] = f"{parts[2]}_{operation}"
        names[name] = "network." + ".".join(parts)
    state = supernet.state_dict()
    own.load_state_dict({name: state[there] for name, there in names.items()})
    return own, names


def test_full_size_has_the_published_number_of_weights():
    supernet = NASBench301(channels=16, cells=8).supernet("cifar10")
    assert sum(weight.numel() for weight in supernet.parameters()) == 1_930_618


@pytest.mark.parametrize("size", [12, 16])
def test_active_architecture_computes_what_its_own_network_with_the_same_weights_does(size):
    torch.manual_seed(0)
    supernet, rng = SMALL.supernet(data(size)), np.random.default_rng(size)
    images = torch.randn(5, 2, size, size)
    for architecture in [*DEAD, *(SMALL.draw(rng) for _ in range(10))]:
        own, names = own_network(supernet, architecture, size)
        supernet.activate(architecture)
        assert torch.equal(supernet(images), own(images)), architecture
        expected = {names[name] for name, _ in own.named_parameters()}
        assert touched(supernet, images) == expected
        assert len(modules_called(supernet, images)) == len(modules_called(own, images))


def test_chosen_modules_are_those_on_live_edges_of_live_cells():
    supernet = SMALL.supernet(data())
    supernet.activate(DEAD[0])
    names = {id(module): name for name, module in supernet.named_modules()}
    live = ("2_0_sep_conv_3x3", "3_2_skip_connect", "4_0_max_pool_3x3", "5_3_skip_connect")
    assert sorted(names[id(module)] for module in supernet.active_choices()) == [
        f"network.cells.{cell}.edge_{edge}" for cell in (1, 3) for edge in live
    ]


def test_substitutes_stand_where_the_size_is_kept():
    supernet = SMALL.supernet(data(), substitute={"skip_connect": lambda width: nn.Conv2d(width, width, 1)})
    supernet.activate(f"{'+'.join([NODE] * 4)}/{'+'.join([NODE, NODE, NODE.replace('~1', '~2'), NODE])}")
    kinds = [type(cell.get_submodule("edge_2_1_skip_connect")).__name__ for cell in supernet.cells]
    assert kinds == ["Conv2d", "FactorizedReduction", "FactorizedReduction", "Conv2d"]
    assert isinstance(supernet.cells[1].get_submodule("edge_4_2_skip_connect"), nn.Conv2d)
    assert sum(isinstance(module, nn.Conv2d) for module in supernet.active_choices()) == 2 * 4 + 2 * 1
    with pytest.raises(UnknownNameError, match="no operation to substitute named 'none'"):
        SMALL.supernet(data(), substitute={"none": nn.Identity})


def test_steps_with_equal_keys_give_equal_values():
    supernet, rng = SMALL.supernet(data()), np.random.default_rng(0)
    normal, reduction, other = (SMALL.draw(rng).split("/")[0] for _ in range(3))
    architectures = [f"{normal}/{reduction}", f"{normal}/{other}", f"{other}/{reduction}", *DEAD]
    # the second has the stem and the first cell of the first, the third the stem, the others the stem
    assert shared_steps(supernet, architectures, torch.randn(3, 2, 12, 12)) == 2 + 1 + 2


def test_choices_keep_the_edges():
    rng = np.random.default_rng(0)
    assert SMALL.operation_choices() == (OPERATIONS,) * 16
    one, other = SMALL.draw(rng), SMALL.draw(rng)
    mixed = SMALL.with_operations(one, SMALL.operations(other))
    assert SMALL.operations(mixed) == SMALL.operations(other)
    assert SMALL.with_operations(mixed, SMALL.operations(one)) == one
