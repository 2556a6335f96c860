import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tied_columns import NAN

from benchsuite.analysis.cost import break_even, pareto_front


def test_training_pays_from_where_both_cost_the_same():
    number = break_even(training=1000.0, reading=0.2, other=0.7)
    assert 1000 + 0.2 * number == pytest.approx(0.7 * number)
    assert break_even(1000, 0.7, 0.7) == np.inf
    assert break_even(0, 0.1, 0.7) == 0
    assert np.isnan(break_even(np.nan, 0.1, 0.7))


def test_front_holds_what_no_other_point_beats():
    rng = np.random.default_rng(0)
    for _ in range(20):
        cost, worth = rng.integers(0, 5, 12), rng.integers(0, 5, 12)
        beaten = [
            any(
                c <= cost[i] and w >= worth[i] and (c, w) != (cost[i], worth[i])
                for c, w in zip(cost, worth, strict=True)
            )
            for i in range(12)
        ]
        assert pareto_front(cost, worth).tolist() == np.logical_not(beaten).tolist()
    assert pareto_front([1, np.nan], [np.nan, 2]).tolist() == [False, False]


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
