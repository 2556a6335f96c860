"""How a supernet is trained: the hyperparameters, and the updates of one epoch after the other."""

from __future__ import annotations

import copy
import math
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain, count, islice
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.core.identity import seed_of
from benchsuite.core.types import Dataset
from benchsuite.estimators.one_shot.mitigations import check_mitigation, copies, copy_of, mitigation_words
from benchsuite.estimators.one_shot.sampling import sampler
from benchsuite.estimators.one_shot.stabiliser import STARTS, substitutes
from benchsuite.estimators.supernets.split import Split, augmented
from benchsuite.estimators.torchtools.layout import lay_channels_last
from benchsuite.estimators.torchtools.memory import forget_peak, peak_memory
from benchsuite.estimators.torchtools.preserve import seeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor, nn

    from benchsuite.core.space import Space
    from benchsuite.core.supernet import Supernet
    from benchsuite.data.images.minibatches import Images
    from benchsuite.estimators.one_shot.sampling import Population
    from benchsuite.estimators.one_shot.stages import StagedTrainer

_SCHEDULES = ("cosine", "plateau")
_ACCUMULATIONS = ("mean", "sum")
_TIMED = 5  # updates from which the time of an epoch is estimated


@dataclass(frozen=True, slots=True)
class Training:
    """Hyperparameters of a supernet's training by stochastic gradient descent with Nesterov momentum.

    Defaults are for small runs. The published protocol (Ning et al., NeurIPS 2021) on NAS-Bench-201 is 1,000 to 1,400
    epochs of 40,000 images, batches of 512, rate 0.05, plateau schedule, one architecture an update.

    Parameters
    ----------
    epochs
        Passes over the training images.
    images
        Training images; 0 = four fifths of the image set's training split, all that may be used.
    batch
        Images in an update; the last ones of an epoch that fill no batch are left out.
    lr, momentum, weight_decay
        Of the optimiser.
    schedule
        "cosine" to 0, or "plateau": halved when the mean training loss has not fallen for 30 epochs.
    clip
        Largest norm of an update's gradient; 0 = any.
    augmentation
        "crop+flip" (pad 4 and crop, mirror half of them), "crop" or "none".
    shrink
        Images are averaged over squares of so many pixels a side before anything else.
    sampling
        "uniform", "class" or "fair" architectures, see `sampler`.
    architectures
        How many in an update; "fair" has its own number.
    accumulation
        Gradients of several architectures: "mean" over those that use a weight, or "sum" (FairNAS).
    stabiliser
        What stands for skip connections: "none", "skip" (SCARLET's ELS) or "skip+pool".
    stabiliser_start
        How its weights begin: "identity", or "he" as in SCARLET, see `ELS`.
    kept
        Checkpoints kept at equal distances, the last epoch's included, in each stage.
    tuning
        Epochs after the shared ones, for one of the following three; see `mitigations`.
    tuning_lr
        Learning rate with which they begin.
    split
        Position of an operation: a copy of the weights is tuned for each operation there, on architectures with it.
    keep
        Share of the best of some drawn architectures, on which the weights are tuned.
    drop
        Number of operations that come worst at each position, without which the weights are tuned.
    """

    epochs: int = 40
    images: int = 0
    batch: int = 128
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: str = "cosine"
    clip: float = 5.0
    augmentation: str = "crop+flip"
    shrink: int = 1
    sampling: str = "uniform"
    architectures: int = 1
    accumulation: str = "mean"
    stabiliser: str = "none"
    stabiliser_start: str = "identity"
    kept: int = 4
    tuning: int = 0
    tuning_lr: float = 0.01
    split: int | None = None
    keep: float = 1.0
    drop: int = 0

    def check(self) -> None:
        """Return nothing for values that make a training; SuiteError says what is wrong with others."""
        if self.schedule not in _SCHEDULES:
            raise UnknownNameError("schedule", self.schedule, _SCHEDULES)
        if self.accumulation not in _ACCUMULATIONS:
            raise UnknownNameError("accumulation", self.accumulation, _ACCUMULATIONS)
        if self.stabiliser_start not in STARTS:
            raise UnknownNameError("stabiliser start", self.stabiliser_start, STARTS)
        for name in ("epochs", "batch", "lr", "shrink", "architectures", "kept", "tuning_lr"):
            if not getattr(self, name) > 0:
                raise SuiteError(f"training: {name} = {getattr(self, name)}; choose a positive number")
        check_mitigation(self)

    @property
    def last_epoch(self) -> int:
        """Number of the last epoch of all."""
        return self.epochs + self.tuning

    def shared_stage(self) -> Training:
        """The training that ends with the shared epochs."""
        return replace(self, tuning=0, tuning_lr=Training().tuning_lr, split=None, keep=1.0, drop=0)

    def kept_epochs(self) -> list[int]:
        """Epochs after which a checkpoint is kept.

        Examples
        --------
        >>> Training(epochs=10, kept=4).kept_epochs()
        [3, 5, 8, 10]
        >>> Training(epochs=10, kept=2, tuning=4, split=0).kept_epochs()
        [5, 10, 12, 14]
        """
        stages = ((0, self.epochs), (self.epochs, self.tuning))
        parts = range(1, self.kept + 1)
        return sorted({first + math.ceil(number * part / self.kept) for first, number in stages for part in parts})

    def words(self, images: int, side: int) -> str:
        """How the supernet is trained, for a report; `images` there are to train with, of `side` pixels."""
        paths = "rounds" if self.sampling == "fair" else f"{self.architectures} an update"
        stabiliser = ""
        if self.stabiliser != "none":
            stabiliser = f", stabilised {self.stabiliser.replace('+', ' and ')}s that begin as {self.stabiliser_start}"
        return (
            f"{self.epochs} epochs of {self.images or images:,} images of side {side // self.shrink}, "
            f"batch {self.batch}, augmentation {self.augmentation}, rate {self.lr:g} ({self.schedule}), "
            f"weight decay {self.weight_decay:g}; {self.sampling} architectures, {paths}{stabiliser}"
            + mitigation_words(self)
        )

    def dataset(self, data: Dataset) -> Dataset:
        """The data set as supernets see it, of shrunken images."""
        return Dataset(data.name, data.classes, data.channels, data.size // self.shrink)

    def supernet(self, space: Space, data: Dataset) -> Supernet:
        """The untrained supernet, initialised from torch's current random state."""
        return space.supernet(self.dataset(data), substitute=substitutes(self.stabiliser, space, self.stabiliser_start))

    def trainer(self, space: Space, images: Images, seed: int, device: str = "cpu") -> StagedTrainer:
        """A trainer at its beginning."""
        from benchsuite.estimators.one_shot.stages import StagedTrainer  # noqa: PLC0415 - it is made of this module

        return StagedTrainer(space, images, self, seed, device)

    def check_space(self, space: Space, data: Dataset) -> None:
        """Return nothing for a space on which the training works; the error says what is lacking."""
        sampler(self.sampling, space, seed=0)
        copies(self, space)
        self.supernet(space, data)

    def copy_of(self, space: Space, architecture: str) -> str:
        """Name of the copy of the weights that an architecture uses."""
        return copy_of(self, space, architecture)


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch left.

    Mean training loss and accuracy (percent) of the sampled architectures, learning rate, CPU seconds, and the largest
    memory in MiB that the process (on an accelerator: its tensors) held above what it held when the epoch began, NaN
    where it is not known.
    """

    epoch: int
    loss: float
    accuracy: float
    lr: float
    cpu_seconds: float
    peak_memory: float = math.nan


class Trainer:
    """A supernet in training: an epoch at a time, its whole state between two of them in `state_dict`.

    All that is random in an epoch depends on the seed and the epoch's number, so that a training that goes on from
    its state gives the weights of one that was never stopped, bit for bit.
    """

    def __init__(self, space: Space, images: Images, training: Training, seed: int, device: str = "cpu") -> None:
        training.check()
        self._split = Split.training(images, training.images, training.shrink, device)
        if len(self._split) < training.batch:
            raise SuiteError(
                f"training: batch = {training.batch}, but there are {len(self._split)} images; choose fewer"
            )
        with seeded(seed_of("supernet", seed), torch.device("cpu")):
            self.supernet = training.supernet(space, images.dataset)
        lay_channels_last(self.supernet.to(device))
        self.begin(training, space, seed)

    def begin(self, training: Training, space: Population, seed: int) -> None:
        """Forget all but images and weights, and train on a space, or a part of it, from the first epoch on."""
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
        """Everything that the next epoch depends on, and the curve so far."""
        return {
            "supernet": self.supernet.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "plateau": self._plateau.state_dict(),
            "curve": [asdict(point) for point in self.curve],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.supernet.load_state_dict(state["supernet"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._plateau.load_state_dict(state["plateau"])
        self.curve = [Epoch(**point) for point in state["curve"]]

    def fork(self, training: Training, space: Population, seed: int) -> Trainer:
        """A trainer that begins with a copy of these weights, on another space of the same supernet."""
        forked = copy.copy(self)  # the images are the same
        forked.supernet = copy.deepcopy(self.supernet)
        forked.begin(training, space, seed)
        return forked

    def coming(self, number: int) -> list[str]:
        """Different ones of the next so many architectures that the updates after the last epoch would use."""
        updates = count(self.epoch * self.updates_an_epoch)
        return list(dict.fromkeys(islice(chain.from_iterable(map(self._sampled, updates)), number)))

    def run_epoch(self) -> Epoch:
        """One pass over the training images."""
        start, number = time.process_time(), self.epoch
        held = forget_peak(self._split.device)
        self.supernet.train()
        seen: list[tuple[float, float]] = []
        with seeded(seed_of("epoch", self.seed, number), self._split.device):
            batches = self._split.batches(self.training.batch, seed_of("images", self.seed, number))
            for step, (inputs, targets) in enumerate(batches):
                varied = augmented(inputs, self.training.augmentation)
                seen.append(self._update(number * self.updates_an_epoch + step, varied, targets))
        loss, accuracy = (math.fsum(values) / len(seen) for values in zip(*seen, strict=True))
        self._plateau.step(loss)
        lr = float(self._optimiser.param_groups[0]["lr"])
        seconds, memory = time.process_time() - start, peak_memory(self._split.device) - held
        self.curve.append(Epoch(number + 1, loss, 100 * accuracy, lr, seconds, memory))
        return self.curve[-1]

    def after_update(self, number: int, architectures: Sequence[str]) -> None:
        """What a derived class does after an update with these architectures; random state and weights must stay."""

    @property
    def updates_an_epoch(self) -> int:
        """Number of updates in an epoch."""
        return len(self._split) // self.training.batch

    def seconds_an_epoch(self) -> float:
        """CPU seconds of an epoch, from a few updates, after which the trainer is of no other use."""
        inputs, targets = next(self._split.batches(self.training.batch, seed=0))
        start = time.process_time()
        for number in range(_TIMED):
            self._update(number, augmented(inputs, self.training.augmentation), targets)
        return (time.process_time() - start) / _TIMED * self.updates_an_epoch

    def _activates_weights(self, architecture: str) -> bool:
        """Whether the architecture chooses operations with weights; Ning et al. train no other. It is activated."""
        self.supernet.activate(architecture)
        return any(True for module in self.supernet.active_choices() for _ in module.parameters())

    def _update(self, number: int, inputs: Tensor, targets: Tensor) -> tuple[float, float]:
        """Mean loss and accuracy of the architectures of one update."""
        if self.training.schedule == "cosine":
            progress = number / (self.updates_an_epoch * self.training.epochs)
            self._optimiser.param_groups[0]["lr"] = self.training.lr * (1 + math.cos(math.pi * progress)) / 2
        self._optimiser.zero_grad(set_to_none=True)
        architectures = self._sampled(number)
        averaged = len(architectures) > 1 and self.training.accumulation == "mean"
        losses, right = [], []
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
