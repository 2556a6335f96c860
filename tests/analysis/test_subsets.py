import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from scipy import stats
from tied_columns import columns

from benchsuite.analysis.subsets import end_members, tau_within_ends
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
