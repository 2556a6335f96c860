"""The supernet of NAS-Bench-201."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from benchsuite.core.errors import UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench201.strings import OPERATIONS
from benchsuite.spaces.supernet import without_affine

DATA = Dataset("small", 3, channels=2, size=8)
SMALL = NASBench201(channels=4, cells=2)
EMPTY = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


def test_full_size_has_the_published_number_of_weights() -> None:
    assert sum(weight.numel() for weight in NASBench201().supernet("cifar10").parameters()) == 1_686_106


def test_active_architecture_computes_what_its_own_network_with_the_same_weights_does() -> None:
    torch.manual_seed(0)
    supernet, rng, images = SMALL.supernet(DATA), np.random.default_rng(0), torch.randn(5, 2, 8, 8)
    for architecture in [EMPTY, *(SMALL.draw(rng) for _ in range(20))]:
        own = SMALL.build(architecture, DATA)
        chosen = dict(zip(["1_0", "2_0", "2_1", "3_0", "3_1", "3_2"], SMALL.operations(architecture), strict=True))
        for name, module in own.named_modules():
            if name.rpartition(".")[2].startswith("edge_"):
                without_affine(module)
        state = {}
        for name in own.state_dict():
            parts = name.split(".")
            if parts[2:3] and parts[2].startswith("edge_"):
                parts[2] = f"{parts[2]}_{chosen[parts[2].removeprefix('edge_')]}"
            state[name] = supernet.state_dict()["network." + ".".join(parts)]
        own.load_state_dict(state)
        supernet.activate(architecture)
        assert torch.equal(supernet(images), own(images)), architecture


def test_only_live_operations_get_gradients() -> None:
    supernet = SMALL.supernet(DATA)
    supernet.activate("|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|nor_conv_1x1~0|none~1|none~2|")
    supernet(torch.randn(3, 2, 8, 8)).sum().backward()
    touched = {name for name, weight in supernet.named_parameters() if weight.grad is not None and "edge" in name}
    assert touched
    assert all("edge_3_0_nor_conv_1x1" in name for name in touched)
    assert {id(module) for module in supernet.active_choices()} == {
        id(cell.edge_3_0_nor_conv_1x1) for cell in supernet.cells
    }


def test_substitutes_stand_in_every_cell() -> None:
    supernet = SMALL.supernet(DATA, substitute={"skip_connect": lambda width: nn.Conv2d(width, width, 1, bias=False)})
    supernet.activate("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|")
    widths = [module.weight.shape[:2] for module in supernet.active_choices()]
    assert widths == [(width, width) for width in (4, 4, 8, 8, 16, 16)]
    with pytest.raises(UnknownNameError, match="no operation to substitute named 'skip'"):
        SMALL.supernet(DATA, substitute={"skip": nn.Identity})


def test_steps_with_equal_keys_give_equal_values() -> None:
    supernet, images = SMALL.supernet(DATA), torch.randn(3, 2, 8, 8)
    first = "|nor_conv_3x3~0|+|skip_connect~0|avg_pool_3x3~1|+|none~0|nor_conv_1x1~1|skip_connect~2|"
    second = first.replace("nor_conv_1x1~1", "nor_conv_3x3~1")
    values, keys = [], []
    for architecture in (first, second):
        supernet.activate(architecture)
        value, here = images, []
        for step in supernet.steps()[:3]:
            value = step.run(value)
            here.append(step.key)
        keys.append(here)
        values.append(value)
    assert keys[0] == keys[1]
    assert all(torch.equal(values[0][node], values[1][node]) for node in values[0])


def test_choices_make_every_string() -> None:
    assert SMALL.operation_choices() == (OPERATIONS,) * 6
    architecture = SMALL.every_string()[777]
    assert SMALL.with_operations(EMPTY, SMALL.operations(architecture)) == architecture
    with pytest.raises(UnsupportedError, match="cannot mix"):
        SMALL.supernet(DATA).mix(torch.ones(1))
