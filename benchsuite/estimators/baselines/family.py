"""The family of estimators that read an architecture alone: its sizes, its operations, or nothing but chance."""

from __future__ import annotations

import sys
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from typing_extensions import override

from benchsuite.core.identity import seed_of
from benchsuite.estimators.base import Estimator
from benchsuite.estimators.outcomes import attempt
from benchsuite.estimators.task import Task
from benchsuite.estimators.torchtools.devices import one_thread

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from benchsuite.core.space import Space
    from benchsuite.core.types import Dataset, Score
    from benchsuite.estimators.base import Trial
    from benchsuite.estimators.setting import Setting


@dataclass(frozen=True, slots=True)
class ArchitectureEstimator(Estimator):
    """An estimator that reads the architecture alone."""

    family: ClassVar[str] = "baseline"
    seeded: ClassVar[bool] = False
    reference: ClassVar[bool] = True

    @abstractmethod
    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        """Return the score of one architecture, NaN where it is undefined.

        Parameters
        ----------
        space
            The architecture's space.
        architecture
            A canonical string.
        dataset
            Classes and image shape of the benchmark.
        rng
            The only source of random numbers.
        """

    @override
    def check_benchmark(self, setting: Setting, architecture: str) -> None:
        self.score(setting.space, architecture, setting.dataset, np.random.default_rng(0))

    @override
    def group_key(self, setting: Setting, trial: Trial) -> Hashable:
        return "architecture", trial.seed

    @override
    def task(
        self, setting: Setting, trials: Sequence[Trial], architectures: Sequence[str], root: str
    ) -> ArchitectureTask:
        seed = setting.seeds[0] if trials[0].seed is None else trials[0].seed
        estimators: tuple[ArchitectureEstimator, ...] = tuple(trial.estimator for trial in trials)  # type: ignore[misc]  # of one key
        return ArchitectureTask(setting.space, setting.dataset, estimators, seed)


@dataclass(frozen=True, slots=True)
class ArchitectureTask(Task):
    """Scores of architectures by estimators that read nothing else.

    Attributes
    ----------
    space
        Search space.
    dataset
        Classes and image shape of the benchmark.
    estimators
        Those that score.
    seed
        Seed of the run; an architecture's random numbers depend on the two alone.
    """

    chunk: ClassVar[int] = sys.maxsize  # they take no time
    space: Space
    dataset: Dataset
    estimators: tuple[ArchitectureEstimator, ...]
    seed: int = 0

    @override
    def scores(self, architectures: Sequence[str]) -> list[tuple[int, Score]]:
        with one_thread():
            return [
                (
                    index,
                    attempt(
                        estimator.score,
                        self.space,
                        architecture,
                        self.dataset,
                        np.random.default_rng(seed_of(self.seed, architecture)),
                    ).score_of(architecture),
                )
                for architecture in architectures
                for index, estimator in enumerate(self.estimators)
            ]
