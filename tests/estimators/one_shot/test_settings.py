"""Settings of a training by paths: what they forbid, and their description."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from path_trainings import DIGITS, DROP, KEEP, SPACE, SPLIT

from benchsuite.core.errors import BenchsuiteError, SuiteError, UnsupportedError
from benchsuite.estimators.one_shot.estimators import Uniform
from benchsuite.estimators.one_shot.stages import StagedTrainer
from benchsuite.estimators.one_shot.training import PathTraining
from benchsuite.spaces.nasbench101.space import NASBench101


def _tried(estimator: Uniform) -> None:
    estimator.check()
    estimator.check_space(SPACE, DIGITS.dataset, SPACE.every_string()[0])


def test_second_stages_that_cannot_be_are_refused_in_one_line() -> None:
    for training, message in (
        (replace(SPLIT, tuning=0), "tuning = 0, split = 3, .* set `tuning` together with one of split, keep and drop"),
        (replace(SPLIT, split=None), "tuning = 2, split = None, keep = 1.0, drop = 0"),
        (replace(SPLIT, drop=1), "one of split, keep and drop"),
        (replace(KEEP, keep=1.5), "keep above 0 and at most 1"),
        (replace(KEEP, keep=0), "keep above 0 and at most 1"),
        (replace(DROP, drop=-1), "tuning and drop must be at least 0"),
        (replace(KEEP, sampling="fair"), "`keep` cannot be combined with sampling = 'fair'; use `drop`"),
        (replace(SPLIT, split=6), "split = 6; must be a position of nasbench201, 0 to 5"),
        (replace(SPLIT, split=-1), "split = -1; must be a position of nasbench201, 0 to 5"),
        (replace(DROP, drop=5), "drop = 5, but position 0 of nasbench201 has 5 operations; drop at most 4"),
        (replace(DROP, tuning_lr=0), "tuning_lr = 0; must be positive"),
    ):
        with pytest.raises(SuiteError, match=message) as caught:
            _tried(Uniform(training=training))
        assert "\n" not in str(caught.value)
        with pytest.raises(BenchsuiteError, match=message):
            StagedTrainer(SPACE, DIGITS, training, 0)


def test_what_a_space_lacks_for_a_second_stage_is_said_before_it_is_trained() -> None:
    space = NASBench101(channels=8, cells=1)
    architecture = space.sample(1, np.random.default_rng(0))[0]
    for training in (SPLIT, DROP):
        with pytest.raises(UnsupportedError, match="table of choices"):
            Uniform(training=training).check_space(space, DIGITS.dataset, architecture)
    with pytest.raises(UnsupportedError, match="does not offer a list of its architecture strings"):
        Uniform(members="all").check_space(space, DIGITS.dataset, architecture)
    Uniform(training=KEEP).check_space(space, DIGITS.dataset, architecture)
    for estimator, message in (
        (Uniform(members="some"), "no choice of members named 'some'"),
        (Uniform(supernets=0), "supernets = 0; must be a positive integer"),
    ):
        with pytest.raises(BenchsuiteError, match=message):
            estimator.check()


def test_reports_say_how_supernets_were_tuned_and_what_was_averaged() -> None:
    assert "then 2 epochs of tuning from learning rate 0.01, one copy of the weights for each operation" in SPLIT.words(
        64, 8
    )
    assert "on the best 25% of 200 sampled architectures, by accuracy on 500 validation images" in KEEP.words(64, 8)
    assert "without the 2 worst operations of each position" in DROP.words(64, 8)
    assert "tuning" not in PathTraining().words(64, 8)
    words = Uniform(supernets=3, members="all").words(100)
    assert words.endswith("mean over 3 supernets; mean over the strings of a class")
