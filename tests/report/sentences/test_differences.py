"""What the verdict says of the leader's lead."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import kendalltau, norm

from benchsuite.report.render.words import number

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


def test_verdict_says_that_a_far_better_estimator_is_separable_from_every_other_and_by_how_much(results):
    judgement = judge(results)
    taus = judgement.leaderboard.set_index("estimator")["kendall_tau"]
    assert f"{taus['nwot'] - taus['plain']:.3f} higher than that of the runner-up, plain" in judgement.said


def test_verdict_says_that_equal_estimators_do_not_differ_significantly(results):
    twin = results.scores[results.scores["estimator"] == "nwot"].assign(estimator="twin")
    noise = 0.005 * np.random.default_rng(0).normal(size=len(twin)) * twin["value"].std()
    said = _said(replace(results, scores=pd.concat([results.scores, twin.assign(value=twin["value"] + noise)])))
    found = [f"Its lead over {name} is not significant (paired test, Holm-adjusted)." for name in ("twin", "nwot")]
    assert any(each in said for each in found)


def test_verdict_says_how_many_architectures_would_show_a_lead_that_is_not_significant(results):
    rows = results.scores[results.scores["estimator"] == "nwot"]
    truth = results.truth.reindex(rows["architecture"]).to_numpy()
    noise = 0.4 * np.random.default_rng(9).normal(size=len(rows)) * truth.std()
    rival = rows.assign(estimator="rival", value=truth + noise)
    judgement = judge(replace(results, scores=pd.concat([results.scores, rival])))
    said = judgement.said
    pair = judgement.comparisons.set_index(["first", "second"]).loc[("nwot", "rival")]
    level = 0.05 / len(judgement.comparisons)
    ratio = pair["standard_error"] / pair["difference"] * (norm.isf(level / 2) + norm.ppf(0.8))
    found = re.search(r"about ([\d,]+) architectures would be needed to detect it at 80% power", said)
    count = int(found.group(1).replace(",", ""))
    assert count > 150
    assert 0 <= count - 150 * ratio**2 < 0.1 * count
    one_test = pair["standard_error"] / pair["difference"] * (norm.isf(0.025) + norm.ppf(0.8))
    assert pair["architectures_needed"] == pytest.approx(150 * one_test**2)


def test_verdict_says_that_estimators_of_one_order_rank_exactly_alike(results):
    twin = results.scores[results.scores["estimator"] == "nwot"].assign(estimator="twin")
    twin["value"] = np.exp(twin["value"])
    said = _said(replace(results, scores=pd.concat([results.scores, twin])))
    assert "twin produces exactly the same ranking." in said
    assert "lead over twin" not in said
    assert "higher than that of the runner-up, plain" in said


def test_verdict_says_where_the_leader_scored_little_and_who_is_ahead_of_it_there(results):
    truth, scores = results.truth, results.scores
    spread = truth.sort_values().index[::5]  # 30 architectures far apart, which are easy to order
    noise = np.random.default_rng(1).normal(size=(2, len(truth)))
    rows = scores[scores["estimator"] == "nwot"]
    wide = truth + 6 * noise[0] * ~truth.index.isin(spread)  # perfect on the 30 alone
    early = truth + 0.2 * noise[1]
    made = [rows.assign(estimator=name, value=each.to_numpy()) for name, each in (("wide", wide), ("early", early))]
    partial = _of_part(replace(results, scores=pd.concat([scores, *made])), "early", spread)
    said = judge(partial).verdict
    assert "early has the highest tau-b, on the 30 of 150 architectures that it scored: tau-b" in said[0]
    found = kendalltau(early[spread], truth[spread]).statistic
    assert f"tau-b {number(found)} " in said[0]
    behind = f"However, on the 30 architectures scored by both, wide beats it by {number(1 - found)} tau-b"
    assert behind in " ".join(said)
    assert "runner-up, wide" not in " ".join(said)


def test_verdict_compares_the_leader_with_the_next_where_both_have_scores(results):
    some = results.truth.index[:60]
    said = _said(_of_part(results, "plain", some))
    nwot, plain = (results.scores.query("estimator == @name").set_index("architecture")["value"] for name in NAMES)
    tau, other = (kendalltau(values[some], results.truth[some]).statistic for values in (nwot, plain))
    lead = f"{number(tau - other)} higher than that of the runner-up, plain on the 60 architectures scored by both"
    assert lead in said


def test_verdict_on_three_architectures_claims_no_lead(make_results):
    said = _said(make_results(n=3, estimators=("nwot", "plain"), seeds=1).benchmarks[0])
    assert "too few architectures" in said
    assert "separably better" not in said
    assert "group of sizes" not in said


def test_verdict_on_three_architectures_says_who_ranks_them_alike(make_results):
    part = make_results(n=3, estimators=("nwot",), seeds=1).benchmarks[0]
    twin = part.scores[part.scores["estimator"] == "nwot"].assign(estimator="twin")
    said = _said(replace(part, scores=pd.concat([part.scores, twin])))
    assert "twin produces exactly the same ranking. There are too few architectures" in said
