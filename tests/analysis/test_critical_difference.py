import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tied_columns import NAN

from benchsuite.analysis.critical_difference import critical_difference
from benchsuite.core.errors import UnsupportedError

# Table 6 of Demsar (JMLR 7, 2006): AUC of C4.5 and variants with m and cf tuned, on fourteen data sets. The paper ranks
# its two values of .975 apart, before rounding: hence the fourth digit of one.
DEMSAR = {
    "C4.5": [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.000, 0.940, 0.619, 0.972, 0.957],
    "C4.5+m": [0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.000, 0.962, 0.666, 0.981, 0.978],
    "C4.5+cf": [0.771, 0.590, 0.968, 0.654, 0.886, 0.916, 0.609, 0.563, 0.866, 1.000, 0.965, 0.614, 0.9751, 0.946],
    "C4.5+m+cf": [0.798, 0.569, 0.967, 0.657, 0.898, 0.931, 0.685, 0.625, 0.875, 1.000, 0.962, 0.669, 0.975, 0.970],
}


def test_published_example_has_the_published_ranks_and_differences():
    found = critical_difference(pd.DataFrame(DEMSAR).T)
    ranks = found.ranks.set_index("estimator")["mean_rank"]
    assert ranks.round(3).to_dict() == {"C4.5": 3.143, "C4.5+m": 2.0, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}
    assert found.difference == pytest.approx(1.25, abs=0.01)  # at the level of .05
    assert critical_difference(pd.DataFrame(DEMSAR).T, confidence=0.9).difference == pytest.approx(1.12, abs=0.01)
    assert found.groups == (("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"),)


def test_friedmans_test_is_scipys():
    rng = np.random.default_rng(0)
    figures = pd.DataFrame(rng.normal(size=(5, 7)) + np.arange(5)[:, None])
    found = critical_difference(figures)
    assert (found.statistic, found.p) == pytest.approx(tuple(stats.friedmanchisquare(*figures.to_numpy())))


def test_groups_are_maximal_and_hold_whom_the_difference_does_not_part():
    rng = np.random.default_rng(0)
    figures = pd.DataFrame(rng.normal(size=(6, 30)) - 0.6 * np.arange(6)[:, None], index=list("abcdef"))
    found = critical_difference(figures)
    ranks = found.ranks.set_index("estimator")["mean_rank"]
    together = {frozenset(pair) for group in found.groups for pair in ((a, b) for a in group for b in group if a != b)}
    for a in ranks.index:
        for b in ranks.index:
            if a != b:
                assert (frozenset((a, b)) in together) == (abs(ranks[a] - ranks[b]) <= found.difference)
    sets = [set(group) for group in found.groups]
    assert not any(a < b for a in sets for b in sets)


def test_estimators_that_lack_a_benchmark_are_left_out():
    figures = pd.DataFrame(DEMSAR).T
    figures.loc["C4.5", 0] = np.nan
    assert "C4.5" not in critical_difference(figures).ranks["estimator"].tolist()
    with pytest.raises(UnsupportedError, match="1 estimators"):
        critical_difference(figures.iloc[:2])


@settings(max_examples=30)
@given(st.integers(2, 5), st.integers(2, 5), st.integers(0, 999))
def test_mean_ranks_and_friedmans_test_are_scipys_with_ties_and_missing_figures(k, benchmarks, seed):
    rng = np.random.default_rng(seed)
    values = rng.choice([0.1, 0.2, 0.3][: 1 + seed % 3], size=(k, benchmarks))  # also all equal
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
