"""Every registered space keeps the promises of the protocol; broken ones are found out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from benchsuite.core import registry
from benchsuite.core.types import Complexity, Dataset
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.testing import ConformanceError, check_space

NARROW = {"channels": 2, "width_divisor": 16, "depth_divisor": 8}
SMALL = {
    "macro": {"channels": 2, "head": 8},
    "nasbench101": {"channels": 4, "cells": 1, "stacks": 2},
    "nasbench201": {"channels": 4, "cells": 1},
    "nasbench301": {"channels": 2, "cells": 3},
    "scarlet": {"width_divisor": 16, "halvings": 3},
    **dict.fromkeys(("nds_resnet", "nds_resnext_a", "nds_resnext_b", "nds_vanilla"), NARROW),
}
DIGITS = Dataset("digits", classes=10, channels=1, size=12)


@pytest.mark.parametrize("name", registry.names("space"))
def test_every_registered_space_keeps_its_promises(name):
    space = registry.make_space(name, SMALL.get(name))
    check_space(space)
    check_space(space, dataset=DIGITS, number=2)
    assert space.name == name


@dataclass(frozen=True, slots=True)
class DeadWeight(NASBench201):
    """Builds dead operations although it is asked to drop them."""

    def build(self, architecture, dataset, *, dead="drop"):
        return NASBench201.build(self, architecture, dataset, dead={"drop": "keep"}.get(dead, dead))


@dataclass(frozen=True, slots=True)
class Unused(NASBench201):
    """Holds a parameter that its networks never use."""

    def build(self, architecture, dataset, *, dead="drop"):
        network = NASBench201.build(self, architecture, dataset, dead=dead)
        network.register_parameter("junk", nn.Parameter(torch.zeros(1)))
        return network


@dataclass(frozen=True, slots=True)
class Miscounting(NASBench201):
    """Forgets one parameter."""

    def complexity(self, architecture, dataset):
        right = NASBench201.complexity(self, architecture, dataset)
        return Complexity(right.params, right.macs, right.live_params - 1, right.live_macs)


@dataclass(frozen=True, slots=True)
class Restless(NASBench201):
    """Draws samples that have nothing to do with shorter ones."""

    def sample(self, n, rng):
        return [self.architectures()[i] for i in rng.choice(len(self.architectures()), n, replace=False)][::-1]


@dataclass(frozen=True, slots=True)
class Jumping(NASBench201):
    """Mutates to anywhere."""

    def mutate(self, architecture, rng):
        return architecture


@dataclass(frozen=True, slots=True)
class Overwriting(NASBench201):
    """Uses activations that work in place."""

    def build(self, architecture, dataset, *, dead="drop"):
        network = NASBench201.build(self, architecture, dataset, dead=dead)
        for module in network.modules():
            if isinstance(module, nn.ReLU):
                module.inplace = True
        return network


@dataclass(frozen=True, slots=True)
class Credulous(NASBench201):
    """Takes every string for an architecture."""

    def validate(self, architecture):
        pass


@dataclass(frozen=True, slots=True)
class Split(NASBench201):
    """Takes every string for a class of its own."""

    def canonical(self, architecture):
        return architecture


@pytest.mark.parametrize(
    ("space", "complaint"),
    [
        (DeadWeight, "live parameters, the network has"),
        (Unused, "no live path"),
        (Miscounting, "live parameters, the network has"),
        (Restless, "not a prefix"),
        (Jumping, "is not a neighbour"),
        (Overwriting, "in place"),
        (Credulous, "accepts the string"),
        (Split, "is equivalent to"),
    ],
)
def test_a_broken_promise_is_named(space, complaint):
    with pytest.raises(ConformanceError, match=complaint):
        check_space(space(channels=4, cells=1), number=12)


def test_the_check_leaves_the_random_states_alone():
    torch_state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    check_space(NASBench201(channels=2, cells=1), number=2)
    assert torch.equal(torch_state, torch.random.get_rng_state())
    assert (numpy_state == np.random.get_state()[1]).all()  # noqa: NPY002
