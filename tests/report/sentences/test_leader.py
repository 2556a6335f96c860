"""What the verdict says of the leader."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from judged import judge

from benchsuite.report.render.words import number

NAMES = ("nwot", "plain")


def _said(results):
    return judge(results).said


@pytest.fixture(scope="module")
def results(make_results):
    return make_results(n=150, estimators=NAMES, seeds=1).benchmarks[0]


def test_verdict_names_the_best_estimator_first_with_its_tau_and_interval(results):
    judgement = judge(results)
    best = judgement.leaderboard.set_index("estimator").loc["nwot"]
    first = judgement.verdict[0]
    assert first.startswith("Of the 2 estimators besides the baselines, nwot ranks these 150 architectures best")
    assert f"{best['kendall_tau']:.3f}" in first
    assert f"{best['kendall_tau_low']:.2f} to {best['kendall_tau_high']:.2f}" in first


def test_verdict_does_not_praise_the_best_of_what_is_worse_than_chance(results):
    only = results.scores["estimator"].isin(["plain", "params", "flops"])
    said = judge(replace(results, scores=results.scores[only])).verdict
    assert said[0].startswith("No estimator ranks better than chance: plain has the highest tau-b")
    assert "significantly worse than MAC count" in said[1]


def test_verdict_says_of_several_trials_what_they_differ_in(make_results):
    made = make_results(n=20, estimators=("nwot",)).benchmarks[0]
    again = [made.scores.assign(batch_seed=seed) for seed in (1, 2)]
    seeded = [rows[rows["seed"].notna()] for rows in again]
    crossed = replace(made, scores=pd.concat([made.scores, *seeded], ignore_index=True))
    assert "mean of 3 initialisations)" in _said(made)
    assert ", one initialisation)" in _said(make_results(n=20, estimators=("nwot",), seeds=1).benchmarks[0])
    assert "mean of 9 runs: 3 initialisations x 3 minibatches)" in _said(crossed)
    for family, words in {"one-shot": "trainings", "imported": "seeds"}.items():
        assert f"mean of 3 {words})" in _said(replace(made, scores=made.scores.assign(family=family)))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_verdict_on_a_handful_of_architectures_has_no_undefined_number(make_results, n):
    said = _said(make_results(n=n, estimators=("nwot", "plain"), seeds=2).benchmarks[0])
    assert "nan" not in said


def test_verdict_with_nothing_but_baselines_says_so(results):
    none = replace(results, scores=results.scores.iloc[:0])
    said = judge(none).verdict[0]
    assert said.startswith("No estimator other than the baselines")
    params = judge(none).leaderboard.set_index("estimator").loc["params", "kendall_tau"]
    assert f"parameter count ({number(params)}" in said


def test_verdict_says_who_finds_more_of_the_best_than_the_leader(make_results):
    part = make_results(n=400, estimators=("nwot",), seeds=1).benchmarks[0]
    truth, ours = part.truth, part.scores["estimator"] == "nwot"
    flat = truth.where(truth < truth.quantile(0.9), truth.quantile(0.9))  # ranks all but the best, which it cannot tell
    upright = truth.where(truth >= truth.quantile(0.9), 0.0)  # finds the best alone
    leading = part.scores[ours].assign(value=part.scores.loc[ours, "architecture"].map(flat))
    finding = leading.assign(estimator="finder", value=leading["architecture"].map(upright))
    judgement = judge(replace(part, scores=pd.concat([part.scores[~ours], leading, finding])))
    top = judgement.leaderboard.set_index("estimator")["precision_at_top@0.05"]
    said = judgement.said
    assert judgement.order[0] == "nwot"
    assert f"finder recovers more of the true top 5% (P@5% = {number(top['finder'], 2)} (" in said
    assert f", leader: {number(top['nwot'], 2)} (" in said
    assert "the difference is not significant" not in said.partition("finder recovers more")[2].partition(". ")[0]
    alone = judge(replace(part, scores=pd.concat([part.scores[~ours], leading.assign(value=finding["value"])])))
    assert "No estimator recovers more of the true top 5%: P@5% = 1.00" in alone.said
