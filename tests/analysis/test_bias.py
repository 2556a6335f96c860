import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tied_columns import NAN, as_worst, columns, scipy_rho, scipy_tau, varies

from benchsuite.analysis.bias import bias_by_complexity, complexity_correlations, rank_difference
from benchsuite.analysis.groups import quantile_groups
from benchsuite.core.errors import BenchsuiteError


def sample(n=400, seed=0):
    rng = np.random.default_rng(seed)
    index = [f"architecture {i}" for i in range(n)]
    params = np.exp(rng.integers(0, 12, n) / 3)
    truth = np.log(params) + rng.normal(0, 2, n)
    columns = truth + rng.normal(0, 1, n), truth, params
    return tuple(pd.Series(column, index=index) for column in columns)


def value(table, name, column="value"):
    return table.set_index("statistic").loc[name, column]


def partial_by_residuals(scores, truth, size):
    """Pearson of what regression on the ranks of size leaves of the ranks of score and truth."""
    ranks = [stats.rankdata(column) for column in (scores, truth, size)]
    residuals = [rank - np.polyval(np.polyfit(ranks[2], rank, 1), ranks[2]) for rank in ranks[:2]]
    return stats.pearsonr(*residuals).statistic


@given(columns())
def test_rank_differences_equal_those_of_scipy_ranks(data):
    scores, truth = data
    n = len(scores)
    by_truth, by_score = n + 1 - stats.rankdata(truth), n + 1 - stats.rankdata(as_worst(scores))
    assert rank_difference(*map(pd.Series, data)).sort_index().tolist() == pytest.approx((by_truth - by_score) / n)


def test_score_that_counts_parameters_over_estimates_the_large():
    _, truth, params = sample()
    table = bias_by_complexity(params, truth, params)
    assert table["rank_difference"].is_monotonic_increasing
    assert table["rank_difference_high"].iloc[0] < 0 < table["rank_difference_low"].iloc[-1]
    assert value(complexity_correlations(params, truth, params), "rho_difference_complexity", "low") > 0


def test_groups_keep_equal_complexities_together_and_show_their_sizes():
    scores, truth, params = sample()
    table = bias_by_complexity(scores, truth, params)
    assert table["n"].sum() == 400
    assert (table["largest"].to_numpy()[:-1] < table["smallest"].to_numpy()[1:]).all()
    for row in table.itertuples():
        inside = params.between(row.smallest, row.largest)
        assert inside.sum() == row.n
        assert rank_difference(scores, truth)[inside].mean() == pytest.approx(row.rank_difference)
        assert stats.kendalltau(scores[inside], truth[inside]).statistic == pytest.approx(row.kendall_tau)


def test_groups_of_distinct_values_are_equal_and_gaps_are_closed():
    assert np.bincount(quantile_groups(np.arange(100), 5))[1:].tolist() == [20] * 5
    assert quantile_groups([1] * 8 + [2, 3], 5).tolist() == [1] * 8 + [2] * 2
    assert quantile_groups([], 5).tolist() == []


@settings(max_examples=30)
@given(columns(smallest=12, largest=16))
def test_interval_of_the_mean_rank_difference_is_the_jackknife_of_recomputed_ranks(data):
    scores, truth = map(pd.Series, data)
    params = pd.Series(np.arange(len(scores)) // 6)
    row = bias_by_complexity(scores, truth, params, groups=2).iloc[0]
    without = [rank_difference(scores.drop(i), truth.drop(i))[params == params[0]].mean() for i in scores.index]
    half = 1.959964 * np.sqrt((len(without) - 1) * np.var(without))
    assert row["rank_difference_high"] - row["rank_difference"] == pytest.approx(half, abs=1e-6)


def test_partial_correlation_is_that_of_residual_ranks():
    scores, truth, params = sample()
    table = complexity_correlations(scores, truth, params)
    assert value(table, "partial_rho") == pytest.approx(partial_by_residuals(scores, truth, params))
    assert value(table, "tau_score_complexity") == pytest.approx(stats.kendalltau(scores, params).statistic)
    assert value(table, "tau_truth_complexity") == pytest.approx(stats.kendalltau(truth, params).statistic)
    logarithm = complexity_correlations(scores, truth, np.log(params))
    assert value(logarithm, "rho_difference_complexity") == value(table, "rho_difference_complexity")


def test_interval_of_the_partial_correlation_agrees_with_the_bootstrap():
    scores, truth, params = sample(200)
    table, rng = complexity_correlations(scores, truth, params), np.random.default_rng(0)
    draws = rng.integers(0, 200, size=(400, 200))
    replicates = [partial_by_residuals(scores.iloc[rows], truth.iloc[rows], params.iloc[rows]) for rows in draws]
    width = value(table, "partial_rho", "high") - value(table, "partial_rho", "low")
    assert width / (2 * 1.96) == pytest.approx(np.std(replicates), rel=0.15)


def test_nothing_is_left_of_a_score_that_ranks_as_size_does():
    _, truth, params = sample()
    assert np.isnan(value(complexity_correlations(np.log(params), truth, params), "partial_rho"))


def test_constant_complexity_makes_one_group_and_no_correlation():
    scores, truth, params = sample(30)
    assert bias_by_complexity(scores, truth, params * 0)["n"].tolist() == [30]
    assert np.isnan(value(complexity_correlations(scores, truth, params * 0), "tau_truth_complexity"))


def test_unusable_complexity_and_groups_are_refused():
    scores, truth, params = sample(20)
    with pytest.raises(BenchsuiteError, match="complexity must be finite"):
        bias_by_complexity(scores, truth, params.where(params > params.min()))
    with pytest.raises(BenchsuiteError, match="groups = 0; must be at least 1"):
        bias_by_complexity(scores, truth, params, groups=0)


def test_all_strings_of_nasbench201_correlate_with_params_as_published(shared):
    table = pd.read_parquet(shared / "data" / "nasbench201.parquet").set_index("architecture")
    params, truth = table["params_M_c10"], table["c10_test200_mean"]
    figures = complexity_correlations(params, truth, params)
    assert value(figures, "tau_truth_complexity") == pytest.approx(0.578, abs=0.0005)


@st.composite
def with_sizes(draw, largest=12):
    """Scores, truth and complexity of few levels."""
    scores, truth = draw(columns(largest=largest))
    sizes = draw(st.lists(st.sampled_from([1.0, 2.0, 5.0]), min_size=len(scores), max_size=len(scores)))
    return scores, truth, np.array(sizes)


def differences(scores, truth):
    """Rank by truth less rank by score, over their number, 1 = best."""
    return (stats.rankdata(as_worst(scores)) - stats.rankdata(truth)) / len(truth)


@settings(max_examples=40)
@given(with_sizes(), st.integers(1, 4))
def test_groups_of_complexity_have_the_mean_difference_and_scipys_tau(data, groups):
    scores, truth, sizes = data
    table = bias_by_complexity(*map(pd.Series, data), groups=groups)
    assert table["n"].sum() == len(scores)
    for row in table.itertuples():
        inside = (sizes >= row.smallest) & (sizes <= row.largest)
        assert inside.sum() == row.n
        assert row.rank_difference == pytest.approx(differences(scores, truth)[inside].mean(), abs=1e-12)
        assert row.kendall_tau == pytest.approx(scipy_tau(scores[inside], truth[inside]), abs=1e-12, nan_ok=True)
    if len(scores) < 10:
        assert table[["rank_difference_low", "tau_low"]].isna().all(axis=None)


def partial_if_defined(scores, truth, sizes):
    """Pearson of the residuals of ranks on the ranks of size; undefined where one of them leaves nothing."""
    if not varies(scores, truth, sizes):
        return NAN
    ranks = [stats.rankdata(as_worst(column)) for column in (scores, truth, sizes)]
    left = [rank - np.polyval(np.polyfit(ranks[2], rank, 1), ranks[2]) for rank in ranks[:2]]
    return stats.pearsonr(*left).statistic if min(np.abs(each).max() for each in left) > 1e-9 else NAN


@settings(max_examples=60)
@given(with_sizes())
def test_correlations_with_complexity_are_scipys(data):
    scores, truth, sizes = data
    table = complexity_correlations(*map(pd.Series, data)).set_index("statistic")
    expected = {
        "tau_score_complexity": scipy_tau(scores, sizes),
        "tau_truth_complexity": scipy_tau(truth, sizes),
        "rho_difference_complexity": scipy_rho(differences(scores, truth).round(9), sizes),
        "partial_rho": partial_if_defined(scores, truth, sizes),
    }
    for name, value in expected.items():
        assert table.loc[name, "value"] == pytest.approx(value, abs=1e-9, nan_ok=True), name
    if len(scores) < 10:
        assert table["low"].isna().all()
