"""What the verdict says of the leader and size."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from judged import judge

from benchsuite.report.sections.protocol import problems

NAMES = ("nwot", "plain")


def _said(results):
    return judge(results).said


@pytest.fixture(scope="module")
def results(make_results):
    return make_results(n=150, estimators=NAMES, seeds=1).benchmarks[0]


def _of_part(results, name, wanted):
    """The results, in which an estimator has scored the wanted architectures alone."""
    scores = results.scores
    return replace(results, scores=scores[(scores["estimator"] != name) | scores["architecture"].isin(wanted)])


def test_verdict_says_directly_after_the_headline_that_size_ranks_better(results):
    snip = results.scores[results.scores["estimator"] == "plain"].copy()
    snip["value"] = -snip["value"]
    rest = results.scores["estimator"].isin(["plain", "params", "flops"])
    said = judge(replace(results, scores=pd.concat([results.scores[rest], snip.assign(estimator="snip")]))).verdict
    assert said[0].startswith("Of the 2 estimators besides the baselines, snip ranks")
    assert "parameter count (" in said[1]
    assert "0 of 2 estimators are significantly better than both." in said[1]


@pytest.mark.parametrize("name", ["params", "flops"])
def test_a_count_of_size_from_a_file_is_the_reference_and_missing_scores_are_not_in_the_file(results, name):
    family = results.scores["estimator"].map({name: "imported", "nwot": "imported"}).fillna("baseline")
    rows = results.scores.assign(family=family)[results.scores["estimator"].isin([name, "nwot"])]
    partial = _of_part(replace(results, scores=rows), "nwot", results.truth.index[7:])
    judged = judge(partial)
    assert judged.leaderboard.set_index("estimator").loc[name, "reference"]
    said = judged.said
    assert said.startswith("nwot, the only estimator besides the baselines, ranks the 143 of 150 architectures")
    assert "parameter count (" in said
    assert "7 scores are not in the file" in said
    assert "not finished" not in said
    assert "nwot: 7 not in the file" in problems(judged.tables)


def test_verdict_says_that_the_best_is_worse_than_size(results):
    only = results.scores["estimator"].isin(["plain", "params", "flops"])
    assert "significantly worse than MAC count" in _said(replace(results, scores=results.scores[only]))


def test_verdict_tests_nothing_against_size_on_nine_architectures(make_results):
    said = _said(make_results(n=9, estimators=("nwot", "plain"), seeds=1).benchmarks[0])
    assert "It could not be tested against MAC count (" in said
    assert "significantly" not in said
    assert "group of sizes" not in said
