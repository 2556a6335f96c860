"""A family of estimators as an outsider writes it, in one plug-in file: it compares architectures with a favourite.

Nothing of benchsuite knows it. It has a task of its own, says who shares a job, what determines its scores, what
reports must say of it, and on which benchmark it does not work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from benchsuite.core.errors import SuiteError, UnsupportedError
from benchsuite.core.types import Score
from benchsuite.estimators.base import Estimator
from benchsuite.estimators.task import Task

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from benchsuite.core.space import Space
    from benchsuite.estimators.base import Trial
    from benchsuite.estimators.setting import Setting

JOBS: list[list[str]] = []  # what jobs were asked to score, in this process


@dataclass(frozen=True, slots=True)
class LikenessTask(Task):
    """Compares architectures with the favourite of each estimator."""

    chunk: ClassVar[int] = 5
    space: Space
    estimators: tuple[LikenessEstimator, ...]
    seed: int

    def scores(self, architectures: Sequence[str]) -> list[tuple[int, Score]]:
        JOBS.append(list(architectures))
        return [
            (index, Score(architecture, estimator.likeness(self.space.operations(architecture), self.seed)))
            for architecture in architectures
            for index, estimator in enumerate(self.estimators)
        ]


@dataclass(frozen=True, slots=True)
class LikenessEstimator(Estimator):
    """An architecture is as good as it is like a favourite.

    Parameters
    ----------
    weight
        What an equal operation counts.
    """

    weight: float = 1.0
    family: ClassVar[str] = "likeness"
    favourite: ClassVar[str]

    def check(self) -> None:
        if self.weight <= 0:
            raise SuiteError(f"{self.name}: weight = {self.weight}; must be positive")

    def check_benchmark(self, setting: Setting, architecture: str) -> None:
        if self.favourite not in setting.space.operations(architecture) and setting.space.name == "macro":
            raise UnsupportedError(f"{self.name}: {setting.space.name} has other operations than {self.favourite}")

    def recipe_parts(self, setting: Setting) -> dict[str, Any]:
        return {"favourite": self.favourite}

    def group_key(self, setting: Setting, trial: Trial) -> Hashable:
        return "likeness", trial.seed

    def task(self, setting: Setting, trials: Sequence[Trial], architectures: Sequence[str], root: str) -> LikenessTask:
        return LikenessTask(setting.space, tuple(trial.estimator for trial in trials), trials[0].seed)

    def caption(self, setting: Setting) -> tuple[str, ...]:
        return (f"likeness of operations on {setting.space.name}",)

    def protocol(self, setting: Setting) -> Mapping[str, str]:
        return {"Favourite": self.favourite}

    def likeness(self, operations: Sequence[str], seed: int) -> float:
        weights = [place + 1 + seed for place, operation in enumerate(operations) if operation == self.favourite]
        return self.weight * sum(weights)


@dataclass(frozen=True, slots=True)
class Wide(LikenessEstimator):
    """Counts 3x3 convolutions."""

    name: ClassVar[str] = "wide"
    favourite: ClassVar[str] = "nor_conv_3x3"


@dataclass(frozen=True, slots=True)
class Narrow(LikenessEstimator):
    """Counts 1x1 convolutions."""

    name: ClassVar[str] = "narrow"
    favourite: ClassVar[str] = "nor_conv_1x1"
