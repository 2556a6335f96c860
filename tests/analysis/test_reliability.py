import itertools
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tied_columns import NAN, scipy_tau

from benchsuite.analysis.correlation import kendall_tau, pearson_r
from benchsuite.analysis.reliability import ceiling, seed_reliability
from benchsuite.analysis.top_k import precision_at_top
from benchsuite.core.errors import BenchsuiteError, UnsupportedError


def trained(n=4000, trainings=3, noise=1.0):
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(90, 2, (n, 1)) + rng.normal(0, noise, (n, trainings)))


def test_reliability_of_normal_noise_is_the_known_correlation():
    accuracy = trained()
    expected = 4 / np.sqrt((4 + 1) * (4 + 1 / 2))  # one training against the mean of two others
    assert seed_reliability(accuracy, pearson_r).value == pytest.approx(expected, abs=0.01)


def test_sorting_the_trainings_of_an_architecture_does_not_flatter_the_reliability():
    accuracy = trained()
    stored_sorted = pd.DataFrame(np.sort(accuracy, axis=1))
    figures = [seed_reliability(table, kendall_tau).value for table in (accuracy, stored_sorted)]
    assert figures[0] == pytest.approx(figures[1], abs=0.005)


def test_ceiling_of_normal_noise_is_the_known_correlation():
    figure = ceiling(trained(), pearson_r)
    spread = 4 + 1 / 3  # of the means; the simulated noise adds the variance of a mean of three
    assert figure.value == pytest.approx(np.sqrt(spread / (spread + 1 / 3)), abs=0.005)
    assert (figure.repeats, figure.n) == (200, 4000)
    assert 0 < figure.standard_deviation < 0.01


def test_only_architectures_trained_twice_count():
    accuracy = trained(100)
    accuracy.iloc[:30, 1:] = np.nan
    accuracy.iloc[30:60, 2] = np.nan
    figures = seed_reliability(accuracy, kendall_tau), ceiling(accuracy, kendall_tau, draws=20)
    assert [figure.n for figure in figures] == [70, 70]
    assert ceiling(accuracy.iloc[30:], kendall_tau, draws=20) == figures[1]
    assert all(0.5 < figure.value < 1 for figure in figures)


def test_figures_repeat_with_their_seed():
    accuracy = trained(200)
    for figure in (seed_reliability, ceiling):
        assert figure(accuracy, kendall_tau) == figure(accuracy, kendall_tau)
        assert figure(accuracy, kendall_tau) != figure(accuracy, kendall_tau, seed=1)


@pytest.mark.parametrize("figure", [seed_reliability, ceiling])
def test_single_trainings_have_neither_figure(figure):
    with pytest.raises(UnsupportedError, match="trained twice"):
        figure(trained(10, trainings=1), kendall_tau)


def test_no_draws_are_refused():
    with pytest.raises(BenchsuiteError, match="draws = 0; must be at least 1"):
        ceiling(trained(10), kendall_tau, draws=0)


@pytest.mark.parametrize(
    ("criterion", "reliability", "limit", "tolerance"),
    [(kendall_tau, 0.914, 0.961, 0.004), (partial(precision_at_top, fraction=0.05), 0.73, 0.88, 0.02)],
)
def test_nasbench201_is_as_reliable_as_known(shared, criterion, reliability, limit, tolerance):
    table = pd.read_parquet(shared / "data" / "nasbench201.parquet")
    accuracies = table.loc[table["c10_test200_nseeds"] == 3, [f"c10_test200_v{i}" for i in (1, 2, 3)]]
    assert len(accuracies) == 5081
    assert seed_reliability(accuracies, criterion).value == pytest.approx(reliability, abs=tolerance)
    assert ceiling(accuracies, criterion).value == pytest.approx(limit, abs=tolerance)


@st.composite
def trainings(draw):
    """Accuracies of 1 to 5 architectures in 1 to 3 trainings, some of them missing, few levels."""
    n, number = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    values = st.sampled_from([NAN, 90.0, 91.0, 92.0])
    drawn = draw(st.lists(values, min_size=n * number, max_size=n * number))
    return pd.DataFrame(np.reshape(drawn, (n, number)))


def rows_trained_twice(accuracy):
    rows = [row[~np.isnan(row)] for row in accuracy.to_numpy()]
    return [row for row in rows if len(row) > 1]


@settings(max_examples=60)
@given(trainings())
def test_reliability_is_one_training_against_the_others_whatever_their_order(accuracy):
    """A sum of products does not depend on which training comes first; tau is that of some order of each row's."""
    rows, number = rows_trained_twice(accuracy), accuracy.shape[1]
    if not rows:
        with pytest.raises(UnsupportedError, match="trained twice"):
            seed_reliability(accuracy, kendall_tau)
        return
    figure = seed_reliability(accuracy, lambda one, others: float((one * others).sum()))
    expected = sum((row.sum() ** 2 - (row**2).sum()) / (len(row) - 1) for row in rows) / number
    assert figure.value == pytest.approx(expected)
    assert figure.n == len(rows)
    if number == 2:
        possible = [
            np.mean([scipy_tau(one, other), scipy_tau(other, one)])
            for order in itertools.product(*(itertools.permutations(row) for row in rows))
            for one, other in [np.transpose(order)]
        ]
        found = seed_reliability(accuracy, kendall_tau).value
        assert any(found == pytest.approx(value, nan_ok=True) for value in possible)


@settings(max_examples=30)
@given(trainings())
def test_ceiling_adds_noise_of_the_means_standard_error(accuracy):
    rows = rows_trained_twice(accuracy)
    if not rows:
        with pytest.raises(UnsupportedError, match="trained twice"):
            ceiling(accuracy, kendall_tau)
        return
    drawn = []
    ceiling(accuracy, lambda scores, truth: drawn.append((scores, truth)) or 0.0, draws=300)
    means, errors = [row.mean() for row in rows], np.array([stats.sem(row) for row in rows])
    assert all(scores.tolist() == pytest.approx(means) for scores, _ in drawn)
    noise = np.array([truth - scores for scores, truth in drawn])
    assert (np.abs(noise.mean(axis=0)) <= 5 * errors / np.sqrt(300)).all()
    assert noise.std(axis=0) == pytest.approx(errors, rel=0.25)
    steady = accuracy[accuracy.nunique(axis=1) < 2]
    if rows_trained_twice(steady):
        means = np.array([row.mean() for row in rows_trained_twice(steady)])
        assert ceiling(steady, kendall_tau, draws=2).value == pytest.approx(scipy_tau(means, means), nan_ok=True)
