"""Scores of baselines depend on seed and architecture; what fails is recorded and ends nothing."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from benchsuite.core.registry import make_estimator
from benchsuite.core.types import Dataset
from benchsuite.estimators.baselines.chance import Random
from benchsuite.estimators.baselines.curves import CurveTask, EarlyAccuracy
from benchsuite.estimators.baselines.family import ArchitectureEstimator, ArchitectureTask
from benchsuite.spaces.nasbench201.space import NASBench201

if TYPE_CHECKING:
    from collections.abc import Sequence

SPACE = NASBench201(channels=4, cells=1)
ARCHITECTURES = SPACE.sample(4, np.random.default_rng(0))


def _task(*estimators: ArchitectureEstimator, seed: int = 0) -> ArchitectureTask:
    return ArchitectureTask(SPACE, Dataset("images", 10), estimators, seed)


def _values(task: ArchitectureTask, architectures: Sequence[str]) -> dict[tuple[str, str], float]:
    names = [estimator.name for estimator in task.estimators]
    return {(names[index], score.architecture): score.value for index, score in task.scores(architectures)}


def test_a_random_score_depends_on_seed_and_architecture_only() -> None:
    alone = _values(_task(Random()), ARCHITECTURES)
    together = _values(_task(make_estimator("params"), Random()), ARCHITECTURES[::-1])
    assert all(together[key] == value for key, value in alone.items())
    assert len(set(alone.values())) == len(ARCHITECTURES)
    assert _values(_task(Random(), seed=1), ARCHITECTURES) != alone


class Picky(ArchitectureEstimator):
    """Fails on one architecture."""

    name: ClassVar[str] = "picky"

    def score(self, space, architecture, dataset, rng):
        if architecture == ARCHITECTURES[1]:
            raise ArithmeticError("too hot\ntoo cold")
        return 1.0


def test_what_fails_is_recorded_with_its_reason_and_ends_nothing() -> None:
    scores = _task(Picky(), make_estimator("params")).scores([*ARCHITECTURES[:2], "nonsense"])
    assert [(index, score.status) for index, score in scores] == [
        (0, "ok"), (1, "ok"), (0, "failed"), (1, "ok"), (0, "ok"), (1, "failed"),
    ]  # fmt: skip
    assert scores[2][1].reason == "ArithmeticError: too hot"
    assert scores[5][1].reason.startswith("InvalidArchitectureError: 'nonsense'")


def test_a_part_of_a_task_has_the_curves_of_its_architectures_only() -> None:
    curves = {
        name: pd.DataFrame({"trial": [0], "epochs": [12], "split": ["test"], "accuracy": [60.0 + number]})
        for number, name in enumerate(ARCHITECTURES)
    }
    part = CurveTask((EarlyAccuracy(), EarlyAccuracy(epochs=3)), curves).part(ARCHITECTURES[2:3])
    assert list(part.curves) == ARCHITECTURES[2:3]
    (_, first), (_, second) = pickle.loads(pickle.dumps(part)).scores(ARCHITECTURES[2:3])
    assert (first.value, second.status) == (62.0, "failed")
    assert "no accuracy after 3 epochs" in second.reason
