"""The figures of a report are those that scipy computes from the same scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import kendalltau, rankdata, spearmanr

from benchsuite.report.sentences import truth
from benchsuite.suites.schema import CombinationChoice


@pytest.fixture(scope="module")
def results(make_results):
    return make_results(n=40, estimators=("nwot", "synflow")).benchmarks[0]


@pytest.fixture(scope="module")
def judgement(results):
    return judge(results)


def _by_trial(results, estimator, statistic):
    rows = results.scores[results.scores["estimator"] == estimator]
    return [
        statistic(part["value"], results.truth.reindex(part["architecture"])).statistic
        for _, part in rows.groupby(["seed", "batch_seed"], dropna=False)
    ]


@pytest.mark.parametrize(("key", "statistic"), [("kendall_tau", kendalltau), ("spearman_rho", spearmanr)])
@pytest.mark.parametrize("estimator", ["nwot", "synflow", "params"])
def test_leaderboard_holds_the_mean_of_scipys_figures_over_seeds(results, judgement, key, statistic, estimator):
    expected = _by_trial(results, estimator, statistic)
    row = judgement.leaderboard.set_index("estimator").loc[estimator]
    assert row[key] == pytest.approx(np.mean(expected), abs=1e-12)
    assert row[f"{key}_low"] < row[key] < row[f"{key}_high"]


def test_deviation_over_seeds_is_the_sample_deviation_and_absent_for_one_seed(results, judgement):
    board = judgement.leaderboard.set_index("estimator")
    expected = np.std(_by_trial(results, "nwot", kendalltau), ddof=1)
    assert board.loc["nwot", "kendall_tau_standard_deviation"] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(board.loc["synflow", "kendall_tau_standard_deviation"])


def test_leaderboard_is_ordered_by_tau_and_marks_baselines(judgement):
    board = judgement.leaderboard
    assert board["kendall_tau"].is_monotonic_decreasing
    assert set(board.loc[board["reference"], "estimator"]) == {"params", "flops"}


def test_size_baselines_stand_in_the_leaderboard_although_no_one_asked_for_them(results):
    asked = results.scores[results.scores["estimator"] == "nwot"]
    board = judge(replace(results, scores=asked)).leaderboard.set_index("estimator")
    expected = kendalltau(results.complexity["params"], results.truth).statistic
    assert board.loc["params", "kendall_tau"] == pytest.approx(expected, abs=1e-12)
    assert "flops" in board.index


BOTH = CombinationChoice("rank_mean", ("nwot", "synflow"), "both")


def _ranks(results, estimator, seed=None):
    rows = results.scores[results.scores["estimator"] == estimator]
    rows = rows if seed is None else rows[rows["seed"] == seed]
    values = rows.set_index("architecture")["value"].reindex(results.truth.index)
    return rankdata(values.fillna(values.min() - 1))


def test_a_combination_has_the_seeds_of_its_parts_and_repeats_those_that_have_none(results):
    judgement = judge(replace(results, combinations=(BOTH,)))
    row = judgement.leaderboard.set_index("estimator").loc["both"]
    unseeded = _ranks(results, "synflow")
    taus = [kendalltau(_ranks(results, "nwot", seed) + unseeded, results.truth).statistic for seed in range(3)]
    assert row["kendall_tau"] == pytest.approx(np.mean(taus), abs=1e-12)
    assert row["kendall_tau_standard_deviation"] == pytest.approx(np.std(taus, ddof=1), abs=1e-12)
    assert (row["family"], row["mark"], row["trials"], row["n_missing"]) == ("combination", "combination", 3, 0)
    for table in (judgement.criteria, judgement.bias, judgement.size, judgement.variance, judgement.ranks):
        assert "both" in set(table["estimator"])


def test_a_combination_costs_what_its_parts_cost(results):
    board = judge(replace(results, combinations=(BOTH,))).leaderboard.set_index("estimator")
    expected = board.loc[["nwot", "synflow"], "cpu_seconds"].sum()
    assert board.loc["both", "cpu_seconds"] == pytest.approx(expected)


def test_the_cost_of_parts_is_not_counted_twice(results, judgement):
    counted = ("scores", "CPU time, each scored alone")
    with_both = judge(replace(results, combinations=(BOTH,))).page().facts
    assert [with_both[name] for name in counted] == [judgement.page().facts[name] for name in counted]


@pytest.mark.parametrize("name", ["rank_mean", "rank_product", "vote"])
def test_a_combination_of_unseeded_estimators_has_one_trial(results, name):
    parts = ("params", "synflow")
    judgement = judge(replace(results, combinations=(CombinationChoice(name, parts, "both"),)))
    assert judgement.leaderboard.set_index("estimator").loc["both", "trials"] == 1


def test_a_combination_of_incomplete_parts_ranks_what_all_have_scored(results):
    kept = (results.scores["estimator"] != "nwot") | (results.scores["seed"] == 1)
    partial = replace(results, scores=results.scores[kept].iloc[5:], combinations=(BOTH,))
    row = judge(partial).leaderboard.set_index("estimator").loc["both"]
    assert (row["trials"], row["n"], row["n_missing"]) == (1, 35, 5)


def test_undefined_parts_rank_last_and_a_combination_of_nothing_is_undefined(results):
    scores = results.scores.copy()
    names = results.truth.index[:4]
    bad = scores["estimator"].eq("synflow") & scores["architecture"].isin(names)
    bad |= scores["estimator"].eq("nwot") & scores["architecture"].isin(names[:2])
    scores.loc[bad, ["value", "status"]] = [np.nan, "undefined"]
    judgement = judge(replace(results, scores=scores, combinations=(BOTH,)))
    made = judgement.scores[judgement.scores["estimator"] == "both"]
    assert set(made.loc[made["status"] == "undefined", "architecture"]) == set(names[:2])
    first = made[made["seed"] == 0].set_index("architecture")["value"].reindex(results.truth.index)
    changed = replace(results, scores=scores)
    expected = (_ranks(changed, "nwot", 0) + _ranks(changed, "synflow")) / 2
    assert first.iloc[2:].tolist() == pytest.approx(expected[2:].tolist())


def test_missing_scores_are_counted_also_where_a_trial_was_not_begun(results):
    keep = (results.scores["estimator"] != "nwot") | (results.scores["seed"] == 0)
    partial = replace(results, scores=pd.concat([results.scores[keep], _seeds_of_another(results)]).iloc[3:])
    board = judge(partial).leaderboard.set_index("estimator")
    assert board.loc["nwot", "n_missing"] == 2 * 40 + 3
    assert board.loc["nwot", "n"] == 37
    assert board.loc["synflow", "n_missing"] == 0


def _seeds_of_another(results):
    return results.scores[results.scores["estimator"] == "nwot"].assign(estimator="snip")


def test_undefined_and_failed_scores_are_counted_and_ranked_last(results):
    scores = results.scores.copy()
    rows = scores.index[(scores["estimator"] == "synflow")][:6]
    scores.loc[rows[:4], ["value", "status", "reason"]] = [np.nan, "undefined", "no gradient"]
    scores.loc[rows[4:], ["value", "status", "reason"]] = [np.nan, "failed", "out of memory"]
    row = judge(replace(results, scores=scores)).leaderboard.set_index("estimator").loc["synflow"]
    own = scores[scores["estimator"] == "synflow"]
    worst = own["value"].fillna(own["value"].min() - 1)
    expected = kendalltau(worst, results.truth.reindex(own["architecture"])).statistic
    assert (row["n_undefined"], row["n_failed"], row["n"]) == (4, 2, 40)
    assert row["kendall_tau"] == pytest.approx(expected, abs=1e-12)


def test_stability_is_the_mean_tau_between_the_seeds(results, judgement):
    wide = results.scores[results.scores["estimator"] == "nwot"].pivot_table(
        index="architecture", columns="seed", values="value"
    )
    pairs = [kendalltau(wide[a], wide[b]).statistic for a, b in ((0, 1), (0, 2), (1, 2))]
    row = judgement.variance.set_index("estimator").loc["nwot"]
    assert row["tau_between_seeds"] == pytest.approx(np.mean(pairs), abs=1e-12)
    assert (row["tau_low"], row["tau_high"]) == (pytest.approx(min(pairs)), pytest.approx(max(pairs)))
    deviation = wide.rank(ascending=False).std(axis=1, ddof=1).mean() * 100 / 40
    assert row["rank_standard_deviation"] == pytest.approx(deviation)
    assert "synflow" not in judgement.variance["estimator"].tolist()


def test_scores_of_architectures_outside_the_population_are_not_judged(results):
    fewer = replace(results, truth=results.truth.iloc[:30])
    board = judge(fewer).leaderboard
    assert (board["n"] == 30).all()
    assert (board["n_missing"] == 0).all()


def test_architectures_without_truth_are_not_judged(results):
    truth = results.truth.copy()
    truth.iloc[:5] = np.nan
    assert (judge(replace(results, truth=truth)).leaderboard["n"] == 35).all()


def test_size_biased_estimator_ranks_the_largest_group_too_high(judgement):
    bias = judgement.bias[judgement.bias["estimator"] == "params"].set_index("group")["rank_difference"]
    assert bias.iloc[0] < 0 < bias.iloc[-1]


def test_verdict_of_a_stopped_run_counts_what_was_asked_for_and_names_who_has_no_score(results):
    begun = results.scores[results.scores["seed"].isna() | (results.scores["seed"] == 0)]
    stopped = judge(replace(results, scores=begun, asked={"nwot": 3, "synflow": 1, "snip": 3}))
    assert stopped.leaderboard.set_index("estimator").loc["nwot", "n_missing"] == 2 * 40
    assert stopped.verdict[-2:] == [
        "Not scored yet: snip.",
        "80 scores are missing, the run is not finished; estimators are judged on what is there.",
    ]


def test_verdict_names_a_ceiling_of_nothing(results):
    nothing = pd.DataFrame({"criterion": ["kendall_tau"], "ceiling": [0.0], "n": [3]})
    said = [sentence for _, sentence in truth.sentences(nothing, judge(results).leaderboard)]
    assert any("a perfect estimator would reach 0.00" in sentence for sentence in said)
