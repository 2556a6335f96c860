"""Zero-shot scores computed the way public code is built, for comparison of speed: nothing is shared.

Zero-cost-nas and NASLib give every estimator a network of its own, built anew and copied; operations that contribute
nothing are built and run; every parameter takes part in backward passes; GraSP takes two forward passes; layers are
wrapped, one call of Python per layer. What is computed is what `benchsuite` computes on a network with dead operations
kept, and the tests hold the two together. Written for this comparison.
"""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn.functional import conv2d, cross_entropy, linear

from benchsuite.core.identity import seed_of
from benchsuite.spaces.layers import SameAveragePool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    Score = Callable[[nn.Module, Tensor, Tensor], float]


def scores(
    build: Callable[[], nn.Module], inputs: Tensor, targets: Tensor, names: Sequence[str], state: dict[str, Tensor]
) -> dict[str, float]:
    """Scores by estimator, each of its own network.

    Parameters
    ----------
    build
        Makes the network; `state` are the weights that it is given.
    """
    found = {}
    for name in names:
        network = _with_plain_pools(build().to(inputs.dtype))
        network.load_state_dict(state)
        found[name] = SCORES[name](copy.deepcopy(network).train(), inputs.clone(), targets)
    return found


def _with_plain_pools(network: nn.Module) -> nn.Module:
    """The network with torch's average pooling in place of benchsuite's, which gives the same in less time."""
    for module in network.modules():
        if isinstance(module, SameAveragePool):
            vars(module)["forward"] = partial(nn.AvgPool2d.forward, module)
    return network


def _layers(network: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def _backward(network: nn.Module, inputs: Tensor, targets: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Weights of the layers and the loss's gradients to them."""
    network.zero_grad()
    cross_entropy(network(inputs), targets).backward()
    return [(layer.weight.detach(), _gradient(layer.weight)) for layer in _layers(network)]


def _gradient(weight: Tensor) -> Tensor:
    return torch.zeros_like(weight) if weight.grad is None else weight.grad.detach().clone()


def _grad_norm(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    return sum(float(gradient.norm()) for _, gradient in _backward(network, inputs, targets))


def _plain(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    return sum(float((weight * gradient).sum()) for weight, gradient in _backward(network, inputs, targets))


def _snip(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """By the gradient to a mask of ones on every weight, through layers whose forward is replaced."""
    masks = []
    for layer in _layers(network):
        layer.weight.requires_grad_(False)
        layer.mask = nn.Parameter(torch.ones_like(layer.weight))
        layer.forward = _masked(layer)
        masks.append(layer.mask)
    cross_entropy(network(inputs), targets).backward()
    return sum(float(_gradient(mask).abs().sum()) for mask in masks)


def _masked(layer: nn.Conv2d | nn.Linear) -> Callable[[Tensor], Tensor]:
    if isinstance(layer, nn.Linear):
        return lambda features: linear(features, layer.weight * layer.mask, layer.bias)
    options = (layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups)
    return lambda features: conv2d(features, layer.weight * layer.mask, *options)


def _fisher(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """By an identity behind every layer, whose hooks keep the output and read the gradient."""
    layers = _layers(network)
    for layer in layers:
        layer.saliency, layer.identity, layer.plain_forward = 0.0, nn.Identity(), layer.forward
        layer.identity.register_full_backward_hook(_add_saliency(layer))
        layer.forward = _followed(layer)
    cross_entropy(network(inputs), targets).backward()
    return sum(float((layer.saliency * layer.weight[0].numel()).sum()) for layer in layers)


def _followed(layer: nn.Module) -> Callable[[Tensor], Tensor]:
    def forward(features: Tensor) -> Tensor:
        layer.output = layer.identity(layer.plain_forward(features))
        return layer.output

    return forward


def _add_saliency(layer: nn.Module) -> Callable[..., None]:
    def hook(_: nn.Module, __: tuple[Tensor, ...], gradients: tuple[Tensor, ...]) -> None:
        products = layer.output.detach() * gradients[0].detach()
        channels = products.sum(tuple(range(2, products.dim()))) if products.dim() > 2 else products
        layer.saliency = layer.saliency + channels.pow(2).mean(0).mul(0.5)

    return hook


def _input_gradients(network: nn.Module, inputs: Tensor) -> Tensor:
    """Rows of the gradient of the sum of logits to the inputs; gradients to the parameters are made too."""
    network.zero_grad()
    inputs.requires_grad_()
    logits = network(inputs)
    logits.backward(torch.ones_like(logits))
    return inputs.grad.detach().flatten(1)


def _jacob_cov(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    del targets
    correlation = np.corrcoef(_input_gradients(network, inputs).numpy().astype(np.float64))
    values, _ = np.linalg.eig(correlation)
    return -float(np.sum(np.log(values + 1e-5) + 1 / (values + 1e-5)).real)


def _epe_nas(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    rows = _input_gradients(network, inputs).numpy().astype(np.float64)
    total = 0.0
    for label in np.unique(targets.numpy()):
        correlation = np.corrcoef(rows[targets.numpy() == label])
        total += abs(float(np.sum(np.log(np.abs(correlation) + 1e-5))))
    return total


def _nwot(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """By hooks on every ReLU, each of which makes two products of matrices and adds them in NumPy."""
    kernel = np.zeros((len(targets), len(targets)))

    def add(_: nn.Module, given: tuple[Tensor, ...], __: Tensor) -> None:
        code = (given[0].flatten(1) > 0).float()
        np.add(kernel, (code @ code.T).numpy().astype(np.float64), out=kernel)
        np.add(kernel, ((1.0 - code) @ (1.0 - code.T)).numpy().astype(np.float64), out=kernel)

    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(add)
    with torch.no_grad():
        network(inputs)
    return float(np.linalg.slogdet(kernel)[1])


def _grasp(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """By two forward passes: one for the gradient, one for the product of it with the gradient's graph."""
    weights = [layer.weight for layer in _layers(network)]
    loss = cross_entropy(network(inputs), targets)
    fixed = torch.autograd.grad(loss, weights, materialize_grads=True)
    loss = cross_entropy(network(inputs), targets)
    graphed = torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True)
    product = sum(((before.detach() * now).sum() for before, now in zip(fixed, graphed, strict=True)))
    product.backward(inputs=list(network.parameters()))  # torch warns of a leak if the graph is to stay in .grad
    return sum(float((-weight.detach() * _gradient(weight)).sum()) for weight in weights)


def _zico(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """By gradients of both halves of the minibatch, kept in NumPy."""
    halves = zip(inputs.tensor_split(2), targets.tensor_split(2), strict=True)
    gradients = [[each.numpy() for _, each in _backward(network, *half)] for half in halves]
    total = 0.0
    for layer in zip(*gradients, strict=True):
        both = np.stack(layer).astype(np.float64).reshape(2, -1)
        deviation = both.std(0)
        varying = deviation > 0
        if varying.any():
            total += math.log(np.sum(np.abs(both).mean(0)[varying] / deviation[varying]))
    return total


def _zen(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    del targets
    features: list[Tensor] = []
    network.last.register_forward_hook(lambda _, __, output: features.append(output))
    torch.manual_seed(seed_of("zen", 0))
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    before = torch.randn(inputs.shape, dtype=inputs.dtype)
    change = torch.randn(inputs.shape, dtype=inputs.dtype)
    with torch.no_grad():
        network(before)
        network(before + 0.01 * change)
    distance = (features[0] - features[1]).double().abs().sum((1, 2, 3)).mean()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    return math.log(distance) + sum(math.log(module.running_var.double().mean().sqrt()) for module in norms)


def _synflow(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    for parent in list(network.modules()):
        for name, module in parent.named_children():
            if isinstance(module, nn.BatchNorm2d):
                setattr(parent, name, nn.Identity())
    return _synflow_bn(network, inputs, targets)


def _synflow_bn(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    del targets
    network.double()
    for tensor in network.state_dict().values():
        tensor.abs_()
    network(torch.ones_like(inputs[:1], dtype=torch.float64)).sum().backward()
    return sum(float((layer.weight.detach() * _gradient(layer.weight)).abs().sum()) for layer in _layers(network))


SCORES: dict[str, Score] = {
    "grad_norm": _grad_norm,
    "snip": _snip,
    "plain": _plain,
    "fisher": _fisher,
    "jacob_cov": _jacob_cov,
    "epe_nas": _epe_nas,
    "nwot": _nwot,
    "grasp": _grasp,
    "zico": _zico,
    "zen": _zen,
    "synflow": _synflow,
    "synflow_bn": _synflow_bn,
}
