"""Combinations of estimators, and their runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from judged import judge
from scipy.stats import kendalltau, rankdata

from benchsuite.suites.schema import CombinationChoice


@pytest.fixture(scope="module")
def results(make_results):
    return make_results(n=40, estimators=("nwot", "synflow")).benchmarks[0]


@pytest.fixture(scope="module")
def judgement(results):
    return judge(results)


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


def test_the_cost_of_parts_is_not_counted_twice(results, judgement):
    counted = ("scores", "CPU time, each scored alone")
    with_both = judge(replace(results, combinations=(BOTH,))).page().facts
    assert [with_both[name] for name in counted] == [judgement.page().facts[name] for name in counted]


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
