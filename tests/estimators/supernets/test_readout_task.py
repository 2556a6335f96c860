"""Scores read of trained supernets, by copies and as means."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from path_trainings import SPACE, SPLIT, accuracy

from benchsuite.core.errors import UnsupportedError
from benchsuite.estimators.one_shot.estimators import Uniform
from benchsuite.estimators.one_shot.training import PathTraining
from benchsuite.estimators.supernets.readout_task import ReadoutTask
from benchsuite.estimators.supernets.task import TrainingTask
from benchsuite.spaces.macro.space import Macro
from benchsuite.spaces.nasbench101.space import NASBench101
from benchsuite.spaces.nasbench201.strings import OPERATIONS
from benchsuite.spaces.nasbench301.space import NASBench301

if TYPE_CHECKING:
    from pathlib import Path


def test_an_architecture_is_read_of_the_copy_for_its_operation(tmp_path: Path) -> None:
    source = TrainingTask(SPACE, "digits", SPLIT, 0)
    source.run(str(tmp_path))
    weights = source.folder(str(tmp_path)).weights(3)
    assert tuple(weights) == OPERATIONS
    estimator = Uniform(SPLIT, images=60, batch=20)
    architectures = SPACE.sample(12, np.random.default_rng(0))
    assert {SPLIT.copy_of(SPACE, one) for one in architectures} == set(OPERATIONS)
    task = ReadoutTask((source,), str(tmp_path), (estimator,))
    early = ReadoutTask((source,), str(tmp_path), (replace(estimator, epoch=1),))
    shared = source.folder(str(tmp_path)).weights(1)["shared"]
    for one, (_, score), (_, before) in zip(
        architectures, task.scores(architectures), early.scores(architectures), strict=True
    ):
        supernet = source.supernet([weights[SPACE.operations(one)[3]]])
        assert score.value == pytest.approx(accuracy(supernet, one, 60, 20))
        assert before.value == pytest.approx(accuracy(source.supernet([shared]), one, 60, 20))
    (foreign,) = task.scores(["no architecture"])
    assert "is not a NAS-Bench-201 architecture" in foreign[1].reason
    assert task.estimate(architectures[0]) > 0
    assert source.estimate(str(tmp_path)) == 0


def test_scores_are_means_over_supernets_and_over_the_strings_of_a_class(tmp_path: Path) -> None:
    training = PathTraining(epochs=1, images=64, batch=32, augmentation="none", kept=1)
    estimator = Uniform(training, images=40, batch=20, readout="loss")
    sources, root = tuple(TrainingTask(SPACE, "digits", training, seed) for seed in (0, 1)), str(tmp_path)
    for source in sources:
        source.run(root)
    rng = np.random.default_rng(0)
    drawn = [one for one in SPACE.sample(60, rng) if len(SPACE.members(one)) > 1][:3]
    strings = [name for one in drawn for name in SPACE.members(one)]
    single = [
        {score.architecture: score.value for _, score in ReadoutTask((source,), root, (estimator,)).scores(strings)}
        for source in sources
    ]
    joined = ReadoutTask(sources, root, (replace(estimator, supernets=2, members="all"),))
    assert joined.scores(drawn[:0]) == []
    for _, score in joined.scores(drawn):
        values = [values[name] for values in single for name in SPACE.members(score.architecture)]
        assert score.value == pytest.approx(np.mean(values), rel=1e-12)
        assert len(set(values)) > 1


def test_trials_share_no_supernets_and_single_ones_are_among_them() -> None:
    assert [list(Uniform(supernets=3).seeds(seed)) for seed in (0, 1)] == [[0, 1, 2], [3, 4, 5]]
    assert list(Uniform().seeds(4)) == [4]


def test_members_are_all_strings_of_a_class() -> None:
    for space in (SPACE, Macro()):
        strings = space.every_string()
        one = space.canonical(strings[1234])
        assert sorted(space.members(strings[1234])) == sorted(name for name in strings if space.canonical(name) == one)
    for other in (NASBench101(), NASBench301()):
        with pytest.raises(UnsupportedError, match="does not offer a list of its architecture strings"):
            other.members(other.sample(1, np.random.default_rng(0))[0])
