"""Common random numbers: weights depend on seed, position and shape alone, and keep the distribution of their space."""

from __future__ import annotations

from functools import cache, partial
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp
from torch import nn

from benchsuite.core import registry
from benchsuite.core.identity import seed_of
from benchsuite.core.types import Dataset
from benchsuite.data.images.minibatches import load_images, minibatch
from benchsuite.estimators.torchtools.initialisation import with_common_weights
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator
from benchsuite.estimators.zero_shot.task import ProbeTask

NARROW = {"channels": 8, "width_divisor": 4, "depth_divisor": 8}
SMALL = {
    "macro": {"channels": 4, "head": 32},
    "nasbench101": {"channels": 16, "cells": 1, "stacks": 2},
    "nasbench201": {"channels": 8, "cells": 1},
    "nasbench301": {"channels": 8, "cells": 3},
    **dict.fromkeys(("nds_resnet", "nds_resnext_a", "nds_resnext_b", "nds_vanilla"), NARROW),
}
COLOURS = Dataset("cifar10", 10)
SPACE = registry.make_space("nasbench201", SMALL["nasbench201"])
ONE = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
OTHER = "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"


def task(space="nasbench201", **options):
    made = registry.make_space(space, SMALL[space])
    return ProbeTask(made, COLOURS, (), **{"initialisation": "common", **options})


@cache
def state(space, architecture, seed=0, initialisation="common"):
    return task(space, seed=seed, initialisation=initialisation)._build(architecture).state_dict()


def drawn(tensors):
    """Those that are neither constant nor statistics: what is drawn at random."""
    return {name: tensor for name, tensor in tensors.items() if tensor.dim() > 0 and tensor.max() > tensor.min()}


def test_architectures_that_share_an_operation_at_a_position_share_its_weights_there():
    one, other = state("nasbench201", ONE), state("nasbench201", OTHER)
    for cell in ("layers.0", "layers.2", "layers.4"):
        for edge in ("edge_1_0", "edge_2_1", "edge_3_2"):
            assert torch.equal(one[f"{cell}.{edge}.1.weight"], other[f"{cell}.{edge}.1.weight"])
        assert one[f"{cell}.edge_2_0.1.weight"].shape[2:] == (3, 3)
        assert other[f"{cell}.edge_2_0.1.weight"].shape[2:] == (1, 1)
    assert torch.equal(one["classifier.bias"], other["classifier.bias"])


@pytest.mark.parametrize("space", SMALL)
def test_weights_depend_on_seed_position_and_shape_alone(space):
    architectures = registry.make_space(space, SMALL[space]).sample(4, np.random.default_rng(1))
    shared = 0
    for one, other in combinations([drawn(state(space, architecture)) for architecture in architectures], 2):
        for name in one.keys() & other.keys():
            if one[name].shape == other[name].shape:
                shared += 1
                assert torch.equal(one[name], other[name]), name
    assert shared > 5
    first, second = (drawn(state(space, architectures[0], seed)) for seed in (0, 1))
    for name in first:
        assert not torch.equal(first[name], second[name]), name
    for one, other in combinations(first.values(), 2):
        assert one.shape != other.shape or not torch.equal(one, other)


@pytest.mark.parametrize("space", SMALL)
def test_every_weight_keeps_the_distribution_of_its_space(space):
    (architecture,) = registry.make_space(space, SMALL[space]).sample(1, np.random.default_rng(2))
    usual, common = (state(space, architecture, 0, mode) for mode in ("independent", "common"))
    assert drawn(usual).keys() == drawn(common).keys()
    for name, tensor in usual.items():
        if name in drawn(usual):
            assert ks_2samp(tensor.flatten(), common[name].flatten()).pvalue > 1e-6, name
        else:
            assert torch.equal(tensor, common[name])


def test_independent_networks_are_those_of_the_seed_and_the_architecture():
    with torch.random.fork_rng():
        torch.manual_seed(seed_of(3, ONE))
        expected = SPACE.build(ONE, COLOURS).state_dict()
    found = state("nasbench201", ONE, 3, "independent")
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    assert found.keys() == expected.keys()


class _Own(nn.Module):
    """Draws weights anew behind autograd's back, one in parts, one by way of a matrix that is not kept."""

    def __init__(self, before):
        super().__init__()
        torch.rand(before)
        self.first, self.middle, self.last = (nn.Linear(3, 3) for _ in range(3))
        self.first.weight.data[:1].normal_()
        self.first.weight.data[1:].normal_()
        nn.init.orthogonal_(self.middle.weight)
        self.last.weight.data.normal_()


def test_own_initialisations_keep_what_they_promise():
    def build(before):
        torch.manual_seed(before)
        return _Own(before)

    with torch.random.fork_rng():
        one, other = (with_common_weights(partial(build, before), 0) for before in (1, 2))
    for (name, weight), same in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(weight, same), name
    assert len(set(one.first.weight.flatten().tolist())) == 9
    torch.testing.assert_close(one.middle.weight @ one.middle.weight.T, torch.eye(3))


def test_the_random_state_outside_stays_as_it_was():
    before = torch.get_rng_state()
    task()._build(ONE)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_probes_seed_depends_on_the_architecture_unless_it_is_common():
    seeds = []

    class Noting(ZeroShotEstimator):
        name = "noting"

        def score(self, probe):
            seeds.append(probe.seed)
            return 0.0

    for initialisation in ("independent", "common"):
        made = ProbeTask(
            SPACE,
            load_images("digits").dataset,
            (Noting(),),
            seed=4,
            minibatches=tuple(minibatch(load_images("digits"), 10, 0, 2)),
            initialisation=initialisation,
        )
        made.scores([ONE, OTHER])
    usual, common = seeds[:4], seeds[4:]
    assert usual == [seed_of("probe", 4, architecture, number) for architecture in (ONE, OTHER) for number in (0, 1)]
    assert common == 2 * [seed_of("probe", 4, number) for number in (0, 1)]
