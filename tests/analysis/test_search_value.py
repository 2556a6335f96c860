import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import comb
from tied_columns import columns, enumerated

from benchsuite.analysis.search_value import RANDOM, regret_curve, search_value, training_counts, trainings_needed
from benchsuite.core import BenchsuiteError


@settings(max_examples=40)
@given(columns(largest=5))
def test_regret_curve_averages_over_all_ways_to_break_ties(data):
    counts = range(1, len(data[0]) + 1)
    expected = [enumerated(*data, k)[-1] for k in counts]
    assert regret_curve(*data, list(counts)).tolist() == pytest.approx(expected)


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(0, 99))
def test_random_choice_is_the_expected_maximum_of_a_sample_without_replacement(n, seed):
    accuracies = np.random.default_rng(seed).normal(90, 3, n)
    table = search_value({}, pd.Series(accuracies))
    best_first = np.sort(accuracies)[::-1]
    for row in table.itertuples():
        # the i-th best is the best chosen if all others are among those below it
        chances = comb(np.arange(n)[::-1], row.k - 1) / comb(n, row.k)
        assert row.regret == pytest.approx(accuracies.max() - chances @ best_first, abs=1e-9)
    assert set(table["estimator"]) == {RANDOM}


def test_regret_is_the_mean_over_trials_on_what_the_estimator_scored():
    rng = np.random.default_rng(0)
    truth = pd.Series(rng.normal(90, 2, 50))
    trials = [truth + rng.normal(0, 2, 50) for _ in range(3)]
    part = truth.iloc[:12] + rng.normal(0, 2, 12)
    table = search_value({"seeded": trials, "part": [part]}, truth, counts=[1, 5, 20])
    rows = table[(table["estimator"] == "seeded") & (table["k"] == 5)].iloc[0]
    regrets = [truth.max() - truth[trial.nlargest(5).index].max() for trial in trials]
    assert (rows["regret"], rows["deviation"]) == pytest.approx((np.mean(regrets), np.std(regrets, ddof=1)))
    partial = table[table["estimator"] == "part"]
    assert partial["k"].tolist() == [1, 5]
    assert partial["regret"].iloc[1] == truth.iloc[:12].max() - truth[part.nlargest(5).index].max()
    assert partial["deviation"].isna().all()


def test_numbers_of_trainings_lie_between_one_and_all():
    assert training_counts(1) == [1]
    assert training_counts(200) == [1, 2, 5, 10, 20, 50, 100, 200]
    with pytest.raises(BenchsuiteError, match="3 of 2 architectures"):
        regret_curve([1, 2], [1.0, 2.0], [3])


def test_trainings_needed_are_the_first_that_reach_the_regret():
    rng = np.random.default_rng(0)
    truth = pd.Series(rng.normal(90, 2, 300))
    table = search_value({"oracle": [truth], "reversed": [-truth]}, truth)
    needed = trainings_needed(table, 0.5)
    assert needed["oracle"] == 1
    assert needed["reversed"] == 300
    assert 1 < needed[RANDOM] < 300
    assert trainings_needed(table, -1.0).isna().all()
