"""Networks of users: other normalisation, attention, modules called again and again, functions in place of modules."""

from __future__ import annotations

import math

import pytest
import torch
from probed_networks import batch, normalised
from torch import nn
from torch.func import functional_call
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchsuite.core.errors import UnsupportedError
from benchsuite.estimators.zero_shot.gradients import Fisher, GradientNorm, Grasp, L2Norm, Plain, Snip
from benchsuite.estimators.zero_shot.jacobian import EPENAS, JacobianCovariance
from benchsuite.estimators.zero_shot.relu_codes import NWOT, SWAP
from benchsuite.estimators.zero_shot.scoring import probe_network
from benchsuite.estimators.zero_shot.synflow import SynFlow, SynFlowWithNorm

OF_CODES = (NWOT(), SWAP())
OF_GRADIENTS = (
    L2Norm(), GradientNorm(), Plain(), Snip(), Fisher(), Grasp(), Grasp(temperature=2.0), SynFlow(), SynFlow(log=True),
    SynFlowWithNorm(), JacobianCovariance(), EPENAS(),
)  # fmt: skip


def scores(network, estimators=OF_GRADIENTS):
    """Scores by label; an exception is raised."""
    outcomes = probe_network(network, *batch(), estimators)
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    return {estimator.label(): outcome.value for estimator, outcome in zip(estimators, outcomes, strict=True)}


def double(make, *arguments):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make(*arguments).double()


class Attention(nn.Module):
    """Attends to patches in one of several ways, all of the same result."""

    def __init__(self, way):
        super().__init__()
        self.way, self.embed, self.last = way, nn.Conv2d(3, 8, 2, stride=2), nn.Linear(8, 5)
        self.project, self.end = nn.Linear(8, 24), nn.Linear(8, 8)

    def attend(self, queries, keys, values):
        if self.way == "formula":
            return (queries @ keys.mT / math.sqrt(queries.shape[-1])).softmax(-1) @ values
        if self.way == "own kernel":
            with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
                return functional.scaled_dot_product_attention(queries, keys, values)
        return functional.scaled_dot_product_attention(queries, keys, values)

    def forward(self, images):
        tokens = self.embed(images).flatten(2).mT
        heads = (part.unflatten(-1, (2, 4)).transpose(1, 2) for part in self.project(tokens).chunk(3, -1))
        attended = self.attend(*heads).transpose(1, 2).flatten(2)
        return self.last((tokens + self.end(attended)).relu().mean(1))


class MultiHead(nn.Module):
    """The same with torch's module."""

    def __init__(self, pattern, weights):
        super().__init__()
        self.embed, self.last, self.weights = pattern.embed, pattern.last, weights
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.attention.in_proj_weight, self.attention.in_proj_bias = pattern.project.weight, pattern.project.bias
        self.attention.out_proj.load_state_dict(pattern.end.state_dict())

    def forward(self, images):
        tokens = self.embed(images).flatten(2).mT
        attended, _ = self.attention(tokens, tokens, tokens, need_weights=self.weights)
        return self.last((tokens + attended).relu().mean(1))


def test_fused_attention_scores_as_its_formula_does():
    formula, fused = (scores(double(Attention, way)) for way in ("formula", "fused"))
    assert fused == pytest.approx(formula, rel=1e-9)
    assert all(math.isfinite(value) for value in fused.values())


@pytest.mark.parametrize("weights", [True, False])
def test_the_module_of_attention_counts_its_last_layer_alone(weights):
    pattern = double(Attention, "formula")
    network = MultiHead(pattern, weights).double()
    loss = functional.cross_entropy(network(batch()[0]), batch()[1])
    layers = [network.embed.weight, network.attention.out_proj.weight, network.last.weight]
    gradients = torch.autograd.grad(loss, layers)
    found = scores(network)
    assert found["grad_norm"] == pytest.approx(sum(float(gradient.norm()) for gradient in gradients), rel=1e-9)
    assert found["jacob_cov"] == pytest.approx(scores(pattern)["jacob_cov"], rel=1e-9)
    assert all(math.isfinite(value) for value in found.values())


def test_an_own_kernel_without_second_derivative_refuses_grasp_alone():
    network = double(Attention, "own kernel")
    outcomes = probe_network(network, *batch(), OF_GRADIENTS)
    refused = {e.label(): str(o.error) for e, o in zip(OF_GRADIENTS, outcomes, strict=True) if o.error is not None}
    assert set(refused) == {"grasp", "grasp(temperature=2.0)"}
    assert all("cannot differentiate the network twice" in reason and "\n" not in reason for reason in refused.values())
    assert isinstance(outcomes[5].error, UnsupportedError)
    alone = {e.label(): probe_network(network, *batch(), [e])[0].value for e in OF_GRADIENTS if "grasp" not in e.name}
    assert alone == {e.label(): o.value for e, o in zip(OF_GRADIENTS, outcomes, strict=True) if "grasp" not in e.name}


NORMS = {
    "group norm": lambda channels: nn.GroupNorm(2, channels),
    "instance norm": lambda channels: nn.InstanceNorm2d(channels, affine=True),
    "one group": lambda channels: nn.GroupNorm(1, channels),
}


@pytest.mark.parametrize("norm", sorted(NORMS))
def test_other_normalisation_scores(norm):
    network = double(normalised, NORMS[norm])
    found = scores(network, (*OF_GRADIENTS, *OF_CODES))
    assert all(math.isfinite(value) for value in found.values())
    assert found["synflow"] == found["synflow_bn"]


class Repeating(nn.Module):
    """A convolution called several times, and one ReLU for all."""

    def __init__(self, *, inplace=False):
        super().__init__()
        self.first, self.again, self.last = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 6, 3, padding=1), nn.Linear(6, 5)
        self.relu = nn.ReLU(inplace)

    def forward(self, images):
        features = self.relu(self.first(images))
        for _ in range(3):
            features = self.relu(self.again(features))
        return self.last(features.mean((2, 3)))


class Unrolled(nn.Module):
    """The same, a module for each call; convolutions share their weight."""

    def __init__(self):
        super().__init__()
        pattern = Repeating()
        self.first, self.last = pattern.first, pattern.last
        self.body = nn.Sequential(*(nn.Conv2d(6, 6, 3, padding=1) if number % 2 else nn.ReLU() for number in range(7)))
        for number in (1, 3, 5):
            self.body[number].weight, self.body[number].bias = pattern.again.weight, pattern.again.bias

    def forward(self, images):
        return self.last(self.body(self.first(images)).mean((2, 3)))


@pytest.mark.parametrize("inplace", [False, True])
def test_a_module_called_again_is_as_modules_that_share_their_weights(inplace):
    repeating, unrolled = double(lambda: Repeating(inplace=inplace)), double(Unrolled)
    estimators = (*OF_GRADIENTS, *OF_CODES)
    assert scores(repeating, estimators) == pytest.approx(scores(unrolled, estimators), rel=1e-12)


def test_weights_called_again_have_the_gradient_of_all_calls():
    network, (inputs, targets) = double(Repeating), batch()
    names = ("first.weight", "again.weight", "last.weight")

    def loss(*weights):
        logits = functional_call(network, dict(zip(names, weights, strict=True)), (inputs,))
        return functional.cross_entropy(logits, targets)

    weights = tuple(network.get_parameter(name).detach() for name in names)
    gradients = torch.autograd.functional.jacobian(loss, weights)
    expected = sum(float((w * g).abs().sum()) for w, g in zip(weights, gradients, strict=True))
    assert scores(network, [Snip()])["snip"] == pytest.approx(expected, rel=1e-10)


class Functional(nn.Module):
    """ReLUs by functions."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 6, 3), nn.Linear(6, 5)

    def forward(self, images):
        return self.last(functional.relu(self.first(images)).mean((2, 3)))


class Linear(nn.Module):
    """ReLUs on vectors alone."""

    def __init__(self):
        super().__init__()
        self.first, self.relu, self.last = nn.Linear(192, 6), nn.ReLU(), nn.Linear(6, 5)

    def forward(self, images):
        return self.last(self.relu(self.first(images.flatten(1))))


class Merging(Linear):
    """A ReLU whose rows are not the images."""

    def forward(self, images):
        return self.last(self.relu(self.first(images.flatten(1)).repeat(2, 1))[: len(images)])


@pytest.mark.parametrize(
    ("network", "estimator", "reason"),
    [
        (Functional, NWOT(), "needs nn.ReLU modules"),
        (Functional, SWAP(), "needs nn.ReLU modules"),
        (Linear, SWAP(), "needs nn.ReLU modules"),
        (Merging, NWOT(), "for 6 images"),
    ],
)
def test_what_codes_cannot_be_read_from_is_refused_in_one_line(network, estimator, reason):
    with pytest.raises(UnsupportedError) as caught:
        scores(double(network), [estimator])
    assert str(caught.value).startswith(estimator.name)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


class Pair(nn.Module):
    def forward(self, images):
        return images, images


def test_a_network_must_return_logits():
    with pytest.raises(UnsupportedError, match="returns a tuple"):
        scores(Pair(), [JacobianCovariance()])
