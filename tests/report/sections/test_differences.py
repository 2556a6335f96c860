"""Paired differences between estimators."""

from __future__ import annotations

import pytest
from judged import judge

from benchsuite.analysis.significance import not_significant
from benchsuite.report.sections.differences import pairs_table
from benchsuite.report.sentences.differences import against


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 60 architectures on two data sets."""
    return make_results(("nasbench201/cifar10", "nasbench201/digits"), 60, ("nwot", "synflow", "plain"), seeds=2)


@pytest.fixture(scope="module")
def judgement(results):
    return judge(results.benchmarks[0])


def test_differences_with_one_estimator_have_the_sign_of_the_leaderboard(judgement):
    taus = judgement.leaderboard.set_index("estimator")["kendall_tau"]
    for other in taus.index:
        table = against(judgement.comparisons, other)
        for name, row in table.iterrows():
            assert row["difference"] == pytest.approx(taus[name] - taus[other])
            assert row["low"] <= row["difference"] <= row["high"]
    assert set(not_significant(judgement.comparisons, "plain")).isdisjoint({"nwot"})
    table = pairs_table(judgement.leaderboard, judgement.comparisons)
    assert {len(row) for row in table.rows} == {len(table.columns)}
