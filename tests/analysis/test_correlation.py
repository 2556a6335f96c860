import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats
from tied_columns import NAN, columns, scipy_pearson, scipy_rho, scipy_tau, signs

from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import (
    kendall_tau,
    kendall_tau_a,
    partial_correlation,
    partial_without_each,
    pearson_r,
    pearson_without_each,
    rho_without_each,
    spearman_rho,
    tau_a_without_each,
    tau_b_without_each,
)
from benchsuite.analysis.ranking import average_ranks


def without_each(figure, scores, truth):
    return [figure(np.delete(scores, i), np.delete(truth, i)) for i in range(len(scores))]


@given(columns())
def test_tau_b_and_rho_equal_scipy_with_undefined_scores_worst(data):
    assert kendall_tau(*data) == pytest.approx(scipy_tau(*data), abs=1e-12, nan_ok=True)
    assert spearman_rho(*data) == pytest.approx(scipy_rho(*data), abs=1e-12, nan_ok=True)


@given(columns(smallest=2))
def test_tau_a_is_the_papers_sum_over_pairs(data):
    scores, truth = data
    pairs = len(scores) * (len(scores) - 1)
    assert kendall_tau_a(*data) == pytest.approx((signs(scores) * signs(truth)).sum() / pairs, abs=1e-12)


def test_pearson_equals_scipy_on_finite_pairs():
    rng = np.random.default_rng(0)
    x, y = rng.normal(5, 2, 50), rng.normal(size=50)
    expected = stats.pearsonr(x[3:], y[3:]).statistic
    x[:3] = [np.nan, np.inf, -np.inf]
    assert pearson_r(x, y) == pytest.approx(expected, abs=1e-12)


def test_pearson_survives_the_largest_and_smallest_numbers():
    assert pearson_r([1e308, -1e308, 0], [5e-324, 1e-323, 0]) == pytest.approx(-0.5)


@pytest.mark.parametrize("figure", [kendall_tau, spearman_rho, pearson_r])
@pytest.mark.parametrize("scores", [[], [1.0], [2.0, 2.0, 2.0], [NAN, NAN, NAN]])
def test_correlation_with_a_constant_is_undefined(figure, scores):
    assert np.isnan(figure(scores, [1.0, 2.0, 3.0][: len(scores)]))


@settings(max_examples=60)
@given(columns(largest=9, undefined=False))
def test_figures_without_each_item_equal_recomputation(data):
    pairs = concordance(*data)
    for figure, fast, slow in (
        ("tau-b", tau_b_without_each(pairs), scipy_tau),
        ("tau-a", tau_a_without_each(pairs), kendall_tau_a),
        ("rho", rho_without_each(*data, pairs), scipy_rho),
    ):
        assert fast.value == pytest.approx(slow(*data), abs=1e-9, nan_ok=True), figure
        assert fast.without.tolist() == pytest.approx(without_each(slow, *data), abs=1e-9, nan_ok=True), figure


@settings(max_examples=60)
@given(columns(largest=9, undefined=False))
def test_pearson_without_each_item_equals_recomputation(data):
    scores, truth = average_ranks(data[0]), data[1]
    fast = pearson_without_each(scores, truth)
    assert fast.value == pytest.approx(scipy_pearson(scores, truth), abs=1e-9, nan_ok=True)
    assert fast.without.tolist() == pytest.approx(without_each(scipy_pearson, scores, truth), abs=1e-9, nan_ok=True)


def test_tau_without_each_is_right_at_thousands_of_items():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=3000).round(2)
    scores = (truth + rng.normal(size=3000)).round(1)
    figure = tau_b_without_each(concordance(scores, truth))
    assert figure.value == pytest.approx(stats.kendalltau(scores, truth).statistic, abs=1e-12)
    for i in (0, 1234, 2999):
        rest = stats.kendalltau(np.delete(scores, i), np.delete(truth, i)).statistic
        assert figure.without[i] == pytest.approx(rest, abs=1e-12)


def test_partial_correlation_is_that_of_what_regression_on_the_third_leaves():
    rng = np.random.default_rng(0)
    columns = np.array([1.0, 2.0, 0.5])[:, None] * rng.normal(size=12) + rng.normal(size=(3, 12))

    def by_residuals(x, y, size):
        left = [column - np.polyval(np.polyfit(size, column, 1), size) for column in (x, y)]
        return stats.pearsonr(*left).statistic

    pairs = ((0, 1), (0, 2), (1, 2))
    found = partial_without_each(*(pearson_without_each(columns[i], columns[j]) for i, j in pairs))
    assert found.value == pytest.approx(by_residuals(*columns))
    expected = [by_residuals(*np.delete(columns, i, axis=1)) for i in range(12)]
    assert found.without.tolist() == pytest.approx(expected)


def test_partial_correlation_is_undefined_where_the_third_explains_one_of_them_up_to_rounding():
    nearly = np.sqrt(1 - 1e-11)
    found = partial_correlation(np.array([nearly, 0.5]), np.array([nearly, NAN]), np.array([0.9, 0.1]))
    assert np.isnan(found).all()
    assert partial_correlation(np.array([0.9]), np.array([0.9]), np.array([0.1])).item() == 1  # no three such exist


@settings(max_examples=40)
@given(columns())
def test_pearson_of_the_defined_equals_scipy(data):
    scores = np.where(np.abs(data[0]) > 1e6, np.sign(data[0]) * 7, data[0])  # scipy's squares overflow
    assert pearson_r(scores, data[1]) == pytest.approx(scipy_pearson(scores, data[1]), abs=1e-9, nan_ok=True)
