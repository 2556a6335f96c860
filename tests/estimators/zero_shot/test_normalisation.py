"""Batch normalisation differentiated in our own way is torch's: bits of the first order, rounding of the second."""

from __future__ import annotations

import pytest
import torch
from probed_networks import batch, normalised
from torch import nn
from torch.autograd.functional import vhp
from torch.func import functional_call
from torch.nn.functional import batch_norm, cross_entropy
from torch.utils.checkpoint import checkpoint

from benchsuite import score_network
from benchsuite.estimators.zero_shot.normalisation import QuickSecondDerivative

SHAPES = {"1d": (7, 3), "sequences": (4, 3, 5), "2d": (4, 3, 2, 5), "3d": (2, 3, 2, 2, 3)}


def normal(shape, dtype=torch.float64, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def parameters(channels, affine, dtype=torch.float64):
    return (normal(channels, dtype, 1), normal(channels, dtype, 2)) if affine else (None, None)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("affine", [True, False])
def test_derivatives_agree_with_differences(shape, affine):
    def normalise(features):
        return batch_norm(features, None, None, *parameters(3, affine), training=True, eps=0.1).square()

    with QuickSecondDerivative():
        features = normal(shape).add_(2).requires_grad_()
        assert torch.autograd.gradcheck(normalise, features)
        assert torch.autograd.gradgradcheck(normalise, features)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("affine", [True, False])
def test_first_derivatives_have_torchs_bits_and_second_ones_its_values(dtype, layout, affine):
    def derivatives():
        features = (3 + normal((8, 5, 6, 7), dtype)).to(memory_format=layout).requires_grad_()
        running = torch.zeros(5, dtype=dtype), torch.ones(5, dtype=dtype)
        output = batch_norm(features, *running, *parameters(5, affine, dtype), training=True, momentum=0.3)
        [first] = torch.autograd.grad(output.sin().sum(), features, create_graph=True)
        second = torch.autograd.grad((first * normal(first.shape, dtype, 3)).sum(), features)
        return [*running, output, first], second[0]

    expected, expected_second = derivatives()
    with QuickSecondDerivative():
        found, second = derivatives()
    assert all(torch.equal(ours, torchs) for ours, torchs in zip(found, expected, strict=True))
    assert second.stride() == expected_second.stride()
    torch.testing.assert_close(second, expected_second, rtol=0, atol=torch.finfo(dtype).eps * 20)


class Batch(nn.Module):
    """A network of every kind of batch normalisation."""

    def __init__(self, checkpoints=False):
        super().__init__()
        self.first, self.body, self.last = nn.Conv2d(3, 8, 3), normalised(nn.BatchNorm2d)[3:6], nn.Linear(8, 5)
        self.twice, self.vectors = nn.BatchNorm2d(8, momentum=None), nn.BatchNorm1d(8, affine=False)
        self.volumes = nn.BatchNorm3d(4, track_running_stats=False)
        self.fixed, self.checkpoints = nn.BatchNorm2d(8), checkpoints

    def forward(self, images):
        features = self.twice(self.first(images)).relu()
        features = self.twice(self.volumes(features.unflatten(1, (4, 2))).flatten(1, 2))
        features = checkpoint(self.body, features, use_reentrant=False) if self.checkpoints else self.body(features)
        return self.last(self.vectors(self.fixed.eval()(features).mean((2, 3))).tanh())


def network_of(**options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Batch(**options).double()
    for parameter in network.parameters():
        parameter.data += 0.1 * normal(parameter.shape, seed=len(parameter))
    return network


@pytest.mark.parametrize("checkpoints", [False, True])
def test_grasp_of_any_batch_normalisation_is_that_of_the_plain_hessian(checkpoints):
    network, (inputs, targets) = network_of(checkpoints=checkpoints), batch()
    names = [f"{name}.weight" for name in ("first", "body.3", "last")]
    weights = tuple(network.get_parameter(name).detach() for name in names)

    def loss(*values):
        logits = functional_call(network_of(), dict(zip(names, values, strict=True)), (inputs,))
        return cross_entropy(logits, targets)

    gradients = torch.autograd.functional.jacobian(loss, weights)
    products = vhp(loss, weights, gradients)[1]
    expected = -sum(float((w * h).sum()) for w, h in zip(weights, products, strict=True))
    assert score_network(network, inputs, targets, ["grasp"])["grasp"] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("learns", [True, False])
def test_a_scale_that_learns_is_left_to_torch(learns):
    scale = torch.ones(3, requires_grad=learns)
    with QuickSecondDerivative():
        output = batch_norm(normal((4, 3), torch.float32).requires_grad_(), None, None, scale, training=True)
    assert type(output.grad_fn).__name__ == ("NativeBatchNormBackward0" if learns else "_BatchNormBackward")


def test_a_single_value_per_channel_is_refused_as_torch_does():
    for mode in (torch.enable_grad(), QuickSecondDerivative()):
        with mode, pytest.raises(ValueError, match="more than 1 value per channel"):
            batch_norm(torch.ones(1, 3), None, None, training=True)
