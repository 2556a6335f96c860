import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tied_columns import NAN, columns, enumerated

from benchsuite.analysis.extremes import extremes
from benchsuite.analysis.precision import precision
from benchsuite.analysis.ranking import Ranking
from benchsuite.analysis.top_k import (
    best_rank_at,
    precision_at_bottom,
    precision_at_top,
    regret_at,
    top_count,
    worst_rank_at,
)
from benchsuite.core.errors import BenchsuiteError

CRITERIA = (precision_at_top, precision_at_bottom, best_rank_at, worst_rank_at, regret_at)


@settings(max_examples=60, deadline=None)
@given(columns(largest=5), st.data())
def test_every_criterion_is_the_mean_over_all_ways_to_break_ties(data, choice):
    scores, truth = data
    k = choice.draw(st.integers(1, len(scores)))
    figures = [criterion(scores, truth, k / len(scores)) for criterion in CRITERIA]
    assert figures == pytest.approx(enumerated(scores, truth, k), abs=1e-9)


@given(columns(largest=30), st.randoms(use_true_random=False), st.sampled_from([0.1, 0.2, 0.5]))
def test_shuffled_rows_change_nothing(data, random, fraction):
    scores, truth = data
    order = random.sample(range(len(scores)), len(scores))
    for criterion in CRITERIA:
        before = criterion(scores, truth, fraction)
        assert criterion(scores[order], truth[order], fraction) == pytest.approx(before, abs=1e-12, nan_ok=True)


@given(st.integers(20, 60), st.sampled_from([0.05, 0.1, 0.5]))
def test_constant_estimator_is_as_precise_as_drawing_lots(n, fraction):
    truth = np.random.default_rng(n).permutation(n)
    expected = top_count(n, fraction) / n
    for constant in (np.zeros(n), np.full(n, NAN)):
        assert precision_at_top(constant, truth, fraction) == pytest.approx(expected)
        assert precision_at_top(constant, np.sort(truth), fraction) == pytest.approx(expected)


@given(columns(smallest=4, largest=20))
def test_undefined_scores_are_never_selected_before_defined_ones(data):
    scores, truth = data
    defined = int(np.count_nonzero(~np.isnan(scores)))
    best = np.where(np.isnan(scores), truth.max() + 5 + np.arange(scores.size), truth)  # the undefined are truly best
    for k in range(1, defined + 1):
        fraction = k / scores.size
        assert regret_at(scores, best, fraction) >= best.max() - truth.max() - 1e-9
        assert best_rank_at(scores, best, fraction) > (scores.size - defined) / scores.size


def test_many_ties_agree_with_a_simulation_of_the_lots():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 12, 200).astype(float)
    scores = np.clip(truth + rng.integers(-6, 7, 200), 0, 9)
    draws = []
    for _ in range(1500):
        broken = Ranking.of(scores + rng.random(200) / 2, truth + rng.random(200) / 2)
        lots = extremes(broken, broken.whole(), [20])[:, 0, 0]
        draws.append([*precision(broken, broken.whole(), [20])[:, 0, 0], *lots[:2]])
    error = np.std(draws, axis=0) / np.sqrt(1500)
    exact = [criterion(scores, truth, 0.1) for criterion in CRITERIA[:4]]
    assert (np.abs(np.mean(draws, axis=0) - exact) < 5 * error + 1e-12).all()


def test_best_and_worst_rank_of_ten_thousand_tied_scores():
    n, k = 10_000, 500
    truth = np.random.default_rng(0).permutation(n)
    expected = (n + 1) / (k + 1)  # smallest of k drawn from 1..n
    assert best_rank_at(np.zeros(n), truth, k / n) * n == pytest.approx(expected, rel=1e-9)
    assert worst_rank_at(np.zeros(n), truth, k / n) * n == pytest.approx(n + 1 - expected, rel=1e-9)


def test_a_third_of_thirty_by_a_tenth_is_three():
    assert [top_count(30, 0.1), top_count(100, 0.29), top_count(999, 0.001)] == [3, 29, 0]


def test_too_small_a_fraction_is_undefined():
    assert all(np.isnan(criterion([1.0, 2.0], [1.0, 2.0], 0.1)) for criterion in CRITERIA)


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.5, NAN])
def test_impossible_fraction_is_refused(fraction):
    with pytest.raises(BenchsuiteError, match="fraction"):
        precision_at_top([1.0], [1.0], fraction)
