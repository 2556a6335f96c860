"""Scores judged by the ground truth of other data sets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from judged import judge
from scipy.stats import kendalltau

from benchsuite.report.render.parts import tables_of


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


def test_scores_are_judged_by_the_truth_of_other_data_sets_too(results):
    part = results.benchmarks[0]
    assert judge(part).transfer.empty
    rng = np.random.default_rng(0)
    other = (part.truth + rng.normal(size=len(part.truth))).round(1).iloc[20:]
    judged = judge(replace(part, elsewhere={"svhn": other}))
    table = judged.transfer.set_index(["estimator", "judged_on"])
    taus = [kendalltau(each[other.index], other).statistic for each in _trials(judged, "nwot")]
    row = table.loc[("nwot", "svhn")]
    assert (row["n"], row["kendall_tau"]) == (len(other), pytest.approx(np.mean(taus)))
    board = judged.leaderboard.set_index("estimator")["kendall_tau"]
    assert table.loc[("nwot", "cifar10"), "kendall_tau"] == pytest.approx(board["nwot"])
    perfect = kendalltau(part.truth[other.index], other).statistic
    assert table.loc[("ground truth", "svhn"), "kendall_tau"] == pytest.approx(perfect)
    (shown,) = (each for each in tables_of(judged.page().parts) if each.name.startswith("transfer"))
    assert [row[0].text for row in shown.rows] == [*judged.order, "ground truth"]
