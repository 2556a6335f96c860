"""Estimators from weights and gradients, against plain formulas."""

from __future__ import annotations

import math

import pytest
import torch
from probed_networks import KINDS, batch, make, score
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from benchsuite import score_network
from benchsuite.estimators.zero_shot.gradients import Fisher, Grasp, L2Norm


def loss_of_weights(network, inputs, targets, temperature=1.0):
    """The loss as a function of the conv and linear weights, and their values."""
    layers = {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)}
    names = [f"{name}.weight" for name in layers]
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}

    def loss(*weights):
        state = dict(zip(names, weights, strict=True)) | {key: value.clone() for key, value in buffers.items()}
        return cross_entropy(functional_call(network, state, (inputs.clone(),)) / temperature, targets)

    return loss, tuple(network.get_parameter(name).detach().clone() for name in names)


@pytest.mark.parametrize("kind", KINDS)
def test_first_order_scores_follow_their_definitions(kind):
    network, (inputs, targets) = make(kind), batch()
    loss, weights = loss_of_weights(network, inputs, targets)
    gradients = torch.autograd.functional.jacobian(loss, weights)
    products = [(w * g).flatten().tolist() for w, g in zip(weights, gradients, strict=True)]
    expected = {
        "grad_norm": sum(math.sqrt(math.fsum(v * v for v in g.flatten().tolist())) for g in gradients),
        "plain": math.fsum(v for layer in products for v in layer),
        "snip": math.fsum(abs(v) for layer in products for v in layer),
    }
    assert score_network(network, inputs, targets, list(expected)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_grasp_is_the_product_with_the_hessian(kind):
    network, (inputs, targets) = make(kind), batch()
    loss, weights = loss_of_weights(network, inputs, targets)
    gradients = torch.autograd.functional.jacobian(loss, weights)
    step = 1e-5  # H g by central differences of the gradient along itself
    ahead, behind = (
        torch.autograd.functional.jacobian(
            loss, tuple(w + sign * step * g for w, g in zip(weights, gradients, strict=True))
        )
        for sign in (1, -1)
    )
    expected = -sum(float((w * (a - b)).sum()) / (2 * step) for w, a, b in zip(weights, ahead, behind, strict=True))
    assert score_network(network, inputs, targets, ["grasp"])["grasp"] == pytest.approx(expected, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("kind", ["batch norm", "no norm"])
@pytest.mark.parametrize(("temperature", "batches"), [(3.0, 1), (1.0, 2), (200.0, 2)])
def test_grasp_has_a_temperature_and_two_halves(kind, temperature, batches):
    network, (inputs, targets) = make(kind).requires_grad_(False), batch(7)
    parts = [(inputs, targets)] if batches == 1 else [(inputs[:3], targets[:3]), (inputs[3:], targets[3:])]

    def gradients(*weights):
        return torch.autograd.functional.jacobian(total, weights)

    def total(*weights):
        return sum(loss(*weights) for loss in losses)

    losses = [loss_of_weights(network, *part, temperature=temperature)[0] for part in parts]
    weights = loss_of_weights(network, *parts[0])[1]
    gradient, step = gradients(*weights), 1e-6 * temperature
    ahead, behind = (
        gradients(*(w + sign * step * g for w, g in zip(weights, gradient, strict=True))) for sign in (1, -1)
    )
    expected = -sum(float((w * (a - b)).sum()) / (2 * step) for w, a, b in zip(weights, ahead, behind, strict=True))
    found = score(Grasp(temperature=temperature, batches=batches), network, (inputs, targets))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_a_layer_whose_scale_does_not_matter_gives_grasp_its_squared_gradient():
    network, (inputs, targets) = make("batch norm"), batch()
    network[1].eps = network[4].eps = 1e-12
    network[8].weight = None  # so that every layer that counts comes before normalisation
    network[8].forward = lambda features: features[:, :5]
    loss = cross_entropy(network(inputs), targets)
    gradients = torch.autograd.grad(loss, [network[0].weight, network[3].weight])
    expected = sum(float(gradient.square().sum()) for gradient in gradients)
    assert score(Grasp(), network, (inputs, targets)) == pytest.approx(expected, rel=1e-6)


def test_one_image_has_no_two_halves():
    assert math.isnan(score(Grasp(batches=2), make("no norm"), batch(1)))


@pytest.mark.parametrize("kind", KINDS)
def test_l2_norm_is_the_sum_of_the_norms_of_layers(kind):
    network = make(kind)
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    expected = sum(math.sqrt(math.fsum(v * v for v in layer.weight.flatten().tolist())) for layer in layers)
    assert score(L2Norm(), network, batch()) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("aggregate", ["broadcast", "channel"])
@pytest.mark.parametrize("kind", ["batch norm", "no norm", "in-place modules"])
def test_fisher_sums_squared_products_of_channels(kind, aggregate):
    network, (inputs, targets) = make(kind), batch()
    features, outputs = inputs, []
    for layer in network.train():
        if isinstance(layer, nn.ReLU):
            features = features.clamp(min=0)
            continue
        features = layer(features)
        if isinstance(layer, nn.Conv2d | nn.Linear):
            outputs.append((layer, features))
    gradients = torch.autograd.grad(cross_entropy(features, targets), [output for _, output in outputs])
    expected = 0.0
    for (layer, output), gradient in zip(((a, b.detach()) for a, b in outputs), gradients, strict=True):
        for channel in range(output.shape[1]):
            images = [float((output[i, channel] * gradient[i, channel]).sum()) for i in range(len(inputs))]
            saliency = sum(value**2 for value in images) / len(inputs) / 2
            expected += saliency * (layer.weight[channel].numel() if aggregate == "broadcast" else 1)
    assert score(Fisher(aggregate), network, (inputs, targets)) == pytest.approx(expected, rel=1e-9)


def test_fisher_sees_the_outputs_of_layers_before_functions_change_them():
    network, (inputs, targets) = make("in-place functions").train(), batch()
    first = network.first(inputs * 2)
    second = network.second(first.relu())
    last = network.last((second + first.relu()).relu().mean((2, 3)))
    gradients = torch.autograd.grad(cross_entropy(last, targets), (first, second, last))
    expected = 0.0
    for layer, z, gradient in zip(network.children(), (first, second, last), gradients, strict=True):
        saliency = (z * gradient).detach().reshape(6, z.shape[1], -1).sum(2).square().mean(0) / 2
        expected += layer.weight[0].numel() * float(saliency.sum())
    assert score(Fisher(), network, (inputs, targets)) == pytest.approx(expected, rel=1e-9)


def test_equal_images_do_not_pass_for_a_missing_path():
    network, (inputs, targets) = make("no norm"), batch()
    scores = score_network(network, inputs[:1].expand(6, -1, -1, -1), targets, ["grad_norm"])
    assert scores["grad_norm"] > 0
