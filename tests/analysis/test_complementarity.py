import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tied_columns import NAN, example_runs, judged, scipy_ranks, scipy_rho, varies

from benchsuite.analysis.complementarity import added_information, agreement, clustered_order, pairwise_information
from benchsuite.core.errors import BenchsuiteError


def test_agreement_is_the_mean_of_scipys_rho_over_pairs_of_trials():
    trials, truth, _ = example_runs()
    matrix = agreement(trials, truth)
    for first, second in itertools.product(trials, repeat=2):
        pairs = itertools.product(range(len(trials[first])), range(len(trials[second])))
        rhos = [
            stats.pearsonr(scipy_ranks(trials[first][i]), scipy_ranks(trials[second][j])).statistic
            for i, j in pairs
            if first != second or i != j or len(trials[first]) == 1
        ]
        assert matrix.loc[first, second] == pytest.approx(np.mean(rhos)), (first, second)


def test_estimators_that_agree_are_neighbours_whatever_their_order():
    trials, truth, _ = example_runs()
    for names in itertools.permutations(trials):
        order = agreement({name: trials[name] for name in names}, truth).index.tolist()
        assert abs(order.index("snip") - order.index("grad_norm")) == 1


def test_one_estimator_and_constants_can_be_ordered():
    trials, truth, _ = example_runs()
    constant = [pd.Series(0.0, truth.index)]
    matrix = agreement({**trials, "constant": constant}, truth)
    assert matrix["constant"].isna().all()
    assert matrix.drop("constant").drop(columns="constant").notna().all(axis=None)
    assert agreement({"one": trials["nwot"]}, truth).shape == (1, 1)
    assert clustered_order(pd.DataFrame(np.full((4, 4), np.nan), list("abcd"), list("abcd"))) is not None


def residuals(rank, given):
    design = np.column_stack([np.ones(len(rank)), *given])
    return rank - design @ np.linalg.lstsq(design, rank, rcond=None)[0]


def test_added_information_is_the_correlation_of_residuals():
    trials, truth, size = example_runs(runs=1)
    table = added_information(trials, truth, size)
    for first, second in itertools.permutations(["snip", "grad_norm", "nwot"], 2):
        given = [stats.rankdata(size), scipy_ranks(trials[second][0])]
        left = [residuals(rank, given) for rank in (scipy_ranks(trials[first][0]), stats.rankdata(truth))]
        assert table.loc[first, second] == pytest.approx(stats.pearsonr(*left).statistic)
    left = [residuals(rank, [stats.rankdata(size)]) for rank in (scipy_ranks(trials["nwot"][0]), stats.rankdata(truth))]
    assert table.loc["nwot", "nwot"] == pytest.approx(stats.pearsonr(*left).statistic)
    assert table.loc["params"].isna().all()


def test_the_diagonal_of_added_information_is_the_partial_rho_of_the_bias_analysis():
    from benchsuite.analysis.bias import complexity_correlations

    trials, truth, size = example_runs()
    table = added_information(trials, truth, size)
    own = [
        complexity_correlations(each, truth, size).set_index("statistic").loc["partial_rho", "value"]
        for each in trials["snip"]
    ]
    assert table.loc["snip", "snip"] == pytest.approx(np.mean(own))


def partial(rank, other, given):
    return stats.pearsonr(residuals(rank, given), residuals(other, given)).statistic


def interval(value, without):
    """Normal interval on Fisher's scale with the standard error of the jackknife."""
    half = stats.norm.ppf(0.975) * np.sqrt((len(without) - 1) * np.var(without)) / (1 - value**2)
    return np.tanh(np.arctanh(value) + np.array([-half, half]))


def test_information_holds_the_figures_of_both_matrices():
    trials, truth, size = example_runs()
    table = pairwise_information(trials, truth, size).set_index(["estimator", "other"])
    agreed, added = agreement(trials, truth), added_information(trials, truth, size)
    assert len(table) == len(trials) ** 2
    for pair in itertools.product(trials, repeat=2):
        assert table.loc[pair, "agreement"] == pytest.approx(agreed.loc[pair]), pair
        assert table.loc[pair, "added"] == pytest.approx(added.loc[pair], nan_ok=True), pair
    assert (table["n"] == 120).all()


def test_intervals_of_information_are_those_of_the_jackknife_written_out():
    trials, truth, size = example_runs(runs=1)
    table = pairwise_information(trials, truth, size).set_index(["estimator", "other"])
    columns = [trials["snip"][0].fillna(-99), trials["nwot"][0], truth, size]
    figures = []
    for left_out in [None, *truth.index]:
        snip, nwot, known, sizes = (stats.rankdata(each.drop(left_out) if left_out else each) for each in columns)
        figures.append(
            [stats.pearsonr(snip, nwot).statistic, partial(snip, known, [sizes, nwot]), partial(snip, known, [sizes])]
        )
    (agreed, added, alone), without = figures[0], np.array(figures[1:])
    ends = table.loc[("snip", "nwot"), ["agreement_low", "agreement_high"]].tolist()
    assert ends == pytest.approx(interval(agreed, without[:, 0]), abs=2e-3)  # a part in n of the half-width
    ends = table.loc[("snip", "nwot"), ["added_low", "added_high"]].tolist()
    assert ends == pytest.approx(interval(added, without[:, 1]), abs=2e-3)
    ends = table.loc[("snip", "snip"), ["added_low", "added_high"]].tolist()
    assert ends == pytest.approx(interval(alone, without[:, 2]), abs=2e-3)


def test_estimators_without_common_architectures_are_refused():
    trials, truth, _ = example_runs()
    with pytest.raises(BenchsuiteError, match="no architecture"):
        agreement({"a": [trials["nwot"][0].iloc[:3]], "b": [trials["nwot"][0].iloc[3:]]}, truth)


@settings(max_examples=30)
@given(judged())
def test_agreement_with_ties_and_constants_is_the_mean_of_scipys_rho(data):
    trials, truth = data
    matrix = agreement(trials, truth)
    for first, second in itertools.product(trials, repeat=2):
        pairs = itertools.product(enumerate(trials[first]), enumerate(trials[second]))
        rhos = [
            scipy_rho(one, other)
            for (i, one), (j, other) in pairs
            if first != second or i != j or len(trials[first]) == 1
        ]
        assert matrix.loc[first, second] == pytest.approx(np.mean(rhos), abs=1e-9, nan_ok=True)


def partial_if_defined(score, truth, *given):
    """Pearson of what the ranks of score and truth leave after regression on given ranks; undefined if nothing."""
    left = [residuals(scipy_ranks(each), list(map(scipy_ranks, given))) for each in (score, truth)]
    return stats.pearsonr(*left).statistic if min(np.abs(each).max() for each in left) > 1e-7 else NAN


@settings(max_examples=40)
@given(judged(smallest=4, runs=1), st.data())
def test_added_information_with_ties_and_constants_is_the_correlation_of_residuals(data, choice):
    trials, truth = data
    sizes = choice.draw(st.lists(st.sampled_from([1.0, 2.0, 5.0]), min_size=len(truth), max_size=len(truth)))
    table = added_information(trials, truth, pd.Series(sizes))
    for first, second in itertools.product(trials, repeat=2):
        columns = [trials[first][0], truth, pd.Series(sizes)]
        columns += [] if first == second else [trials[second][0]]
        leaves = varies(*columns) and (
            first == second or partial_if_defined(trials[second][0], truth, sizes) is not NAN
        )
        expected = partial_if_defined(*columns) if leaves else NAN
        assert table.loc[first, second] == pytest.approx(expected, abs=1e-6, nan_ok=True), (first, second)
