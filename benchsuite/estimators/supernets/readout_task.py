"""What a worker runs for estimators that read a trained supernet: readouts of a chunk of architectures."""

from __future__ import annotations

import math
import threading
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache, partial
from statistics import fmean
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from typing_extensions import override

from benchsuite.estimators.outcomes import Outcome
from benchsuite.estimators.supernets.protocols import SHARED
from benchsuite.estimators.task import Task
from benchsuite.estimators.torchtools.devices import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.sequences import T
    from benchsuite.core.space import Space
    from benchsuite.core.types import Score
    from benchsuite.estimators.supernets.protocols import Reader, Readout
    from benchsuite.estimators.supernets.task import TrainingTask


class SupernetReader(Hashable, Protocol):
    """What reads a supernet: a one-shot estimator."""

    @property
    def validating(self) -> int:
        """Number of images on which an architecture is validated."""
        ...

    def epochs(self) -> tuple[int, ...]:
        """Return the epochs whose checkpoints are read, their weights averaged if there are several."""
        ...

    def strings(self, space: Space, architecture: str) -> Sequence[str]:
        """Return the strings whose scores are averaged for an architecture.

        Parameters
        ----------
        space
            The architecture's space.
        architecture
            A canonical string.
        """
        ...

    def copy_of(self, space: Space, architecture: str) -> str:
        """Return the name of the part of a checkpoint that is read for an architecture.

        Parameters
        ----------
        space
            The architecture's space.
        architecture
            Any string.
        """
        ...

    def reader(self, source: TrainingTask, states: Sequence[Mapping[str, Tensor]], device: str) -> Reader:
        """Return what reads the mean of some states of a training.

        Parameters
        ----------
        source
            The training.
        states
            Parts of its checkpoints; the untrained supernet is read if there is none.
        device
            Where networks run.
        """
        ...

    def score(self, readout: Any) -> float:
        """Return the score of an architecture, NaN where it is undefined.

        Parameters
        ----------
        readout
            What `reader` gave for it.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReadoutTask(Task):
    """Scores of architectures by estimators that read the same of the same trainings.

    Attributes
    ----------
    sources
        Trainings that differ in their seeds alone; scores are means over their supernets.
    root
        Folder of all trainings.
    estimators
        They differ only in the score that they make of a readout.
    device
        Where networks run.
    """

    chunk: ClassVar[int] = 50  # the supernet is loaded for each job
    sources: tuple[TrainingTask, ...]
    root: str
    estimators: tuple[SupernetReader, ...]
    device: str = "cpu"

    @property
    def kind(self) -> str:
        """What tasks have in common that take about the same time for an architecture."""
        return repr((self.sources[0].space, self.sources[0].training, self.estimators))

    @override
    def trainings(self) -> tuple[TrainingTask, ...]:
        return self.sources

    @override
    def ordered(self, architectures: Sequence[str]) -> Sequence[str]:
        return sorted(architectures, key=self.sources[0].space.operations)  # those that begin alike share steps

    @override
    def work(self, architectures: Sequence[str]) -> float:
        space, dataset = self.sources[0].space, self.sources[0].dataset
        macs = sum(space.complexity(name, dataset).live_macs for name in architectures)
        return 1.0 + macs * self.estimators[0].validating

    @override
    def scores(self, architectures: Sequence[str]) -> list[tuple[int, Score]]:
        with one_thread():
            found = self._readouts(architectures)
        return [
            (index, _outcome(estimator, readouts).score_of(architecture))
            for architecture, readouts in zip(architectures, found, strict=True)
            for index, estimator in enumerate(self.estimators)
        ]

    @override
    def estimate(self, architecture: str) -> float:
        estimator, source = self.estimators[0], self.sources[0]
        with one_thread():  # an untrained supernet takes as long as a trained one
            seconds = estimator.reader(source, (), self.device).readouts([architecture])[0].cpu_seconds
        return seconds * len(self.sources) * len(estimator.strings(source.space, architecture))

    def _readouts(self, architectures: Sequence[str]) -> list[list[Readout | Exception] | Exception]:
        """Return what is read of each architecture: from each supernet, for each string that counts."""
        wanted = [_attempted(partial(self._wanted, architecture)) for architecture in architectures]
        strings = {name: copy for named in wanted if isinstance(named, dict) for name, copy in named.items()}
        found = [self._read(source, strings) for source in self.sources]
        return [
            [readouts[name] for readouts in found for name in named] if isinstance(named, dict) else named
            for named in wanted
        ]

    def _wanted(self, architecture: str) -> dict[str, str]:
        """Return the strings that are read for an architecture, with the names of the copies that lend them weights."""
        estimator, space = self.estimators[0], self.sources[0].space
        return {name: estimator.copy_of(space, name) for name in estimator.strings(space, architecture)}

    def _read(self, source: TrainingTask, strings: Mapping[str, str]) -> dict[str, Readout | Exception]:
        """Return what one supernet says of strings, given with their copies; if one fails, each is read by itself."""
        found: dict[str, Readout | Exception] = {}
        try:
            for copy in sorted(set(strings.values())):
                reader = _trained(source, self.estimators[0], copy, self.root, self.device, threading.get_ident())
                found |= _each(reader.readouts, [name for name, of in strings.items() if of == copy])
        except Exception as error:  # the training may have failed
            return dict.fromkeys(strings, error)
        return found


@lru_cache(maxsize=1)
def _trained(
    source: TrainingTask, estimator: SupernetReader, copy: str, root: str, device: str, _thread: int
) -> Reader:
    """Return what reads one copy of a trained supernet.

    The last is kept, for a search reads few architectures at a time. Threads share none: an architecture is activated
    in place.
    """
    kept = [source.folder(root).weights(epoch) for epoch in estimator.epochs()]
    states = [copies[copy if copy in copies else SHARED] for copies in kept]
    return estimator.reader(source, states, device)


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


def _outcome(estimator: SupernetReader, readouts: Sequence[Readout | Exception] | Exception) -> Outcome:
    """Return the mean score; the first exception if there is one."""
    scores, seconds = [], 0.0
    for readout in [readouts] if isinstance(readouts, Exception) else readouts:
        if isinstance(readout, Exception):
            return Outcome(math.nan, 0.0, readout)
        scores.append(estimator.score(readout))
        seconds += readout.cpu_seconds
    return Outcome(fmean(scores), seconds)
