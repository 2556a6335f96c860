"""What the verdict says of scores that are not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from judged import judge

from benchsuite.report.sections.protocol import problems


@pytest.fixture(scope="module")
def results(make_results):
    return make_results(n=40, estimators=("nwot", "synflow")).benchmarks[0]


def test_verdict_of_a_stopped_run_counts_what_was_asked_for_and_names_who_has_no_score(results):
    begun = results.scores[results.scores["seed"].isna() | (results.scores["seed"] == 0)]
    stopped = judge(replace(results, scores=begun, asked={"nwot": 3, "synflow": 1, "snip": 3}))
    assert stopped.leaderboard.set_index("estimator").loc["nwot", "n_missing"] == 2 * 40
    assert stopped.verdict[-2:] == [
        "Not scored yet: snip.",
        "80 scores are missing, the run is not finished; estimators are evaluated on the available scores.",
    ]


NAMES = ("nwot", "plain")


def _said(one_run):
    return judge(one_run).said


@pytest.fixture(scope="module")
def one_run(make_results):
    return make_results(n=150, estimators=NAMES, seeds=1).benchmarks[0]


def test_verdict_counts_undefined_failed_and_missing_scores(one_run):
    scores = one_run.scores.copy()
    rows = scores.index[scores["estimator"] == "nwot"]
    scores.loc[rows[0], ["value", "status"]] = [np.nan, "undefined"]
    scores.loc[rows[1:3], ["value", "status", "reason"]] = [np.nan, "failed", "out of memory"]
    partial = replace(one_run, scores=scores.drop(rows[3:10]))
    said = _said(partial)
    assert "1 score is undefined" in said
    assert "2 scores are failed" in said
    assert "7 scores are missing" in said
    listed = problems(judge(partial).tables)
    assert "nwot: 2 failed (out of memory)" in listed
    assert "nwot: 7 missing (not scored yet)" in listed


def test_verdict_of_a_complete_run_says_that_nothing_is_missing(one_run):
    assert "All requested scores are available." in _said(one_run)
