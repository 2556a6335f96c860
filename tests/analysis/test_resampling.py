import numpy as np
import pytest

from benchsuite.analysis.resampling import bootstrap_weights, percentile_interval, random_halves


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


def test_percentiles_are_the_quantiles_at_both_ends():
    replicates = np.random.default_rng(0).permutation(np.linspace(0, 1, 1001))
    assert percentile_interval(replicates, 0.95) == pytest.approx((0.025, 0.975))
