"""What a worker process runs: a task scores a chunk of architectures, after the trainings that it reads have ended."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.core.types import Score


class FinishedEpoch(Protocol):
    """What a training says of an epoch that has ended."""

    @property
    def loss(self) -> float:
        """Mean training loss."""
        ...

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds that the epoch took."""
        ...


class TrainingJob(Protocol):
    """A training that must end before tasks can read it: it has a key, is run once and kept beside the store."""

    @property
    def key(self) -> str:
        """Identity of the training: a digest of all that determines its weights."""
        ...

    @property
    def seed(self) -> int:
        """Seed of the training."""
        ...

    @property
    def last_epoch(self) -> int:
        """Number of its epochs."""
        ...

    @property
    def continues(self) -> bool:
        """Whether it may begin with what another training ends with, which therefore is run first."""
        ...

    def finished(self, root: str) -> bool:
        """Return whether it has come to its last epoch.

        Parameters
        ----------
        root
            Folder of all trainings.
        """
        ...

    def run(self, root: str, device: str) -> None:
        """Train to the end, from wherever an earlier process was stopped.

        Parameters
        ----------
        root
            Folder of all trainings.
        device
            Where networks run.
        """
        ...

    def estimate(self, root: str) -> float:
        """Return the CPU seconds that it still takes, from timing a few updates.

        Parameters
        ----------
        root
            Folder of all trainings.
        """
        ...

    def curve(self, root: str) -> Sequence[FinishedEpoch]:
        """Return what each finished epoch left.

        Parameters
        ----------
        root
            Folder of all trainings.
        """
        ...


class Task(ABC):
    """What estimators that share a job do with architectures; it travels to worker processes, so it must be pickled.

    A family's `Estimator.task` makes it of the trials that share the job. Only `scores` must be defined. A worker knows
    nothing of the plan: what it needs (a space, minibatches, seeds, the device) is in the task.
    """

    __slots__ = ()
    chunk: ClassVar[int] = 50  # architectures a job: a kill loses little, and the processes end together

    @abstractmethod
    def scores(self, architectures: Sequence[str]) -> list[tuple[int, Score]]:
        """Score architectures by each of the task's estimators.

        A score depends on its estimator, its architecture and the trial's seeds, not on other estimators or
        architectures. What fails becomes a failed score with its reason: one architecture ends no run.

        Parameters
        ----------
        architectures
            Canonical strings.

        Returns
        -------
        list of (int, Score)
            Scores with the position of their estimator among the trials of which the task was made.

        Raises
        ------
        BenchsuiteError
            If no architecture can be scored.
        """

    def trainings(self) -> tuple[TrainingJob, ...]:
        """Return the trainings that must have ended before."""
        return ()

    @property
    def kind(self) -> str:
        """What tasks have in common that take about the same time for an architecture."""
        return repr(self)

    def ordered(self, architectures: Sequence[str]) -> Sequence[str]:
        """Return the architectures in the order in which they are best scored.

        Parameters
        ----------
        architectures
            Canonical strings.
        """
        return architectures

    def part(self, architectures: Sequence[str]) -> Self:
        """Return the task without what only other architectures need and takes time to send.

        Parameters
        ----------
        architectures
            Those that a job scores.
        """
        return self

    def work(self, architectures: Sequence[str]) -> float:
        """Return how long architectures take relative to others, in any unit that all tasks of a run share.

        Parameters
        ----------
        architectures
            Canonical strings.
        """
        return 1.0

    def estimate(self, architecture: str) -> float:
        """Return the CPU seconds of scoring one architecture, from doing so.

        Parameters
        ----------
        architecture
            A canonical string.
        """
        start = time.process_time()
        self.scores([architecture])
        return time.process_time() - start
