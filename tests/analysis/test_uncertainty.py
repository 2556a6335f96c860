import numpy as np
import pytest

from benchsuite.analysis.uncertainty import (
    LeaveOneOut,
    bootstrap_weights,
    correlation_interval,
    jackknife_error,
    mean_interval,
    random_halves,
)


def test_jackknife_error_of_a_mean_is_the_textbook_standard_error():
    values = np.random.default_rng(0).normal(size=40)
    without = (values.sum() - values) / 39
    figure = LeaveOneOut(values.mean(), without)
    error = values.std(ddof=1) / np.sqrt(40)
    assert jackknife_error(figure) == pytest.approx(error)
    assert mean_interval(figure, 0.95) == pytest.approx(
        (values.mean() - 1.959964 * error, values.mean() + 1.959964 * error)
    )


def test_interval_of_a_correlation_stays_within_one():
    low, high = correlation_interval(LeaveOneOut(0.97, np.linspace(0.9, 1.0, 30)), 0.95)
    assert -1 < low < 0.97 < high < 1
    assert correlation_interval(LeaveOneOut(1.0, np.ones(30)), 0.95) == (1.0, 1.0)


def test_undefined_figure_has_no_interval():
    for figure in (LeaveOneOut(np.nan, np.full(30, np.nan)), LeaveOneOut(0.5, np.full(30, np.nan))):
        assert np.isnan(correlation_interval(figure, 0.95)).all()


def test_resamples_have_the_sizes_and_frequencies_they_should():
    weights = np.concatenate(list(bootstrap_weights(400, 300, seed=0)))
    assert weights.shape == (300, 400)
    assert (weights.sum(axis=1) == 400).all()
    assert weights.var() == pytest.approx(1, abs=0.03)  # binomial counts
    halves = np.concatenate(list(random_halves(401, 300, seed=0)))
    assert halves.shape == (300, 401)
    assert set(np.unique(halves)) == {0, 1}
    assert (halves.sum(axis=1) == 200).all()
    assert halves.mean(axis=0).std() == pytest.approx(0.5 / np.sqrt(300), rel=0.2)


def test_resamples_do_not_depend_on_what_is_judged():
    first, second = (np.concatenate(list(bootstrap_weights(50, 20, seed=3))) for _ in range(2))
    assert (first == second).all()
