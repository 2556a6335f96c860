"""What the verdict says of the noise of the ground truth."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from judged import judge

from benchsuite.report.sentences import truth


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 60 architectures on two data sets."""
    return make_results(("nasbench201/cifar10", "nasbench201/digits"), 60, ("nwot", "synflow", "plain"), seeds=2)


def test_verdict_of_an_estimator_worse_than_chance_reaches_nothing_of_the_ceiling(results):
    part = results.benchmarks[0]
    worst = replace(part, scores=part.scores[part.scores["estimator"].isin(["plain", "params"])])
    assert "of which the best estimator reaches 0%" in judge(worst).said


@pytest.fixture(scope="module")
def three_runs(make_results):
    return make_results(n=40, estimators=("nwot", "synflow")).benchmarks[0]


def test_verdict_names_a_ceiling_of_nothing(three_runs):
    nothing = pd.DataFrame({"criterion": ["kendall_tau"], "ceiling": [0.0], "n": [3]})
    said = [sentence for _, sentence in truth.sentences(nothing, judge(three_runs).leaderboard)]
    assert any("a perfect estimator would reach tau-b 0.00" in sentence for sentence in said)


NAMES = ("nwot", "plain")


def _said(one_run):
    return judge(one_run).said


@pytest.fixture(scope="module")
def one_run(make_results):
    return make_results(n=150, estimators=NAMES, seeds=1).benchmarks[0]


def test_verdict_without_repeated_trainings_says_that_there_is_no_ceiling(make_results):
    single = make_results(n=30, estimators=("nwot",), seeds=1, trials=1).benchmarks[0]
    assert judge(single).ceiling is None
    assert "label noise, and hence the achievable maximum, is unknown" in _said(single)


def test_verdict_with_repeated_trainings_says_how_much_of_the_ceiling_is_reached(one_run):
    assert "a perfect estimator would reach" in _said(one_run)


def test_verdict_of_one_that_passes_the_ceiling_gives_no_share_of_it(one_run):
    perfect = one_run.scores[one_run.scores["estimator"] == "nwot"]
    perfect = perfect.assign(value=perfect["architecture"].map(one_run.truth))
    said = _said(replace(one_run, scores=perfect))
    assert "a perfect estimator would reach" in said
    assert "of which the best reaches" not in said
