import numpy as np
import pytest

from benchsuite.analysis.uncertainty import LeaveOneOut, correlation_interval, jackknife_error, mean_interval


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
