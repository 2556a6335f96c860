"""Estimators beside each other against brute force and scipy: ties, undefined and constant scores, few of them."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tied_columns import NAN, as_worst, enumerated

from benchsuite.analysis.best_subsets import best_subsets
from benchsuite.analysis.comparison import compare
from benchsuite.analysis.complementarity import added_information, agreement
from benchsuite.analysis.cost import break_even, pareto_front
from benchsuite.analysis.critical_difference import critical_difference
from benchsuite.analysis.search_value import RANDOM, search_value
from benchsuite.analysis.significance import holm, rank_intervals
from benchsuite.analysis.transfer import TRUTH, transfer

LEVELS = st.sampled_from([[NAN, 0.0, 1.0, 2.0, 3.0], [0.0, 1.0], [1.0], [NAN]])


@st.composite
def judged(draw, *, smallest=1, largest=12, trials=2, estimators=3):
    """Some estimators with one or more trials, and the truth; scores may be constant or undefined throughout."""
    n = draw(st.integers(smallest, largest))
    truth = draw(st.lists(st.integers(90, 95), min_size=n, max_size=n))
    found = {}
    for name in "abc"[: draw(st.integers(1, estimators))]:
        values = st.sampled_from(draw(LEVELS))
        number = draw(st.integers(1, trials))
        found[name] = [pd.Series(draw(st.lists(values, min_size=n, max_size=n)), dtype=float) for _ in range(number)]
    return found, pd.Series(truth, dtype=float)


def varies(*values):
    return all(len(np.unique(as_worst(np.asarray(each)))) > 1 for each in values)


def tau(one, other):
    first, second = (as_worst(np.asarray(each, dtype=float)) for each in (one, other))
    return stats.kendalltau(first, second).statistic if varies(one, other) else NAN


def ranks(values):
    return stats.rankdata(as_worst(np.asarray(values, dtype=float)))


def rho(one, other):
    return stats.pearsonr(ranks(one), ranks(other)).statistic if varies(one, other) else NAN


def precision(scores, truth):
    """Share of the better half by score in that by truth, in expectation over lots."""
    k = len(truth) // 2
    chances = []
    for column in (as_worst(np.asarray(scores)), np.asarray(truth)):
        better, equal = (
            (column[None, :] > column[:, None]).sum(axis=1),
            (column[None, :] == column[:, None]).sum(axis=1),
        )
        chances.append(np.clip((k - better) / equal, 0, 1))
    return chances[0] @ chances[1] / k if k else NAN


@pytest.mark.parametrize(
    ("criterion", "reference"), [("kendall_tau", tau), ("spearman_rho", rho), ("precision_at_top", precision)]
)
@settings(max_examples=25)
@given(data=judged())
def test_difference_of_two_estimators_is_that_of_means_of_references(criterion, reference, data):
    trials, truth = data
    table = compare(trials, truth, criterion=criterion, k=0.5)
    figures = {name: np.mean([reference(each, truth) for each in column]) for name, column in trials.items()}
    pairs = list(itertools.combinations(trials, 2))
    assert table[["first", "second"]].to_numpy().tolist() == [list(pair) for pair in pairs]
    for row in table.itertuples():
        expected = figures[row.first] - figures[row.second]
        assert row.difference == pytest.approx(expected, abs=1e-9, nan_ok=True)
        if len(truth) < 10:
            assert np.isnan([row.deviation, row.low, row.high, row.p, row.p_holm]).all()
            assert not row.separable


@settings(max_examples=60)
@given(st.lists(st.one_of(st.just(NAN), st.floats(0, 1)), max_size=7))
def test_holm_is_the_largest_of_the_scaled_p_up_to_each(p):
    """p_(i) adjusted = the largest of (m - j + 1) p_(j), j <= i, at most 1; the order of equal ones does not matter."""
    known, adjusted = [value for value in p if not np.isnan(value)], holm(p)
    for value, found in zip(p, adjusted, strict=True):
        if np.isnan(value):
            assert np.isnan(found)
        else:
            steps = [(sum(other >= each for other in known), each) for each in known if each <= value]
            assert found == pytest.approx(min(1, max(number * each for number, each in steps)))


@settings(max_examples=60)
@given(st.integers(2, 5), st.integers(0, 9999))
def test_places_are_counted_one_by_one(number, seed):
    rng = np.random.default_rng(seed)
    worth = np.where(rng.random(number) < 0.2, NAN, rng.integers(0, 4, number))
    separable = rng.random((number, number)) < 0.5
    names, pairs = "abcde"[:number], list(itertools.combinations(range(number), 2))
    rows = [(names[i], names[j], worth[i] - worth[j], bool(separable[i, j])) for i, j in pairs]
    table = pd.DataFrame(rows, columns=["first", "second", "difference", "separable"])
    places = rank_intervals(table).set_index("estimator")
    known = [i for i in range(number) if not np.isnan(worth[i])]
    for i in range(number):
        if i not in known or len(known) < 2:
            assert places.loc[names[i]].isna().all()
            continue
        surely = [j for j in known if j != i and separable[min(i, j), max(i, j)]]
        better, surely_better = ([j for j in found if worth[j] > worth[i]] for found in (known, surely))
        surely_worse = [j for j in surely if worth[j] < worth[i]]
        expected = [1 + len(better), 1 + len(surely_better), len(known) - len(surely_worse)]
        assert places.loc[names[i]].tolist() == expected


@settings(max_examples=30)
@given(judged())
def test_agreement_is_the_mean_of_scipys_rho(data):
    trials, truth = data
    matrix = agreement(trials, truth)
    for first, second in itertools.product(trials, repeat=2):
        pairs = itertools.product(enumerate(trials[first]), enumerate(trials[second]))
        rhos = [
            rho(one, other) for (i, one), (j, other) in pairs if first != second or i != j or len(trials[first]) == 1
        ]
        assert matrix.loc[first, second] == pytest.approx(np.mean(rhos), abs=1e-9, nan_ok=True)


def partial(score, truth, *given):
    """Pearson of what the ranks of score and truth leave after regression on given ranks; undefined if nothing."""
    design = np.column_stack([np.ones(len(truth)), *map(ranks, given)])
    left = [each - design @ np.linalg.lstsq(design, each, rcond=None)[0] for each in (ranks(score), ranks(truth))]
    return stats.pearsonr(*left).statistic if min(np.abs(each).max() for each in left) > 1e-7 else NAN


@settings(max_examples=40)
@given(judged(smallest=4, trials=1), st.data())
def test_added_information_is_the_correlation_of_residuals(data, choice):
    trials, truth = data
    sizes = choice.draw(st.lists(st.sampled_from([1.0, 2.0, 5.0]), min_size=len(truth), max_size=len(truth)))
    table = added_information(trials, truth, pd.Series(sizes))
    for first, second in itertools.product(trials, repeat=2):
        columns = [trials[first][0], truth, pd.Series(sizes)]
        columns += [] if first == second else [trials[second][0]]
        leaves = varies(*columns) and (first == second or partial(trials[second][0], truth, sizes) is not NAN)
        expected = partial(*columns) if leaves else NAN
        assert table.loc[first, second] == pytest.approx(expected, abs=1e-6, nan_ok=True), (first, second)


@settings(max_examples=25)
@given(judged(smallest=6, trials=1), st.integers(0, 99))
def test_the_best_subset_of_all_architectures_has_the_highest_tau_of_any(data, seed):
    trials, truth = data
    table = best_subsets(trials, truth, folds=2, seed=seed)
    assert table["size"].tolist() == list(range(1, len(trials) + 1))
    for row in table.itertuples():
        taus = {
            " + ".join(names): tau(sum(ranks(trials[name][0]) for name in names), truth)
            for names in itertools.combinations(trials, row.size)
        }
        assert row.all == pytest.approx(taus[row.estimators], nan_ok=True)
        known = [value for value in taus.values() if not np.isnan(value)]
        assert not known or row.all == pytest.approx(max(known))


@settings(max_examples=25)
@given(judged(), st.data())
def test_transfer_is_the_mean_of_scipys_taus_on_what_both_have(data, choice):
    trials, truth = data
    number = choice.draw(st.integers(1, len(truth)))
    other = pd.Series(choice.draw(st.lists(st.integers(0, 3), min_size=number, max_size=number)), dtype=float)
    table = transfer({"one": trials}, {"one": truth, "two": other}).set_index(["estimator", "scored_on", "judged_on"])
    for judged_on, known in (("one", truth), ("two", other)):
        for name, column in trials.items():
            expected = np.mean([tau(each[: len(known)], known) for each in column])
            row = table.loc[(name, "one", judged_on)]
            assert row["n"] == len(known)
            assert row["kendall_tau"] == pytest.approx(expected, nan_ok=True)
    row = table.loc[(TRUTH, "one", "two"), "kendall_tau"]
    assert row == pytest.approx(tau(truth[:number], other), nan_ok=True)


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
        assert row["deviation"] == pytest.approx(deviation, abs=1e-9, nan_ok=True)


@settings(max_examples=30)
@given(st.integers(2, 5), st.integers(2, 5), st.integers(0, 999))
def test_mean_ranks_and_friedmans_test_are_scipys_with_ties_and_missing_figures(k, benchmarks, seed):
    rng = np.random.default_rng(seed)
    values = rng.choice([0.1, 0.2, 0.3][: 1 + seed % 3], size=(k, benchmarks))  # also all alike
    figures = pd.DataFrame(values, index=list("abcde")[:k])
    figures.loc["lacking"] = [NAN, *values[0][1:]]
    found = critical_difference(figures)
    expected = stats.rankdata(-values, axis=0).mean(axis=1)
    means = found.ranks.set_index("estimator")["mean_rank"]
    assert means[list(figures.index[:k])].tolist() == pytest.approx(expected.tolist())
    if k > 2 and (np.ptp(values, axis=0) > 0).any():
        test = stats.friedmanchisquare(*values)
        assert (found.statistic, found.p) == pytest.approx((test.statistic, test.pvalue))
    else:
        assert np.isnan([found.statistic, found.p]).all()
    for group in found.groups:
        assert means[list(group)].max() - means[list(group)].min() <= found.difference


@settings(max_examples=60)
@given(st.lists(st.tuples(*2 * [st.sampled_from([NAN, 0.0, 1.0, 2.0, 3.0])]), max_size=8))
def test_front_holds_the_known_that_no_other_beats(points):
    expected = [
        not np.isnan([cost, worth]).any()
        and not any(c <= cost and w >= worth and (c < cost or w > worth) for c, w in points)
        for cost, worth in points
    ]
    assert pareto_front([cost for cost, _ in points], [worth for _, worth in points]).tolist() == expected


@settings(max_examples=60)
@given(st.integers(0, 50), st.integers(0, 5), st.integers(0, 5))
def test_training_pays_from_the_first_number_at_which_it_is_no_dearer(training, reading, other):
    number = break_even(training, reading, other)
    dearer = [count for count in range(60) if training + reading * count > other * count]
    if other > reading:
        assert all(count < number for count in dearer)
        assert training + reading * number == pytest.approx(other * number)
    else:
        assert number == np.inf
