import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tied_columns import example_runs, judged, scipy_ranks, scipy_tau

from benchsuite.analysis.best_subsets import best_subsets
from benchsuite.core.errors import BenchsuiteError


def test_intervals_of_held_out_tau_combine_those_of_the_folds():
    trials, truth, _ = example_runs(runs=1)
    row = best_subsets(trials, truth, largest=1, folds=2).iloc[0]
    fold = np.random.default_rng(0).permutation(120) % 2
    taus, squares = [], []
    for part in (0, 1):
        others = {
            name: stats.kendalltau(scipy_ranks(each[0])[fold != part], truth[fold != part])[0]
            for name, each in trials.items()
        }
        best = scipy_ranks(trials[max(others, key=others.get)][0])[fold == part]
        known = truth.to_numpy()[fold == part]
        taus.append(stats.kendalltau(best, known).statistic)
        without = [stats.kendalltau(np.delete(best, i), np.delete(known, i)).statistic for i in range(60)]
        squares.append(59 * np.var(without))
    half = stats.norm.ppf(0.975) * np.sqrt(np.sum(squares)) / 2 / (1 - np.mean(taus) ** 2)
    expected = np.tanh(np.arctanh(np.mean(taus)) + np.array([-half, half]))
    assert row["held_out"] == pytest.approx(np.mean(taus))
    assert [row["low"], row["high"]] == pytest.approx(expected, abs=2e-3)


def test_best_subsets_are_those_of_an_exhaustive_search():
    trials, truth, _ = example_runs(runs=1)
    table = best_subsets(trials, truth)
    ranks = {name: scipy_ranks(each[0]) for name, each in trials.items()}
    for row in table.itertuples():
        taus = {
            " + ".join(names): stats.kendalltau(sum(ranks[name] for name in names), truth).statistic
            for names in itertools.combinations(trials, row.size)
        }
        assert row.estimators == max(taus, key=taus.get)
        assert row.all == pytest.approx(max(taus.values()))
    assert table["size"].tolist() == [1, 2, 3]
    assert table["folds_agreeing"].between(0, 5).all()


@pytest.mark.parametrize("folds", [1, 121])
def test_folds_must_be_at_least_two_and_at_most_one_an_architecture(folds):
    trials, truth, _ = example_runs()
    with pytest.raises(BenchsuiteError, match=f"{folds} folds of 120 architectures; give at least 2 folds"):
        best_subsets(trials, truth, folds=folds)


def test_held_out_tau_is_not_flattered_by_the_choice():
    rng = np.random.default_rng(0)
    truth = pd.Series(rng.normal(size=200))
    noise = {f"noise {i}": [pd.Series(rng.normal(size=200))] for i in range(20)}
    table = best_subsets(noise, truth)
    assert (table["all"] > 0.07).all()
    assert table["held_out"].max() < 0.03


@settings(max_examples=25)
@given(judged(smallest=6, runs=1), st.integers(0, 99))
def test_the_best_subset_of_all_architectures_has_the_highest_tau_of_any(data, seed):
    trials, truth = data
    table = best_subsets(trials, truth, folds=2, seed=seed)
    assert table["size"].tolist() == list(range(1, len(trials) + 1))
    for row in table.itertuples():
        taus = {
            " + ".join(names): scipy_tau(sum(scipy_ranks(trials[name][0]) for name in names), truth)
            for names in itertools.combinations(trials, row.size)
        }
        assert row.all == pytest.approx(taus[row.estimators], nan_ok=True)
        known = [value for value in taus.values() if not np.isnan(value)]
        assert not known or row.all == pytest.approx(max(known))
