"""Small networks of every kind that the probe must cope with, and minibatches for them."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn import functional

from benchsuite.estimators.zero_shot.scoring import probe_network

KINDS = ["batch norm", "group norm", "no norm", "in-place modules", "in-place functions"]  # of MAKERS, with maps


class InPlace(nn.Module):
    """Changes its input and the outputs of its layers in place, by functions."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Linear(4, 5)

    def forward(self, images):
        images.mul_(2)
        features = functional.relu_(self.first(images))
        output = self.second(features)
        output += features
        return self.last(functional.relu(output, inplace=True).mean((2, 3)))


class Tokens(nn.Module):
    """Linear layers on sequences, layer normalisation, GELU, dropout."""

    def __init__(self):
        super().__init__()
        self.embed, self.norm = nn.Conv2d(3, 6, 4, stride=4), nn.LayerNorm(6)
        self.inner, self.last = nn.Linear(6, 6), nn.Linear(6, 5)
        self.drop = nn.Dropout(0.3)

    def forward(self, images):
        tokens = self.embed(images).flatten(2).transpose(1, 2)
        tokens = tokens + self.drop(functional.gelu(self.inner(self.norm(tokens))))
        return self.last(tokens.mean(1))


class Blind(nn.Module):
    """No path joins its inputs and its logits, which are the classifier's biases."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.last = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(4, 5)

    def forward(self, images):
        return self.last(self.relu(self.conv(images)).mean((2, 3)) * 0)


class Detached(nn.Module):
    """Its logits have no graph at all."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU()

    def forward(self, images):
        self.relu(self.conv(images))
        return images.new_ones(len(images), 5)


def normalised(norm):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        norm(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, stride=2, padding=1),
        norm(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


def in_place_modules():
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(6, 6, 3), nn.ReLU(inplace=True), nn.Flatten(),
        nn.Linear(6 * 36, 5),
    )  # fmt: skip


MAKERS = {
    "batch norm": lambda: normalised(nn.BatchNorm2d),
    "group norm": lambda: normalised(lambda channels: nn.GroupNorm(2, channels)),
    "no norm": lambda: normalised(lambda channels: nn.Identity()),
    "in-place modules": in_place_modules,
    "in-place functions": InPlace,
    "tokens": Tokens,
}


def make(kind, dtype=torch.float64, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return MAKERS[kind]().to(dtype)


def batch(number=6, dtype=torch.float64, seed=1):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(number, 3, 8, 8, generator=generator, dtype=torch.float64).to(dtype)
    return inputs, torch.arange(number) % 5


def score(estimator, network, images, **options):
    """Return the score of one estimator; its exception is raised."""
    [outcome] = probe_network(network, *images, [estimator], **options)
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


def golden_network(*, norm):
    """Return the network whose scores by public code are stored in shared/golden."""

    def block(inputs, outputs, kernel, stride):
        conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=not norm)
        return [conv, *([nn.BatchNorm2d(outputs)] if norm else []), nn.ReLU()]

    layers = [*block(3, 8, 3, 1), *block(8, 16, 3, 2), *block(16, 16, 3 if norm else 1, 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)).double()


def gradients(network, scalar):
    """Return the gradient of a function of a copy of the network to each Conv2d and Linear weight."""
    copied = copy.deepcopy(network).train()
    scalar(copied).backward()
    layers = [layer for layer in copied.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    return [layer.weight.grad.numpy() for layer in layers]


def loss_gradients(network, inputs, targets):
    return gradients(network, lambda copied: functional.cross_entropy(copied(inputs.clone()), targets))


def linear(features=192, classes=5):
    return nn.Sequential(nn.Flatten(), nn.Linear(features, classes, bias=False)).double()


def sum_of_logits(logits, targets):
    return logits.sum()
