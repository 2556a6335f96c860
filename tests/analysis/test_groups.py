import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tied_columns import NAN, as_worst, columns, scipy_tau

from benchsuite.analysis.groups import end_members, quantile_groups, tau_inside, tau_within_ends
from benchsuite.analysis.top_k import FRACTIONS, top_count


@given(columns(smallest=2, largest=20))
def test_ends_hold_all_tied_at_the_cut_and_the_undefined_at_the_bottom(data):
    scores, _ = data
    k = top_count(len(scores), 0.5)
    top, bottom = end_members(scores, 0.5, "top"), end_members(scores, 0.5, "bottom")
    assert top.sum() >= k <= bottom.sum()
    if np.isnan(scores).any():
        assert bottom[np.isnan(scores)].all()
    if top.any() and not top.all():
        assert np.nan_to_num(scores[top], nan=-1e308).min() > np.nan_to_num(scores[~top], nan=-1e308).max()


def test_tau_within_ends_equals_scipy_on_the_subset():
    rng = np.random.default_rng(0)
    truth = pd.Series(rng.normal(size=500))
    scores = truth + pd.Series(rng.normal(size=500))
    table = tau_within_ends(scores, truth).set_index(["by", "end", "k"])
    assert len(table) == 4 * len(FRACTIONS)
    best = scores.nlargest(50).index
    row = table.loc[("scores", "top", 0.1)]
    assert row["n"] == 50
    assert row["kendall_tau"] == pytest.approx(stats.kendalltau(scores[best], truth[best]).statistic)
    worst = truth.nsmallest(250).index
    row = table.loc[("truth", "bottom", 0.5)]
    assert row["kendall_tau"] == pytest.approx(stats.kendalltau(scores[worst], truth[worst]).statistic)
    assert row["tau_low"] < row["kendall_tau"] < row["tau_high"]
    assert np.isnan(table.loc[("truth", "top", 0.001), "kendall_tau"])


@given(columns(undefined=False), st.integers(1, 6))
def test_groups_follow_the_middle_of_the_ranks_and_keep_equal_values_together(data, groups):
    values = data[0]
    found = quantile_groups(values, groups)
    wanted = np.floor((stats.rankdata(values) - 0.5) * groups / len(values))
    assert sorted(set(found)) == list(range(1, len(set(wanted)) + 1))
    for i, j in itertools.combinations(range(len(values)), 2):
        assert (found[i] < found[j]) == (wanted[i] < wanted[j])
        assert values[i] != values[j] or found[i] == found[j]


@given(columns())
def test_tau_inside_equals_scipy_with_ties_and_undefined_scores(data):
    scores, truth = data
    varies = len(np.unique(as_worst(scores))) > 1 and len(np.unique(truth)) > 1
    expected = stats.kendalltau(as_worst(scores), truth).statistic if varies else np.nan
    found = tau_inside(scores, truth, 0.95)
    assert found["kendall_tau"] == pytest.approx(expected, nan_ok=True)
    if len(scores) < 10:
        assert np.isnan(found["tau_low"])
        assert np.isnan(found["tau_high"])


@settings(max_examples=40)
@given(columns(largest=14))
def test_tau_within_ends_is_scipys_on_all_that_no_k_others_beat(data):
    scores, truth = as_worst(data[0]), data[1]
    table = tau_within_ends(*map(pd.Series, data)).set_index(["by", "end", "k"])
    for (by, end, fraction), row in table.iterrows():
        values = (scores if by == "scores" else truth) * (1 if end == "top" else -1)
        k = int(fraction * len(values) + 1e-9)
        inside = np.array([sum(other > value for other in values) < k for value in values])
        assert row["n"] == inside.sum()
        expected = scipy_tau(scores[inside], truth[inside]) if k else NAN
        assert row["kendall_tau"] == pytest.approx(expected, nan_ok=True)
