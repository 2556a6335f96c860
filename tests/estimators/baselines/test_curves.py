"""Baselines read the closed-form complexity and the learning curve."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.registry import make_estimator
from benchsuite.core.types import Complexity, Dataset
from benchsuite.estimators.baselines.curves import EarlyAccuracy, TrainingLossSum


class Counts:
    def complexity(self, architecture, dataset):
        return Complexity(params=len(architecture), macs=dataset.size, live_params=3, live_macs=4)


@pytest.mark.parametrize(("name", "value"), [("params", 5), ("flops", 32), ("live_params", 3), ("live_flops", 4)])
def test_sizes_are_those_of_the_space(name, value):
    dataset = Dataset("images", 10)
    assert make_estimator(name).score(Counts(), "abcde", dataset, np.random.default_rng(0)) == value


def test_random_scores_depend_on_the_generator_alone():
    scores = [
        make_estimator("random").score(Counts(), "abc", Dataset("images", 10), np.random.default_rng(seed))
        for seed in (0, 0, 1)
    ]
    assert scores[0] == scores[1] != scores[2]


def curve(rows):
    return pd.DataFrame(rows, columns=["trial", "epochs", "split", "accuracy", "loss"])


def test_early_accuracy_is_the_mean_over_trials_on_validation_images():
    rows = [
        (0, 12, "valid", 70.0, 1.0),
        (1, 12, "valid", 74.0, 1.0),
        (0, 12, "test", 10.0, 1.0),
        (0, 4, "valid", 5.0, 2.0),
    ]
    assert EarlyAccuracy().score(curve(rows)) == 72.0
    assert EarlyAccuracy(epochs=4).score(curve(rows)) == 5.0
    assert EarlyAccuracy().score(curve(rows[2:3])) == 10.0


def test_early_accuracy_names_the_epochs_there_are():
    with pytest.raises(UnsupportedError, match="after 3 epochs; the curve has 12, 200"):
        EarlyAccuracy(epochs=3).score(curve([(0, 200, "test", 90.0, 0.0), (0, 12, "test", 70.0, 0.0)]))


def test_training_losses_stand_for_the_epochs_since_the_last_record():
    losses = {0: [3.0, 2.5, 2.0, 1.5], 1: [4.0, 3.0, 2.0, 1.0]}
    every = [(trial, i + 1, "train", 0.0, loss) for trial, found in losses.items() for i, loss in enumerate(found)]
    assert TrainingLossSum().score(curve(every)) == -(9.0 + 10.0) / 2
    assert TrainingLossSum(epochs=2).score(curve(every[::-1])) == -(5.5 + 7.0) / 2
    sparse = [row for row in every if row[1] in (1, 4)]
    assert TrainingLossSum().score(curve(sparse)) == -(3.0 + 3 * 1.5 + 4.0 + 3 * 1.0) / 2


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 1, "test", 50.0, 1.0)],
        [(0, 1, "train", 50.0, float("nan"))],
        [],
        [(0, 2, "train", 50.0, 1.0), (1, 1, "train", 50.0, 1.0)],
    ],
)
def test_missing_training_losses_are_said(rows):
    with pytest.raises(UnsupportedError, match="no training losses"):
        TrainingLossSum().score(curve(rows))
    with pytest.raises(UnsupportedError, match="over 9 epochs"):
        TrainingLossSum(epochs=9).score(curve(rows))


def test_a_table_without_losses_is_refused():
    with pytest.raises(UnsupportedError, match="no training losses"):
        TrainingLossSum().score(curve([(0, 1, "train", 50.0, 1.0)]).drop(columns="loss"))


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        ({"valid": 50, "test": 60}, 50),
        ({"train": 90, "valid+test": 55}, 55),
        ({"train": 90, "test": 60, "valid+test": 55}, 55),
    ],
)
def test_early_accuracy_is_that_of_the_split_nearest_to_validation(splits, expected):
    curve = pd.DataFrame({"trial": 0, "epochs": 12, "split": list(splits), "accuracy": list(splits.values())})
    assert EarlyAccuracy().score(curve) == expected
