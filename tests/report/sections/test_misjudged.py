"""The most misjudged architectures against plain recomputation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import rankdata

from benchsuite.report.sections.misjudged import mistakes, mistakes_table


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 60 architectures on two data sets."""
    return make_results(("nasbench201/cifar10", "nasbench201/digits"), 60, ("nwot", "synflow", "plain"), seeds=2)


@pytest.fixture(scope="module")
def judgement(results):
    return judge(results.benchmarks[0])


def _trials(judgement, name):
    rows = judgement.scores[judgement.scores["estimator"] == name]
    return [each.set_index("architecture")["value"] for _, each in rows.groupby("seed")]


def test_misjudged_architectures_are_those_of_the_largest_mean_rank_differences(judgement):
    by_truth = pd.Series(rankdata(-judgement.truth), judgement.truth.index)
    differences = [(by_truth - pd.Series(rankdata(-s), s.index)) / 60 for s in _trials(judgement, "nwot")]
    expected = 100 * (sum(differences) / len(differences)).sort_values(ascending=False)
    found = judgement.mistakes[judgement.mistakes["estimator"] == "nwot"].set_index("place")
    assert found.loc[1, "rank_difference"] == pytest.approx(expected.iloc[0])
    assert found.loc[1, "architecture"] == expected.index[0]
    assert found.loc[-1, "rank_difference"] == pytest.approx(expected.iloc[-1])
    assert found.loc[-1, "true_rank"] == by_truth[expected.index[-1]]
    assert len(mistakes_table(judgement.mistakes, judgement.order).rows) == len(judgement.order)


def test_a_perfect_estimator_misjudges_nothing():
    truth = pd.Series(np.arange(20.0), [f"a{number}" for number in range(20)])
    assert mistakes({"oracle": [truth]}, truth).empty
