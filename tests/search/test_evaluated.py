"""Tables of a search: sizes, and regret beside searches that see the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from benchsuite.core.registry import make_space
from benchsuite.core.types import Dataset
from benchsuite.search.evaluated import REPEATS, Sizes, compared, covers, regret
from benchsuite.spaces.macro.space import Macro
from benchsuite.spaces.nasbench301.space import NASBench301

if TYPE_CHECKING:
    from benchsuite.core.space import Space


@pytest.fixture(scope="module")
def truth() -> pd.Series:
    """An accuracy for every architecture of NAS-Bench-Macro: the larger its blocks, the better."""
    names = list(Macro().architectures())
    return pd.Series([70.0 + sum(map(int, name)) for name in names], names)


def evaluated(truth: pd.Series, number: int, seed: int = 0) -> pd.DataFrame:
    names = Macro().sample(number, np.random.default_rng(seed))
    return pd.DataFrame({"architecture": names, "score": -truth[names].to_numpy()})


def test_regret_is_that_of_the_best_scored_and_unknown_without_a_score() -> None:
    rows = pd.DataFrame({"architecture": list("abcd"), "score": [np.nan, 1.0, 1.0, 5.0]})
    known = pd.Series({"a": 90.0, "b": 80.0, "c": 90.0, "d": 60.0})
    np.testing.assert_array_equal(regret(rows, known), [np.nan, 10.0, 10.0, 30.0])


def test_misleading_scores_lose_to_both_searches_on_the_truth(truth: pd.Series) -> None:
    curves = compared(evaluated(truth, 60), truth, Macro(), population=10)
    last = curves[curves["evaluations"] == 60].set_index("method")["regret"]
    evolution, random = last["regularised evolution on the ground truth"], last["random search on the ground truth"]
    assert evolution < random < last["this search"]


def test_random_search_on_the_truth_is_the_mean_over_its_samples(truth: pd.Series) -> None:
    curves = compared(evaluated(truth, 30), truth, Macro(), population=10)
    rows = curves[curves["method"] == "random search on the ground truth"]
    # The best of n draws without replacement: the mean of the hypergeometric order statistic.
    values = np.sort(truth.to_numpy())
    chance = np.ones(len(values))
    for draw in range(30):
        chance *= np.clip((np.arange(len(values)) + 1 - draw) / (len(values) - draw), 0, 1)
    expected = truth.max() - np.sum(values * np.diff(chance, prepend=0.0))
    assert rows["regret"].iloc[-1] == pytest.approx(expected, abs=4 * values.std() / np.sqrt(REPEATS))
    assert (rows["low"] <= rows["regret"]).all()
    assert (rows["regret"] <= rows["high"]).all()
    assert (np.diff(rows["regret"]) <= 0).all()


@pytest.mark.parametrize(("space", "known"), [(Macro(), True), (NASBench301(), False)])
def test_searches_on_the_truth_need_the_truth_of_every_architecture(
    space: Space, known: bool, truth: pd.Series
) -> None:
    assert covers(truth, space) is known
    assert not covers(truth.iloc[1:], space)


def test_depth_counts_operations_that_compute(truth: pd.Series) -> None:
    data, names = Dataset("cifar10", 10), list(truth.index[:50])
    depths = Sizes(Macro(), data).table(dict.fromkeys(names, 0.0))["depth"]
    assert depths.tolist() == [8 - name.count("0") for name in names]
    resnet = make_space("nds_resnet")
    any_name = resnet.sample(1, np.random.default_rng(0))[0]
    assert Sizes(resnet, data).table({any_name: 0.0})["depth"].isna().all()
