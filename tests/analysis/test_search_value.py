import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import comb
from tied_columns import NAN, as_worst, columns, enumerated, judged

from benchsuite.analysis.resampling import HALVES, random_halves
from benchsuite.analysis.search_value import RANDOM, search_value, training_counts, trainings_needed
from benchsuite.core.errors import BenchsuiteError


def expected_regrets(scores, truth, counts):
    """Expected regret under ties: those above the last score are trained, the rest is drawn from those that have it."""
    scores, truth = as_worst(np.asarray(scores, dtype=float)), np.asarray(truth, dtype=float)
    regrets = []
    for count in counts:
        last = np.sort(scores)[-count]
        above = truth[scores > last]
        tied = np.sort(truth[scores == last])[::-1]
        drawn = count - above.size
        # the i-th best of them is the best drawn if all others are among those below it
        chances = comb(np.arange(tied.size)[::-1], drawn - 1) / comb(tied.size, drawn)
        regrets.append(truth.max() - chances @ np.maximum(tied, above.max(initial=-np.inf)))
    return np.array(regrets)


@settings(max_examples=40, deadline=None)
@given(columns(largest=5))
def test_regret_averages_over_all_ways_to_break_ties(data):
    counts = range(1, len(data[0]) + 1)
    table = search_value({"it": [pd.Series(data[0])]}, pd.Series(data[1]), counts=counts)
    expected = [enumerated(*data, k)[-1] for k in counts]
    assert table.loc[table["estimator"] == "it", "regret"].tolist() == pytest.approx(expected)
    assert expected_regrets(*data, counts).tolist() == pytest.approx(expected)


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
    assert (rows["regret"], rows["standard_deviation"]) == pytest.approx((np.mean(regrets), np.std(regrets, ddof=1)))
    partial = table[table["estimator"] == "part"]
    assert partial["k"].tolist() == [1, 5]
    assert partial["regret"].iloc[1] == truth.iloc[:12].max() - truth[part.nlargest(5).index].max()
    assert partial["standard_deviation"].isna().all()


def test_numbers_of_trainings_lie_between_one_and_all():
    assert training_counts(1) == [1]
    assert training_counts(200) == [1, 2, 5, 10, 20, 50, 100, 200]
    truth = pd.Series([1.0, 2.0])
    assert set(search_value({"it": [truth]}, truth, counts=[2, 3])["k"]) == {2}
    with pytest.raises(BenchsuiteError, match="number of trained architectures = 0; must be at least 1"):
        search_value({"it": [truth]}, truth, counts=[1, 0])


@settings(max_examples=40, deadline=None)
@given(columns(largest=9), st.integers(0, 6))
def test_trainings_needed_are_the_first_on_the_whole_curve(data, regret):
    curve = expected_regrets(*data, list(range(1, len(data[0]) + 1)))
    table = trainings_needed({"it": [pd.Series(data[0])]}, pd.Series(data[1]), regrets=[regret]).set_index("estimator")
    at_random = expected_regrets(np.zeros(len(data[0])), data[1], list(range(1, len(data[0]) + 1)))
    least, by_chance = (1 + int(np.argmax(values <= regret + 1e-9)) for values in (curve, at_random))
    assert table.loc["it", "trainings"] == least
    assert table.loc[RANDOM, "trainings"] == by_chance
    assert table.loc["it", "saved"] == pytest.approx(1 - least / by_chance)
    assert table["low"].isna().all()


def noisy(n=121, trials=2):
    rng = np.random.default_rng(0)
    truth = pd.Series(rng.normal(90, 2, n).round(2), [f"cell{i:03d}" for i in range(n)])
    return [(truth + rng.normal(0, 4, n)).round() for _ in range(trials)], truth


def halves(truth):
    """The random halves of the architectures in the order of their names."""
    return np.concatenate(list(random_halves(len(truth), HALVES, 0))).astype(bool)


def least(scores, truth, regret):
    return 1 + int(np.argmax(expected_regrets(scores, truth, list(range(1, len(truth) + 1))) <= regret + 1e-9))


def test_ranges_of_regrets_hold_the_whole_and_the_middle_of_the_halves_at_the_same_share():
    trials, truth = noisy()
    table = search_value({"it": trials}, truth, counts=[5, 10, 40, 121])
    rows = table[table["estimator"] == "it"]
    assert rows["low"].isna().tolist() == [True, False, False, False]
    kept, ends = halves(truth), []
    for trial in trials:
        drawn = [expected_regrets(trial[each], truth[each], [5, 20, 60]) for each in kept]
        whole = expected_regrets(trial, truth, [10, 40, 121])
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        ends.append([np.minimum(low, whole), np.maximum(high, whole)])
    assert pytest.approx(np.mean(ends, axis=0)) == rows[["low", "high"]].to_numpy()[1:].T


def test_ranges_of_trainings_are_those_of_the_halves_counted_for_the_whole():
    trials, truth = noisy(81)
    scores, kept = -trials[0], halves(truth)
    table = trainings_needed({"it": [scores]}, truth, regrets=[0.3]).set_index("estimator")
    drawn = np.array([[least(x[each], truth[each], 0.3) for x in (scores, 0 * scores)] for each in kept]) * 81 / 40
    whole = np.array([least(x, truth, 0.3) for x in (scores, 0 * scores)])
    assert whole.min() >= 10
    for name, values, value in (
        (("low", "high"), drawn[:, 0], whole[0]),
        (("saved_low", "saved_high"), 1 - drawn[:, 0] / drawn[:, 1], 1 - whole[0] / whole[1]),
    ):
        low, high = np.quantile(values, [0.025, 0.975])
        assert table.loc["it", list(name)].tolist() == pytest.approx([min(low, value), max(high, value)])


def test_savings_are_against_a_random_choice_among_what_the_estimator_scored():
    trials, truth = noisy()
    part = truth.nlargest(15)
    table = trainings_needed({"all": trials, "part": [part]}, truth, regrets=[1.0]).set_index("estimator")
    needed = [least(each, truth, 1.0) for each in trials]
    assert table.loc["all", "trainings"] == np.mean(needed)
    assert table.loc["all", "standard_deviation"] == pytest.approx(np.std(needed, ddof=1))
    assert table.loc["part", ["n", "trainings"]].tolist() == [15, 1]
    assert table.loc["part", "saved"] == pytest.approx(1 - 1 / least(0 * part, part, 1.0))
    assert table.loc[RANDOM, ["saved", "saved_low", "saved_high"]].tolist() == [0, 0, 0]


def test_estimators_that_scored_nothing_have_no_value():
    _, truth = noisy()
    elsewhere = pd.Series([1.0], ["elsewhere"])
    assert set(search_value({"it": [elsewhere]}, truth)["estimator"]) == {RANDOM}
    assert set(trainings_needed({"it": [elsewhere]}, truth)["estimator"]) == {RANDOM}


@settings(max_examples=25)
@given(judged(largest=5))
def test_search_value_is_the_regret_over_all_ways_to_break_ties(data):
    trials, truth = data
    table = search_value(trials, truth).set_index(["estimator", "k"])
    columns = {**trials, RANDOM: [truth * 0]}
    for (name, k), row in table.iterrows():
        regrets = [enumerated(each.to_numpy(), truth.to_numpy(), k)[-1] for each in columns[name]]
        assert row["regret"] == pytest.approx(np.mean(regrets), abs=1e-9)
        deviation = np.std(regrets, ddof=1) if len(regrets) > 1 else NAN
        assert row["standard_deviation"] == pytest.approx(deviation, abs=1e-9, nan_ok=True)
