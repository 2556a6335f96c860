"""SCARLET's stabiliser: where it stands, what folding gives, and that nothing of it is left in the end."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from benchsuite.core.errors import UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.estimators.one_shot.stabiliser import ELS, STABILISERS, fold, substitutes
from benchsuite.spaces.chains import InvertedResidual
from benchsuite.spaces.layers import ReLUConvBN, SameAveragePool
from benchsuite.spaces.macro.space import Macro
from benchsuite.spaces.nasbench101.space import NASBench101
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench301.space import NASBench301
from benchsuite.spaces.scarlet.space import ScarletS1

DATA = Dataset("small", 3, channels=2, size=8)
STABILISED = {  # spaces, and c_in * c_out of each skip and of each pool that stands where the shape is kept
    "nasbench201": (NASBench201(channels=4, cells=2), 2 * 6 * (16 + 64 + 256), 2 * 6 * (16 + 64 + 256)),
    "nasbench301": (NASBench301(channels=2, cells=3), 14 * 4 + 6 * 16 + 6 * 64, 2 * (14 * 4 + 6 * 16 + 6 * 64)),
    "macro": (Macro(channels=2, head=5), 4**2 + 2 * 8**2 + 2 * 16**2, 0),
    "scarlet": (ScarletS1(width_divisor=8, halvings=2), 4**2 + 3 * (5**2 + 10**2 + 12**2 + 24**2), 0),
}


@pytest.fixture(params=STABILISED)
def stabilised(request):
    return STABILISED[request.param]


def weights(module):
    return sum(parameter.numel() for parameter in module.parameters())


def supernets(space, stabiliser, start="identity"):
    """The supernet without and with stabilisers, all other weights alike."""
    torch.manual_seed(0)
    plain, other = space.supernet(DATA), space.supernet(DATA, substitute=substitutes(stabiliser, space, start))
    missing, unexpected = other.load_state_dict(
        {name.replace("pool_3x3.0", "pool_3x3"): value for name, value in plain.state_dict().items()}, strict=False
    )
    assert not unexpected
    assert len(missing) == sum(isinstance(module, ELS) for module in other.modules())
    return plain, other


def test_each_skip_gets_as_many_weights_as_channels_squared(stabilised):
    space, skips, pools = stabilised
    plain = weights(space.supernet(DATA))
    extra = {kind: weights(space.supernet(DATA, substitute=substitutes(kind, space))) - plain for kind in STABILISERS}
    assert extra == {"none": 0, "skip": skips, "skip+pool": skips + pools}


@pytest.mark.parametrize("stabiliser", ["skip", "skip+pool"])
def test_beginning_as_the_identity_gives_the_plain_skip(stabilised, stabiliser):
    space, *_ = stabilised
    plain, other = supernets(space, stabiliser)
    images, rng = torch.randn(4, *DATA.shape), np.random.default_rng(0)
    for architecture in [space.draw(rng) for _ in range(3)]:
        for supernet in (plain, other):
            supernet.activate(architecture)
        assert torch.equal(plain(images), other(images)), architecture


def test_other_weights_change_what_architectures_with_skips_compute(stabilised):
    space, *_ = stabilised
    plain, other = supernets(space, "skip", "he")
    rng, images = np.random.default_rng(0), torch.randn(4, *DATA.shape)
    for architecture in [space.draw(rng) for _ in range(5)]:
        for supernet in (plain, other):
            supernet.activate(architecture)
        used = any(isinstance(module, ELS) for module in other.active_choices())
        assert torch.equal(plain(images), other(images)) != used


def test_a_finalised_network_holds_no_stabiliser(stabilised):
    space, *_ = stabilised
    space.supernet(DATA, substitute=substitutes("skip+pool", space))
    for architecture in space.sample(3, np.random.default_rng(0)):
        network = space.build(architecture, DATA)
        assert not any(isinstance(module, ELS) for module in network.modules())
        assert weights(network) == space.complexity(architecture, DATA).live_params


def test_words_and_spaces_without_skips_are_refused():
    with pytest.raises(UnknownNameError, match=r"no stabiliser named 'els'. Known: none, skip, skip\+pool"):
        substitutes("els", Macro())
    assert substitutes("none", NASBench101()) == {}
    with pytest.raises(UnsupportedError, match="'nasbench101' lacks skip connections to stabilise"):
        substitutes("skip", NASBench101())
    with pytest.raises(UnknownNameError, match=r"no stabiliser start named 'zero'. Known: he, identity"):
        ELS(3, "zero")


# Folding


@pytest.fixture
def els():
    torch.manual_seed(0)
    return ELS(6, "he").double()


@pytest.mark.parametrize(
    "following",
    [
        nn.Conv2d(6, 4, 1),
        nn.Conv2d(6, 4, 1, bias=False),
        nn.Conv2d(6, 5, 3, padding=1),
        nn.Conv2d(6, 5, 5, padding=2, stride=2),
        nn.Conv2d(6, 5, 3, padding=2, dilation=2),
        nn.Conv2d(6, 5, 3, padding=1, padding_mode="reflect"),
        nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(6, 4, 1)),
        nn.Sequential(nn.AvgPool2d(3, 1, padding=1), nn.Sequential(SameAveragePool(), nn.Conv2d(6, 4, 3, padding=1))),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 4, 1)),
        InvertedResidual(nn.Sequential(nn.Conv2d(6, 9, 1), nn.ReLU(), nn.Conv2d(9, 4, 1)), residual=False),
    ],
    ids=str,
)
def test_the_fold_is_exact(els, following):
    following = following.double()
    images = torch.randn(3, 6, 9, 9, dtype=torch.float64)
    expected = following(els(images))
    folded = fold(els, following)
    first = next(name for name, module in following.named_modules() if isinstance(module, nn.Conv2d))
    assert weights(folded) == weights(following.get_submodule(first))
    if first:
        owner, _, name = first.rpartition(".")
        setattr(following.get_submodule(owner), name, folded)
    result = following(images) if first else folded(images)
    torch.testing.assert_close(result, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("following", "reason"),
    [
        (ReLUConvBN(6, 6, 3), "ReLUConvBN begins with ReLU, which cannot absorb a linear map"),
        (InvertedResidual(nn.Conv2d(6, 6, 1), residual=True), "adds its input to its output"),
        (nn.Sequential(nn.AvgPool2d(2), InvertedResidual(nn.Conv2d(6, 6, 1), residual=True)), "adds its input"),
        (nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(6, 6, 1)), "begins with MaxPool2d"),
        (nn.Sequential(nn.BatchNorm2d(6), nn.Conv2d(6, 6, 1)), "begins with BatchNorm2d"),
        (nn.Conv2d(6, 6, 3, groups=6), "6 groups cannot absorb a stabiliser: it would lose its groups"),
        (nn.Conv2d(5, 6, 3), "of 5 channels does not follow a stabiliser of 6"),
        (nn.AvgPool2d(2), "AvgPool2d lacks a convolution"),
    ],
    ids=str,
)
def test_where_it_is_not_legal_the_fold_is_refused_with_the_reason(els, following, reason):
    with pytest.raises(UnsupportedError, match=reason) as caught:
        fold(els, following)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "space", [Macro(channels=2, head=5), ScarletS1(width_divisor=8, halvings=2)], ids=["macro", "scarlet"]
)
def test_a_skip_at_the_end_of_a_stage_folds_into_the_next_stage(space):
    torch.manual_seed(0)
    supernet = space.supernet(DATA, substitute=substitutes("skip", space, "he")).double()
    start = space.draw(np.random.default_rng(0))
    operations = [choices[1] for choices in space.operation_choices()]
    operations[1] = space.skips[0]
    supernet.activate(space.with_operations(start, operations))
    skip, opening = supernet.active_choices()[1:3]
    images = torch.randn(2, *DATA.shape, dtype=torch.float64)
    expected = supernet(images)
    opening.convolutions[0] = fold(skip, opening)
    nn.init.dirac_(skip.weight)
    torch.testing.assert_close(supernet(images), expected, rtol=1e-12, atol=1e-12)
    with pytest.raises(UnsupportedError, match="adds its input to its output"):
        fold(skip, supernet.active_choices()[3])
