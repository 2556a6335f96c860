"""The figures of a report are those that scipy computes from the same scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import kendalltau, spearmanr


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


def _seeds_of_another(results):
    return results.scores[results.scores["estimator"] == "nwot"].assign(estimator="snip")


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


def test_missing_scores_are_counted_also_where_a_trial_was_not_begun(results):
    keep = (results.scores["estimator"] != "nwot") | (results.scores["seed"] == 0)
    partial = replace(results, scores=pd.concat([results.scores[keep], _seeds_of_another(results)]).iloc[3:])
    board = judge(partial).leaderboard.set_index("estimator")
    assert board.loc["nwot", "n_missing"] == 2 * 40 + 3
    assert board.loc["nwot", "n"] == 37
    assert board.loc["synflow", "n_missing"] == 0


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


def test_scores_of_architectures_outside_the_population_are_not_judged(results):
    fewer = replace(results, truth=results.truth.iloc[:30])
    board = judge(fewer).leaderboard
    assert (board["n"] == 30).all()
    assert (board["n_missing"] == 0).all()


def test_architectures_without_truth_are_not_judged(results):
    truth = results.truth.copy()
    truth.iloc[:5] = np.nan
    assert (judge(replace(results, truth=truth)).leaderboard["n"] == 35).all()
