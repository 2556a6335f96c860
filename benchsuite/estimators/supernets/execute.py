"""What a worker process runs for one-shot estimators: a training to its end, then readings of a chunk of architectures.

Trainings lie beside the store, each in a folder named by its key.
"""

from __future__ import annotations

import math
import threading
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import torch

from benchsuite.core import registry
from benchsuite.core.errors import UnsupportedError
from benchsuite.core.identity import digest
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.execute import one_thread, score_of
from benchsuite.estimators.one_shot.estimators import OneShotEstimator
from benchsuite.estimators.one_shot.mitigations import SHARED
from benchsuite.estimators.supernets.folder import TrainingFolder
from benchsuite.estimators.torchtools.layout import lay_channels_last
from benchsuite.estimators.zero_shot.scoring import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.sequences import T
    from benchsuite.core.space import Space
    from benchsuite.core.supernet import Supernet
    from benchsuite.core.types import Dataset, Score
    from benchsuite.estimators.one_shot.training import Epoch
    from benchsuite.estimators.supernets.protocols import Reader, Readout, SupernetTrainer, SupernetTraining

VERSION = 1  # grows when trainings would end with other weights, so that none of the old kind is taken for a new one


@dataclass(frozen=True, slots=True)
class TrainingTask:
    """One training of a supernet: all that determines its weights.

    Attributes
    ----------
    space, sizes
        Registered name of the search space and the sizes of its networks.
    images
        Name of the image set, or a path.
    """

    space: str
    sizes: Mapping[str, int] = field(hash=False)
    images: str
    training: SupernetTraining
    seed: int

    def recipe(self) -> dict[str, Any]:
        """Everything that determines the weights."""
        return {
            "supernet": VERSION,
            "space": self.space,
            "sizes": dict(self.make_space().sizes),
            "images": load_images(self.images).digest,
            "training": asdict(self.training),
            "seed": self.seed,
            "dtype": "float32",
        }

    @property
    def key(self) -> str:
        """Identity of the training."""
        return digest(self.recipe())

    def folder(self, root: str) -> TrainingFolder:
        """Its files, in the folder of all trainings."""
        return TrainingFolder(Path(root) / self.key)

    def finished(self, root: str) -> bool:
        """Whether it has come to its last epoch."""
        return self.folder(root).finished(self.training.last_epoch)

    def make_space(self) -> Space:
        """The space with the task's sizes."""
        return registry.make_space(self.space, self.sizes)

    def trainer(self, device: str = "cpu") -> SupernetTrainer:
        """A trainer at its beginning."""
        return self.training.trainer(self.make_space(), load_images(self.images), self.seed, device)

    def run(self, root: str, device: str = "cpu", advance: Callable[[Epoch], None] = lambda _: None) -> None:
        """Train to the end, from wherever an earlier process was stopped.

        A training with a second stage begins from one of its shared epochs alone, if that is finished: with the
        checkpoints and the curve, costs included, that it would have made itself.
        """
        with one_thread():
            self.folder(root).run(self.trainer(device), self.recipe(), advance, begun=self._begun(root))

    @property
    def dataset(self) -> Dataset:
        """Shape and classes of the images before they are shrunken."""
        return load_images(self.images).dataset

    def supernet(self, states: Sequence[Mapping[str, Tensor]] = (), device: str = "cpu") -> Supernet:
        """The supernet with the mean of some states, or untrained."""
        supernet = self.training.supernet(self.make_space(), self.dataset)
        if states:
            supernet.load_state_dict(mean_state(states))
        lay_channels_last(supernet.to(device))
        return supernet

    def estimate(self, root: str) -> float:
        """CPU seconds to the last epoch, from timing a few updates."""
        begun = self._begun(root)
        done = len(self.folder(root).curve() or (begun.curve() if begun else []))
        with one_thread():
            return self.trainer().seconds_to_go(done)

    def _begun(self, root: str) -> TrainingFolder | None:
        """The folder of a finished training of the shared epochs alone."""
        shared = replace(self, training=self.training.shared_stage())
        return shared.folder(root) if shared != self and shared.finished(root) else None


def mean_state(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Mean of each floating-point tensor over some states; other tensors are those of the last.

    Examples
    --------
    >>> mean_state([{"weight": torch.zeros(1)}, {"weight": torch.ones(1)}])["weight"].item()
    0.5
    """
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[-1].items()
    }


@dataclass(frozen=True, slots=True)
class ReadTask:
    """What a chunk of architectures shares: trainings, and estimators that read the same of them.

    Attributes
    ----------
    sources
        Trainings that differ in their seeds alone; scores are means over their supernets.
    root
        Folder of all trainings.
    estimators
        Names and hyperparameters; they differ in nothing but what they make of a reading.
    """

    sources: tuple[TrainingTask, ...]
    root: str
    estimators: tuple[tuple[str, Mapping[str, Any]], ...]
    device: str = "cpu"
    plugins: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What tasks have in common that take about the same time for an architecture."""
        return repr((self.space, self.sizes, self.sources[0].training, self.estimators))

    @property
    def space(self) -> str:
        """Registered name of the search space."""
        return self.sources[0].space

    @property
    def sizes(self) -> Mapping[str, int]:
        """Sizes of the space's networks."""
        return self.sources[0].sizes

    @property
    def dataset(self) -> Dataset:
        """Shape and classes of the images before they are shrunken."""
        return self.sources[0].dataset

    def scores(self, architectures: Sequence[str]) -> list[tuple[int, Score]]:
        """Scores with the positions of their estimators; an exception becomes failed scores with its reason."""
        estimators = self._made()
        with one_thread():
            found = self._readings(estimators[0], architectures)
        return [
            (index, score_of(architecture, _outcome(estimator, readings)))
            for architecture, readings in zip(architectures, found, strict=True)
            for index, estimator in enumerate(estimators)
        ]

    def for_one(self, architecture: str) -> ReadTask:
        """The task itself: nothing in it belongs to single architectures."""
        return self

    def estimate(self, architecture: str) -> float:
        """CPU seconds to read one architecture, from reading it of an untrained supernet."""
        estimator, source = self._made()[0], self.sources[0]
        with one_thread():
            seconds = estimator.reader(source, (), self.device).readings([architecture])[0].cpu_seconds
        return seconds * len(self.sources) * len(estimator.strings(source.make_space(), architecture))

    def _made(self) -> list[OneShotEstimator]:
        for plugin in self.plugins:
            registry.load_plugin(plugin)
        return [_one_shot(name, parameters) for name, parameters in self.estimators]

    def _readings(
        self, estimator: OneShotEstimator, architectures: Sequence[str]
    ) -> list[list[Readout | Exception] | Exception]:
        """What is read for each architecture: by each supernet, of each string that counts."""
        wanted = [_attempted(partial(self._wanted, estimator, architecture)) for architecture in architectures]
        strings = {name: copy for named in wanted if isinstance(named, dict) for name, copy in named.items()}
        found = [self._read(source, estimator, strings) for source in self.sources]
        return [
            [readings[name] for readings in found for name in named] if isinstance(named, dict) else named
            for named in wanted
        ]

    def _wanted(self, estimator: OneShotEstimator, architecture: str) -> dict[str, str]:
        """The strings that are read for an architecture, and the names of the copies that lend them weights."""
        space = self.sources[0].make_space()
        return {name: estimator.copy_of(space, name) for name in estimator.strings(space, architecture)}

    def _read(
        self, source: TrainingTask, estimator: OneShotEstimator, strings: Mapping[str, str]
    ) -> dict[str, Readout | Exception]:
        """What one supernet says of some strings, given with their copies; if one of them fails, each is read alone."""
        found: dict[str, Readout | Exception] = {}
        try:
            for copy in sorted(set(strings.values())):
                read = _trained(source, estimator, copy, self.root, self.device, threading.get_ident()).readings
                found |= _each(read, [name for name, of in strings.items() if of == copy])
        except Exception as error:  # the training may have failed
            return dict.fromkeys(strings, error)
        return found


@lru_cache(maxsize=1)
def _trained(
    source: TrainingTask, estimator: OneShotEstimator, copy: str, root: str, device: str, _thread: int
) -> Reader:
    """What reads one copy of a trained supernet; the last is kept, for a search reads few architectures at a time.

    Threads share none: an architecture is activated in place.
    """
    kept = [source.folder(root).weights(epoch) for epoch in estimator.epochs()]
    states = [copies[copy if copy in copies else SHARED] for copies in kept]
    return estimator.reader(source, states, device)


def _one_shot(name: str, parameters: Mapping[str, Any]) -> OneShotEstimator:
    estimator = registry.make_estimator(name, parameters)
    if not isinstance(estimator, OneShotEstimator):
        raise UnsupportedError(f"{name} ({estimator.family}) reads no supernet; name a one-shot estimator")
    return estimator


def _each(read: Callable[[Sequence[str]], Sequence[Readout]], names: Sequence[str]) -> dict[str, Readout | Exception]:
    try:
        return dict(zip(names, read(names), strict=True))
    except Exception:  # a space can be a user's code and raise anything
        return {name: _attempted(partial(_alone, read, name)) for name in names}


def _alone(read: Callable[[Sequence[str]], Sequence[Readout]], name: str) -> Readout:
    return read([name])[0]


def _attempted(act: Callable[[], T]) -> T | Exception:
    try:
        return act()
    except Exception as error:  # as above
        return error


def _outcome(estimator: OneShotEstimator, readings: Sequence[Readout | Exception] | Exception) -> Outcome:
    """The mean score; the first exception if there is one."""
    scores, seconds = [], 0.0
    for reading in [readings] if isinstance(readings, Exception) else readings:
        if isinstance(reading, Exception):
            return Outcome(math.nan, 0.0, reading)
        scores.append(estimator.score(reading))
        seconds += reading.cpu_seconds
    return Outcome(fmean(scores), seconds)
