"""The supernets of the spaces whose architectures are chains of blocks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from benchsuite.core.errors import InvalidArchitectureError, UnknownNameError
from benchsuite.core.types import Dataset
from benchsuite.spaces.macro.space import Macro
from benchsuite.spaces.scarlet.space import ScarletS1

DATA = Dataset("small", 3, channels=2, size=12)
SPACES = {"macro": Macro(channels=4, head=6), "scarlet": ScarletS1(width_divisor=16, halvings=2)}


@pytest.fixture(params=SPACES)
def space(request):
    return SPACES[request.param]


def architectures(space, number):
    rng = np.random.default_rng(0)
    return [space.draw(rng) for _ in range(number)]


def test_active_architecture_computes_what_its_own_network_with_the_same_weights_does(space) -> None:
    torch.manual_seed(0)
    supernet, images = space.supernet(DATA), torch.randn(5, 2, 12, 12)
    for architecture in architectures(space, 6):
        supernet.activate(architecture)
        own, whole = space.build(architecture, DATA), supernet.network
        chosen = [module for module in supernet.active_choices() if not isinstance(module, nn.Identity)]
        for mine, shared in zip([*own.layers, own.stem, own.last], [*chosen, whole.stem, whole.last], strict=True):
            mine.load_state_dict(shared.state_dict())
        own.classifier.load_state_dict(whole.classifier.state_dict())
        assert torch.equal(supernet(images), own(images)), architecture


def test_only_chosen_blocks_get_gradients(space) -> None:
    supernet = space.supernet(DATA)
    supernet.activate(architectures(space, 1)[0])
    supernet(torch.randn(3, 2, 12, 12)).sum().backward()
    chosen = {id(weight) for module in supernet.active_choices() for weight in module.parameters()}
    touched = {id(weight) for weight in supernet.network.layers.parameters() if weight.grad is not None}
    assert touched == chosen


def test_substitutes_stand_where_the_shape_is_kept(space) -> None:
    made = []

    def make(width: int) -> nn.Module:
        made.append(width)
        return nn.Conv2d(width, width, 1, bias=False)

    supernet = space.supernet(DATA, substitute=dict.fromkeys(space.skips, make))
    plain = space.supernet(DATA)
    extra = sum(weight.numel() for weight in supernet.parameters()) - sum(w.numel() for w in plain.parameters())
    assert extra == sum(width**2 for width in made) > 0
    with pytest.raises(UnknownNameError, match="no operation to substitute named 'skipp'"):
        space.supernet(DATA, substitute={"skipp": make})


def test_steps_are_keyed_by_the_operations(space) -> None:
    supernet, images = space.supernet(DATA), torch.randn(3, 2, 12, 12)
    first, other = architectures(space, 2)
    operations = [*space.operations(first)[:4], *space.operations(other)[4:]]
    values, keys = [], []
    for architecture in (first, space.with_operations(first, operations)):
        supernet.activate(architecture)
        value, here = images, []
        for step in supernet.steps()[:5]:
            value = step.run(value)
            here.append(step.key)
        keys.append(here)
        values.append(value)
    assert keys[0] == keys[1] == ["stem", *operations[:4]]
    assert torch.equal(*values)


def test_choices_make_every_string(space) -> None:
    start, *others = architectures(space, 5)
    for other in others:
        operations = space.operations(other)
        assert all(name in choices for name, choices in zip(operations, space.operation_choices(), strict=True))
        assert space.with_operations(start, operations) == other
    with pytest.raises(InvalidArchitectureError, match="elsewhere"):
        space.with_operations(start, ["elsewhere", *space.operations(start)[1:]])
