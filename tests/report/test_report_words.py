"""The verdict says what the figures say."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import kendalltau, norm, rankdata

from benchsuite.report.render.words import number
from benchsuite.report.sections.protocol import problems

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
    assert first.startswith("Of the 2 estimators beside the baselines, nwot ranks these 150 architectures best")
    assert f"{best['kendall_tau']:.3f}" in first
    assert f"{best['kendall_tau_low']:.2f} to {best['kendall_tau_high']:.2f}" in first


def test_verdict_says_that_a_far_better_estimator_is_separable_from_every_other_and_by_how_much(results):
    judgement = judge(results)
    taus = judgement.leaderboard.set_index("estimator")["kendall_tau"]
    assert f"{taus['nwot'] - taus['plain']:.3f} of tau-b above the next, plain" in judgement.said


def test_verdict_says_that_equal_estimators_are_not_separable(results):
    twin = results.scores[results.scores["estimator"] == "nwot"].assign(estimator="twin")
    noise = 0.005 * np.random.default_rng(0).normal(size=len(twin)) * twin["value"].std()
    said = _said(replace(results, scores=pd.concat([results.scores, twin.assign(value=twin["value"] + noise)])))
    assert "It is not separable from twin:" in said or "It is not separable from nwot:" in said


def test_verdict_says_how_many_architectures_would_tell_the_leader_from_what_it_is_not_separable_from(results):
    rows = results.scores[results.scores["estimator"] == "nwot"]
    truth = results.truth.reindex(rows["architecture"]).to_numpy()
    noise = 0.4 * np.random.default_rng(9).normal(size=len(rows)) * truth.std()
    rival = rows.assign(estimator="rival", value=truth + noise)
    judgement = judge(replace(results, scores=pd.concat([results.scores, rival])))
    said = judgement.said
    pair = judgement.comparisons.set_index(["first", "second"]).loc[("nwot", "rival")]
    level = 0.05 / len(judgement.comparisons)
    ratio = pair["standard_error"] / pair["difference"] * (norm.isf(level / 2) + norm.ppf(0.8))
    found = re.search(r"about ([\d,]+) architectures would tell it from (rival|nwot) beside all other pairs", said)
    count = int(found.group(1).replace(",", ""))
    assert count > 150
    assert 0 <= count - 150 * ratio**2 < 0.1 * count
    one_test = pair["standard_error"] / pair["difference"] * (norm.isf(0.025) + norm.ppf(0.8))
    assert pair["architectures_needed"] == pytest.approx(150 * one_test**2)


def test_verdict_says_that_estimators_of_one_order_rank_exactly_alike(results):
    twin = results.scores[results.scores["estimator"] == "nwot"].assign(estimator="twin")
    twin["value"] = np.exp(twin["value"])
    said = _said(replace(results, scores=pd.concat([results.scores, twin])))
    assert "It and twin rank them exactly alike." in said
    assert "not separable from twin" not in said
    assert "above the next, plain" in said


def _of_part(results, name, wanted):
    """The results, in which an estimator has scored the wanted architectures alone."""
    scores = results.scores
    return replace(results, scores=scores[(scores["estimator"] != name) | scores["architecture"].isin(wanted)])


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
    assert "early has the highest tau, on the 30 of 150 architectures that it has scored: tau-b" in said[0]
    found = kendalltau(early[spread], truth[spread]).statistic
    assert f"tau-b {number(found)} " in said[0]
    behind = f"But on the 30 architectures that both have scored, wide is ahead of it by {number(1 - found)} of tau-b"
    assert behind in " ".join(said)
    assert "above the next, wide" not in " ".join(said)


def test_verdict_compares_the_leader_with_the_next_where_both_have_scores(results):
    some = results.truth.index[:60]
    said = _said(_of_part(results, "plain", some))
    nwot, plain = (results.scores.query("estimator == @name").set_index("architecture")["value"] for name in NAMES)
    tau, other = (kendalltau(values[some], results.truth[some]).statistic for values in (nwot, plain))
    assert f"{number(tau - other)} of tau-b above the next, plain on the 60 architectures of both" in said


def test_verdict_does_not_praise_the_best_of_what_is_worse_than_chance(results):
    only = results.scores["estimator"].isin(["plain", "params", "flops"])
    said = judge(replace(results, scores=results.scores[only])).verdict
    assert said[0].startswith("None of the estimators ranks better than chance: plain comes first")
    assert "separably worse than counting" in said[1]


def test_verdict_says_directly_after_the_headline_that_size_ranks_better(results):
    snip = results.scores[results.scores["estimator"] == "plain"].copy()
    snip["value"] = -snip["value"]
    rest = results.scores["estimator"].isin(["plain", "params", "flops"])
    said = judge(replace(results, scores=pd.concat([results.scores[rest], snip.assign(estimator="snip")]))).verdict
    assert said[0].startswith("Of the 2 estimators beside the baselines, snip ranks")
    assert "counting parameters (" in said[1]
    assert "0 of 2 estimators are separably better than both counts" in said[1]


@pytest.mark.parametrize("name", ["params", "flops"])
def test_a_count_of_size_from_a_file_is_the_reference_and_missing_scores_are_not_in_the_file(results, name):
    family = results.scores["estimator"].map({name: "imported", "nwot": "imported"}).fillna("baseline")
    rows = results.scores.assign(family=family)[results.scores["estimator"].isin([name, "nwot"])]
    partial = _of_part(replace(results, scores=rows), "nwot", results.truth.index[7:])
    judged = judge(partial)
    assert judged.leaderboard.set_index("estimator").loc[name, "reference"]
    said = judged.said
    assert said.startswith("nwot, the only estimator beside the baselines, ranks the 143 of 150 architectures")
    assert "counting parameters (" in said
    assert "7 scores are not in the file" in said
    assert "not finished" not in said
    assert "nwot: 7 not in the file" in problems(judged.tables)


def test_verdict_says_that_the_best_is_worse_than_size(results):
    only = results.scores["estimator"].isin(["plain", "params", "flops"])
    assert "separably worse than counting" in _said(replace(results, scores=results.scores[only]))


def test_verdict_names_the_strongest_bias_and_its_side(results):
    size = results.scores[results.scores["estimator"] == "params"]
    biased = size.assign(estimator="large_first", family="zero-shot")
    said = _said(replace(results, scores=pd.concat([results.scores, biased])))
    assert "large_first has the strongest bias by size" in said
    params = results.complexity["params"]
    name, side = re.search(r"with (\S+ to \S+) parameters are ranked .* (too high|too low) on average", said).groups()
    groups = judge(results).bias.query("estimator == 'nwot'").set_index("label")["group"]
    expected = pd.Series(rankdata(params) - rankdata(results.truth), params.index)  # high where ranked too high
    of_group = pd.qcut(params, 5, labels=False) + 1
    mean = expected[of_group == groups[name]].mean()
    assert abs(mean) == pytest.approx(expected.groupby(of_group).mean().abs().max())
    assert side == ("too high" if mean > 0 else "too low")


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
    listed = problems(judge(partial).tables)
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


def test_verdict_on_three_architectures_says_who_ranks_them_alike(make_results):
    part = make_results(n=3, estimators=("nwot",), seeds=1).benchmarks[0]
    twin = part.scores[part.scores["estimator"] == "nwot"].assign(estimator="twin")
    said = _said(replace(part, scores=pd.concat([part.scores, twin])))
    assert "It and twin rank them exactly alike. These are too few architectures" in said


def test_verdict_says_of_several_trials_what_they_differ_in(make_results):
    made = make_results(n=20, estimators=("nwot",)).benchmarks[0]
    again = [made.scores.assign(batch_seed=seed) for seed in (1, 2)]
    seeded = [rows[rows["seed"].notna()] for rows in again]
    crossed = replace(made, scores=pd.concat([made.scores, *seeded], ignore_index=True))
    assert "mean of 3 initialisations)" in _said(made)
    assert ", one initialisation)" in _said(make_results(n=20, estimators=("nwot",), seeds=1).benchmarks[0])
    assert "mean of 9 trials: 3 initialisations x 3 minibatches)" in _said(crossed)
    for family, words in {"one-shot": "trainings", "imported": "seeds"}.items():
        assert f"mean of 3 {words})" in _said(replace(made, scores=made.scores.assign(family=family)))


def test_verdict_of_one_that_passes_the_ceiling_gives_no_share_of_it(results):
    perfect = results.scores[results.scores["estimator"] == "nwot"]
    perfect = perfect.assign(value=perfect["architecture"].map(results.truth))
    said = _said(replace(results, scores=perfect))
    assert "a perfect estimator would reach" in said
    assert "of which the best reaches" not in said


def test_verdict_tests_nothing_against_size_on_nine_architectures(make_results):
    said = _said(make_results(n=9, estimators=("nwot", "plain"), seeds=1).benchmarks[0])
    assert "It is not tested against counting multiply-adds (" in said
    assert "separable" not in said
    assert "group of sizes" not in said


@pytest.mark.parametrize("n", [2, 3, 5])
def test_verdict_on_a_handful_of_architectures_has_no_undefined_number(make_results, n):
    said = _said(make_results(n=n, estimators=("nwot", "plain"), seeds=2).benchmarks[0])
    assert "nan" not in said


def test_verdict_with_nothing_but_baselines_says_so(results):
    none = replace(results, scores=results.scores.iloc[:0])
    said = judge(none).verdict[0]
    assert said.startswith("No estimator but the baselines")
    params = judge(none).leaderboard.set_index("estimator").loc["params", "kendall_tau"]
    assert f"counting parameters ({number(params)}" in said


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
    assert f"Of the best 5 %, finder finds more: P@top 5% {number(top['finder'], 2)} (" in said
    assert f"; it {number(top['nwot'], 2)} (" in said
    assert ", which may be chance" not in said.partition("finder finds more")[2].partition(". ")[0]
    alone = judge(replace(part, scores=pd.concat([part.scores[~ours], leading.assign(value=finding["value"])])))
    assert "None finds more of the best 5 % than it: P@top 5% 1.00" in alone.said


def test_verdict_names_the_group_of_sizes_that_the_leader_ranks_worst(make_results):
    judgement = judge(make_results(n=400, estimators=("synflow", "random"), seeds=1).benchmarks[0])
    said = judgement.said
    own = judgement.bias[(judgement.bias["estimator"] == "synflow") & (judgement.bias["complexity"] == "params")]
    sure = own[((own["low"] > 0) | (own["high"] < 0)) & (own["rank_difference"].abs() >= 5)]
    worst = sure.iloc[int(sure["rank_difference"].abs().argmax())]
    side = "too high" if worst["rank_difference"] > 0 else "too low"
    assert f"architectures with {worst['label']} parameters are ranked {abs(worst['rank_difference']):.0f} %" in said
    assert f"of the field {side} on average" in said
