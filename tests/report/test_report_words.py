"""The verdict says what the figures say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchsuite.report.judge import judge
from benchsuite.report.page import problems
from benchsuite.report.verdict import verdict
from benchsuite.report.words import number


def _said(results):
    return " ".join(verdict(judge(results)))


@pytest.fixture(scope="module")
def results(make_results):
    return make_results(n=150, estimators=("nwot", "plain"), seeds=1).benchmarks[0]


def test_verdict_names_the_best_estimator_first_with_its_tau_and_interval(results):
    judgement = judge(results)
    best = judgement.leaderboard.set_index("estimator").loc["nwot"]
    first = verdict(judgement)[0]
    assert first.startswith("nwot ranks these 150 architectures best")
    assert f"{best['kendall_tau']:.3f}" in first
    assert f"{best['kendall_tau_low']:.2f} to {best['kendall_tau_high']:.2f}" in first


def test_verdict_says_that_a_far_better_estimator_is_separable_from_every_other_and_by_how_much(results):
    judgement = judge(results)
    taus = judgement.leaderboard.set_index("estimator")["kendall_tau"]
    assert f"{taus['nwot'] - taus['plain']:.3f} of tau-b above the next, plain" in " ".join(verdict(judgement))


def test_verdict_says_that_equal_estimators_are_not_separable(results):
    twin = results.scores[results.scores["estimator"] == "nwot"].assign(estimator="twin")
    said = _said(replace(results, scores=pd.concat([results.scores, twin])))
    assert "not separable from twin" in said or "not separable from nwot" in said


def test_verdict_says_that_the_best_is_worse_than_size(results):
    only = results.scores["estimator"].isin(["plain", "params", "flops"])
    said = _said(replace(results, scores=results.scores[only]))
    assert "separably worse than counting" in said
    assert "0 of 1 estimators rank better than size" in said


def test_verdict_names_the_strongest_bias_and_its_side(results):
    size = results.scores[results.scores["estimator"] == "params"]
    biased = size.assign(estimator="large_first", family="zero-shot")
    said = _said(replace(results, scores=pd.concat([results.scores, biased])))
    assert "large_first has the strongest bias by size" in said
    assert "too high on average" in said or "too low on average" in said


def test_verdict_counts_undefined_failed_and_missing_scores(results):
    scores = results.scores.copy()
    rows = scores.index[scores["estimator"] == "nwot"]
    scores.loc[rows[0], ["value", "status"]] = [np.nan, "undefined"]
    scores.loc[rows[1:3], ["value", "status", "reason"]] = [np.nan, "failed", "out of memory"]
    partial = replace(results, scores=scores.drop(rows[3:10]))
    said = _said(partial)
    assert "1 score is undefined" in said
    assert "2 scores are failed" in said
    assert "7 scores are missing" in said
    listed = problems(judge(partial))
    assert "nwot: 2 failed (out of memory)" in listed
    assert "nwot: 7 missing (not scored yet)" in listed


def test_verdict_of_a_complete_run_says_that_nothing_is_missing(results):
    assert "Every score asked for is there and defined." in _said(results)


def test_verdict_without_repeated_trainings_says_that_there_is_no_ceiling(make_results):
    single = make_results(n=30, estimators=("nwot",), seeds=1, trials=1).benchmarks[0]
    assert judge(single).ceiling is None
    assert "no ceiling can be given" in _said(single)


def test_verdict_with_repeated_trainings_says_how_much_of_the_ceiling_is_reached(results):
    assert "a perfect estimator would reach" in _said(results)


def test_verdict_on_three_architectures_claims_no_lead(make_results):
    said = _said(make_results(n=3, estimators=("nwot", "plain"), seeds=1).benchmarks[0])
    assert "too few architectures" in said
    assert "separably better" not in said
    assert "group of sizes" not in said


def test_verdict_says_of_several_trials_what_they_differ_in(make_results):
    made = make_results(n=20, estimators=("nwot",)).benchmarks[0]
    again = [made.scores.assign(batch_seed=seed) for seed in (1, 2)]
    seeded = [rows[rows["seed"].notna()] for rows in again]
    crossed = replace(made, scores=pd.concat([made.scores, *seeded], ignore_index=True))
    assert "mean of 3 initialisations)" in _said(made)
    assert "mean of 9 trials: 3 initialisations x 3 minibatches)" in _said(crossed)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_verdict_on_a_handful_of_architectures_has_no_undefined_number(make_results, n):
    said = _said(make_results(n=n, estimators=("nwot", "plain"), seeds=2).benchmarks[0])
    assert "nan" not in said


def test_verdict_with_nothing_but_baselines_says_so(results):
    none = replace(results, scores=results.scores.iloc[:0])
    said = verdict(judge(none))[0]
    assert said.startswith("No estimator but the baselines")
    params = judge(none).leaderboard.set_index("estimator").loc["params", "kendall_tau"]
    assert f"counting parameters ({number(params)}" in said
