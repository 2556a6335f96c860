"""The updates of a supernet that is trained by paths, one epoch after the other."""

from __future__ import annotations

import copy
import math
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain, count, islice
from typing import TYPE_CHECKING, Any, Self

import torch
from torch.nn import functional

from benchsuite.core.errors import SuiteError
from benchsuite.core.identity import seed_of
from benchsuite.estimators.one_shot.sampling import sampler
from benchsuite.estimators.supernets.building import build_seeded
from benchsuite.estimators.supernets.epoch import Epoch
from benchsuite.estimators.supernets.split import Split, augmented
from benchsuite.estimators.torchtools.memory import forget_peak, peak_memory
from benchsuite.estimators.torchtools.preserve import seeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor, nn

    from benchsuite.core.space import Space
    from benchsuite.data.images.minibatches import Images
    from benchsuite.estimators.one_shot.sampling import Domain
    from benchsuite.estimators.one_shot.settings import PathSettings

_TIMED = 5  # updates from which the time of an epoch is estimated


class PathTrainer:
    """A supernet in training by paths: an epoch at a time, its whole state between two of them in `state_dict`.

    All that is random in an epoch depends on the seed and the epoch's number, so that a training that goes on from
    its state gives the weights of one that was never stopped, bit for bit.

    Parameters
    ----------
    space
        Search space.
    images
        Training images.
    training
        Hyperparameters.
    seed
        Seed of the training.
    device
        Where the supernet is trained.

    Raises
    ------
    SuiteError
        If there are too few images for a batch, or hyperparameters do not make a training.
    """

    def __init__(self, space: Space, images: Images, training: PathSettings, seed: int, device: str = "cpu") -> None:
        training.check()
        self._split = Split.training(images, training.images, training.shrink, device)
        if len(self._split) < training.batch:
            raise SuiteError(
                f"training: batch = {training.batch}, but there are only {len(self._split)} training images; choose a "
                "smaller batch"
            )
        self.supernet = build_seeded(lambda: training.supernet(space, images.dataset), seed, device)
        self.begin(training, space, seed)

    def begin(self, training: PathSettings, space: Domain, seed: int) -> None:
        """Forget everything but images and weights, and train from the first epoch on.

        Parameters
        ----------
        training
            Hyperparameters.
        space
            The space, or the part of it, that architectures are sampled from.
        seed
            Seed of all that is random in an epoch.
        """
        self.training = training
        self.seed = seed
        self.curve: list[Epoch] = []
        self._parameters = list(self.supernet.parameters())
        self._optimiser = torch.optim.SGD(
            self._parameters, training.lr, training.momentum, weight_decay=training.weight_decay, nesterov=True
        )
        self._plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(self._optimiser, factor=0.5, patience=30)
        self._sampled = sampler(
            training.sampling, space, seed, number=training.architectures, accept=self._activates_weights
        )

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.curve)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next epoch depends on, and the curve so far."""
        return {
            "supernet": self.supernet.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "plateau": self._plateau.state_dict(),
            "curve": [asdict(point) for point in self.curve],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Parameters
        ----------
        state
            What `state_dict` returned.
        """
        self.supernet.load_state_dict(state["supernet"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._plateau.load_state_dict(state["plateau"])
        self.curve = [Epoch(**point) for point in state["curve"]]

    def fork(self, training: PathSettings, space: Domain, seed: int) -> Self:
        """Return a trainer that begins with a copy of these weights.

        Parameters
        ----------
        training
            Its hyperparameters.
        space
            The space, or the part of it, that it samples architectures from.
        seed
            Seed of all that is random in its epochs.

        Returns
        -------
        PathTrainer
            At its beginning.
        """
        forked = copy.copy(self)  # the images are the same
        forked.supernet = copy.deepcopy(self.supernet)
        forked.begin(training, space, seed)
        return forked

    def upcoming(self, number: int) -> list[str]:
        """Return the architectures that the updates after the last epoch would use.

        Parameters
        ----------
        number
            How many are sampled.

        Returns
        -------
        list
            Architecture strings, each once.
        """
        updates = count(self.epoch * self.updates_per_epoch)
        return list(dict.fromkeys(islice(chain.from_iterable(map(self._sampled, updates)), number)))

    def run_epoch(self) -> Epoch:
        """Train for one pass over the training images, and return what it left behind."""
        start, number = time.process_time(), self.epoch
        held = forget_peak(self._split.device)
        self.supernet.train()
        seen: list[tuple[float, float]] = []
        with seeded(seed_of("epoch", self.seed, number), self._split.device):
            batches = self._split.batches(self.training.batch, seed_of("images", self.seed, number))
            for step, (inputs, targets) in enumerate(batches):
                varied = augmented(inputs, self.training.augmentation)
                seen.append(self._update(number * self.updates_per_epoch + step, varied, targets))
        loss, accuracy = (math.fsum(values) / len(seen) for values in zip(*seen, strict=True))
        self._plateau.step(loss)
        lr = float(self._optimiser.param_groups[0]["lr"])
        seconds, memory = time.process_time() - start, peak_memory(self._split.device) - held
        self.curve.append(Epoch(number + 1, loss, 100 * accuracy, lr, seconds, memory))
        return self.curve[-1]

    def after_update(self, number: int, architectures: Sequence[str]) -> None:
        """Observe an update; a derived class must leave random state and weights as they are.

        Parameters
        ----------
        number
            Number of the update in the training.
        architectures
            Those that it used.
        """

    @property
    def updates_per_epoch(self) -> int:
        """Number of updates in an epoch."""
        return len(self._split) // self.training.batch

    def seconds_per_epoch(self) -> float:
        """Return the CPU seconds of an epoch, from a few updates, after which the trainer is of no other use."""
        inputs, targets = next(self._split.batches(self.training.batch, seed=0))
        start = time.process_time()
        for number in range(_TIMED):
            self._update(number, augmented(inputs, self.training.augmentation), targets)
        return (time.process_time() - start) / _TIMED * self.updates_per_epoch

    def _activates_weights(self, architecture: str) -> bool:
        """Return whether the architecture has operations with weights (Ning et al. train no others); activate it."""
        self.supernet.activate(architecture)
        return any(True for module in self.supernet.active_choices() for _ in module.parameters())

    def _update(self, number: int, inputs: Tensor, targets: Tensor) -> tuple[float, float]:
        """Make one update, and return the mean loss and the mean share of correct images of its architectures."""
        if self.training.schedule == "cosine":  # lr (1 + cos(pi t / T)) / 2 in update t of T
            progress = number / (self.updates_per_epoch * self.training.epochs)
            self._optimiser.param_groups[0]["lr"] = self.training.lr * (1 + math.cos(math.pi * progress)) / 2
        self._optimiser.zero_grad(set_to_none=True)
        architectures = self._sampled(number)
        averaged = len(architectures) > 1 and self.training.accumulation == "mean"
        losses: list[Tensor] = []
        right: list[Tensor] = []
        with _averaged_gradients(self._parameters if averaged else []):
            for architecture in architectures:
                self.supernet.activate(architecture)
                logits = self.supernet(inputs)
                loss = functional.cross_entropy(logits, targets)
                loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
                losses.append(loss.detach())
                right.append((logits.detach().argmax(1) == targets).float().mean())
        if self.training.clip:
            torch.nn.utils.clip_grad_norm_(self._parameters, self.training.clip)
        self._optimiser.step()
        self.after_update(number, architectures)
        return float(torch.stack(losses).mean()), float(torch.stack(right).mean())


@contextmanager
def _averaged_gradients(parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    """Divide gradients that add up inside by the number of backward passes that reached the parameter."""
    counts: Counter[nn.Parameter] = Counter()
    handles = [
        each.register_post_accumulate_grad_hook(lambda reached: counts.update([reached]))  # type: ignore[no-untyped-call]  # torch has no type for it
        for each in parameters
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
    for parameter, reached in counts.items():
        if reached > 1 and parameter.grad is not None:
            parameter.grad /= reached
