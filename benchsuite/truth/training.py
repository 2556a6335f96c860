"""One training of one architecture: how, and what is kept of it."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from benchsuite.core.errors import SuiteError
from benchsuite.core.identity import seed_of
from benchsuite.estimators.torchtools.layout import lay_channels_last

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from benchsuite.core.space import Space
    from benchsuite.data.images.minibatches import Images

CURVE = (0.25, 0.5, 1.0)  # shares of the steps after which a training is evaluated
_EVALUATED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class TrainingProtocol:
    """Stochastic gradient descent with Nesterov momentum; the rate rises linearly, then falls to 0 along a cosine.

    Attributes
    ----------
    steps
        Minibatches in a training, at least 4.
    batch
        Images in a minibatch, at least 2.
    lr
        Largest learning rate, above 0.
    momentum
        Nesterov momentum.
    weight_decay
        Decay of all weights.
    warmup
        Share of the steps in which the learning rate rises.
    smoothing
        Share of the target distribution that label smoothing spreads over all classes.
    """

    steps: int = 300
    batch: int = 64
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup: float = 0.2
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        for name, value, least in (("steps", self.steps, 4), ("batch", self.batch, 2)):
            if value < least:
                raise SuiteError(f"{name} = {value}; must be at least {least}")
        if self.lr <= 0:
            raise SuiteError(f"lr = {self.lr:g}; must be above 0")

    def rate(self, step: int) -> float:
        """Return the learning rate of a step.

        Parameters
        ----------
        step
            Number of the step, counted from 0.

        Examples
        --------
        >>> [round(TrainingProtocol(steps=5, lr=1.0).rate(step), 2) for step in range(5)]
        [1.0, 1.0, 0.85, 0.5, 0.15]
        """
        rising = max(1, round(self.warmup * self.steps))
        if step < rising:
            return self.lr * (step + 1) / rising
        return self.lr * (1 + math.cos(math.pi * (step - rising) / (self.steps - rising))) / 2

    def evaluated_after(self) -> tuple[int, ...]:
        """Return the numbers of steps after which the network is evaluated: the learning curve.

        Examples
        --------
        >>> TrainingProtocol(steps=300).evaluated_after()
        (75, 150, 300)
        """
        return tuple(round(share * self.steps) for share in CURVE)


@dataclass(frozen=True, slots=True)
class Point:
    """A row of the ground truth: how good a network was after some steps.

    On the training split, accuracy and loss are means over the steps since the point before.

    Attributes
    ----------
    epochs
        Number of steps: the column of a ground-truth table that says how long a training was.
    split
        "train" or "test".
    accuracy
        In percent.
    loss
        Mean cross-entropy.
    """

    epochs: int
    split: str
    accuracy: float
    loss: float


@dataclass(frozen=True, slots=True)
class TrainedArchitecture:
    """What is kept of a training.

    Attributes
    ----------
    points
        Its learning curve.
    cpu_seconds
        What it took.
    """

    points: tuple[Point, ...]
    cpu_seconds: float


def train(
    space: Space, architecture: str, images: Images, protocol: TrainingProtocol, seed: int, *, device: str = "cpu"
) -> TrainedArchitecture:
    """Train an architecture from scratch.

    Parameters
    ----------
    space
        Search space of the architecture, with the sizes of its networks.
    architecture
        What is trained.
    images
        What it is trained and tested on.
    protocol
        How it is trained.
    seed
        Initialisation and order of the images depend only on seed and architecture.
    device
        Where the network is trained.

    Examples
    --------
    >>> from benchsuite.data.images.minibatches import load_images
    >>> from benchsuite.core.registry import make_space
    >>> cell = "|skip_connect~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
    >>> space = make_space("nasbench201", {"channels": 2, "cells": 1})
    >>> protocol = TrainingProtocol(steps=4, batch=8)
    >>> [point.epochs for point in train(space, cell, load_images("digits"), protocol, 0).points]
    [1, 1, 2, 2, 4, 4]
    """
    start = time.process_time()
    with _seeded(seed_of("truth", seed, architecture)), _one_fast_thread():
        network = space.build(architecture, images.dataset).to(device)
        lay_channels_last(network)
        points = tuple(_curve(network, images, protocol))
    return TrainedArchitecture(points, time.process_time() - start)


def _curve(network: nn.Module, images: Images, protocol: TrainingProtocol) -> Iterator[Point]:
    device = next(network.parameters()).device
    test = _Split(images, images.test_inputs, images.test_targets, device)
    seen: list[tuple[float, float]] = []
    training = _Split(images, images.train_inputs, images.train_targets, device)
    for step, loss_and_accuracy in enumerate(_steps(network, training, protocol), start=1):
        seen.append(loss_and_accuracy)
        if step in protocol.evaluated_after():
            loss, accuracy = (sum(values) / len(seen) for values in zip(*seen, strict=True))
            yield Point(step, "train", 100 * accuracy, loss)
            loss, accuracy = _evaluate(network, test)
            yield Point(step, "test", 100 * accuracy, loss)
            seen = []


class _Split:
    """Images as tensors on a device; they are normalised when drawn, so that large sets stay small in memory."""

    def __init__(self, images: Images, inputs: object, targets: object, device: torch.device) -> None:
        self.inputs, self.targets = (torch.as_tensor(values, device=device) for values in (inputs, targets))
        self._mean, self._deviation = (
            torch.tensor(values, device=device).view(1, -1, 1, 1) for values in (images.mean, images.deviation)
        )

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, chosen: Tensor | slice) -> tuple[Tensor, Tensor]:
        inputs = (self.inputs[chosen].float() - self._mean) / self._deviation
        return inputs.contiguous(memory_format=torch.channels_last), self.targets[chosen]


def _steps(network: nn.Module, data: _Split, protocol: TrainingProtocol) -> Iterator[tuple[float, float]]:
    """Make one step after the other; yield loss and accuracy on its minibatch."""
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=protocol.lr,
        momentum=protocol.momentum,
        weight_decay=protocol.weight_decay,
        nesterov=protocol.momentum > 0,
        fused=True,
    )
    for step, chosen in enumerate(_order(len(data), protocol)):
        optimiser.param_groups[0]["lr"] = protocol.rate(step)
        inputs, targets = data[chosen]
        network.train()
        optimiser.zero_grad()
        logits = network(inputs)
        loss = functional.cross_entropy(logits, targets, label_smoothing=protocol.smoothing)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
        yield loss.item(), (logits.detach().argmax(1) == targets).float().mean().item()


def _order(images: int, protocol: TrainingProtocol) -> Iterator[Tensor]:
    """Yield positions of the images of each minibatch: passes over all images in random order, cut into minibatches."""
    wanted = protocol.steps * protocol.batch
    passes = [torch.randperm(images) for _ in range(-(-wanted // images))]
    order = torch.cat(passes)[:wanted]
    yield from order.view(protocol.steps, protocol.batch)


@torch.no_grad()
def _evaluate(network: nn.Module, data: _Split) -> tuple[float, float]:
    """Return mean loss and accuracy, with the running statistics of batch normalisation."""
    network.eval()
    loss = correct = 0.0
    for start in range(0, len(data), _EVALUATED_AT_ONCE):
        inputs, targets = data[slice(start, start + _EVALUATED_AT_ONCE)]
        logits = network(inputs)
        loss += functional.cross_entropy(logits, targets, reduction="sum").item()
        correct += (logits.argmax(1) == targets).sum().item()
    return loss / len(data), correct / len(data)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Start torch's CPU random state at the seed inside the block, and restore it afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def _one_fast_thread() -> Iterator[None]:
    """Use one thread inside the block, because trainings run side by side; make denormal numbers, slow ones, zeros."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
