"""Agreement of runs, and initialisation against minibatch, with the figures of scipy."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations as pairs_of

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import kendalltau

from benchsuite.report.render.words import MISSING
from benchsuite.report.sections.variance import factors_table
from benchsuite.report.stability import square
from benchsuite.report.write import write_report


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 60 architectures on two data sets."""
    return make_results(("nasbench201/cifar10", "nasbench201/digits"), 60, ("nwot", "synflow", "plain"), seeds=2)


@pytest.fixture(scope="module")
def judgement(results):
    return judge(results.benchmarks[0])


def _trials(judgement, name):
    rows = judgement.scores[judgement.scores["estimator"] == name]
    return [each.set_index("architecture")["value"] for _, each in rows.groupby("seed")]


def test_matrices_of_stability_hold_scipys_tau_between_three_trials_or_more(make_results, judgement):
    judged = judge(make_results(n=30, estimators=("nwot",), seeds=3).benchmarks[0])
    first, _, third = _trials(judged, "nwot")
    expected = kendalltau(first, third.reindex(first.index)).statistic
    assert square(judged.stability).loc["0, 0", "2, 0"] == pytest.approx(expected)
    assert set(judged.stability["estimator"]) == {"nwot"}
    assert judgement.stability.empty  # of two trials


@pytest.fixture(scope="module")
def three_runs(make_results):
    return make_results(n=40, estimators=("nwot", "synflow")).benchmarks[0]


@pytest.fixture(scope="module")
def judged_three_runs(three_runs):
    return judge(three_runs)


def test_stability_is_the_mean_tau_between_the_seeds(three_runs, judged_three_runs):
    wide = three_runs.scores[three_runs.scores["estimator"] == "nwot"].pivot_table(
        index="architecture", columns="seed", values="value"
    )
    pairs = [kendalltau(wide[a], wide[b]).statistic for a, b in ((0, 1), (0, 2), (1, 2))]
    row = judged_three_runs.variance.set_index("estimator").loc["nwot"]
    assert row["tau_between_seeds"] == pytest.approx(np.mean(pairs), abs=1e-12)
    assert (row["tau_low"], row["tau_high"]) == (pytest.approx(min(pairs)), pytest.approx(max(pairs)))
    deviation = wide.rank(ascending=False).std(axis=1, ddof=1).mean() * 100 / 40
    assert row["rank_standard_deviation"] == pytest.approx(deviation)
    assert "synflow" not in judged_three_runs.variance["estimator"].tolist()


TITLE = "Initialisation against minibatch"


@pytest.fixture(scope="module")
def crossed_runs(make_results):
    """Return crossed_runs with three seeds of one minibatch on a first benchmark, of two minibatches on a second.

    On both, snip has seeds only, synflow and the baselines have neither seeds nor minibatches.
    """
    made = make_results(("nasbench201/digits", "nasbench201/cifar10"), 30, ("nwot", "snip", "synflow"))
    first, second = made.benchmarks
    scores = second.scores.copy()
    scores.loc[scores["estimator"] == "snip", "batch_seed"] = pd.NA
    again = scores[scores["estimator"] == "nwot"].assign(batch_seed=1)
    again["value"] += np.random.default_rng(0).normal(0, 0.3, len(again))
    crossed = replace(second, scores=pd.concat([scores, again], ignore_index=True))
    return replace(made, benchmarks=(first, crossed))


@pytest.fixture(scope="module")
def judged_crossed_runs(crossed_runs):
    return judge(crossed_runs.benchmarks[1])


def _mean_tau(scores, *, same):
    """Mean of scipy's tau over the pairs of trials that share the seed `same` and differ in the other, or in both."""
    tables = {key: rows.set_index("architecture")["value"] for key, rows in scores.groupby(["seed", "batch_seed"])}
    keep = {"seed": (True, False), "batch_seed": (False, True), None: (False, False)}[same]
    pairs = [(x, y) for x, y in pairs_of(tables, 2) if (x[0] == y[0], x[1] == y[1]) == keep]
    return np.mean([kendalltau(tables[x], tables[y].reindex(tables[x].index)).statistic for x, y in pairs])


def test_taus_are_those_of_scipy_and_shares_sum_to_one(crossed_runs, judged_crossed_runs):
    table = judged_crossed_runs.factors[judged_crossed_runs.factors["estimator"] == "nwot"].set_index("statistic")
    scores = crossed_runs.benchmarks[1].scores
    nwot = scores[scores["estimator"] == "nwot"]
    for name, same in (("tau_other_seed", "batch_seed"), ("tau_other_batch", "seed"), ("tau_other_both", None)):
        assert table.loc[name, "value"] == pytest.approx(_mean_tau(nwot, same=same), abs=1e-12)
    assert table.loc[["architecture", "seed", "batch", "both"], "value"].sum() == pytest.approx(1)
    assert (table["low"] < table["high"]).all()


def test_scores_of_one_factor_have_a_dash_for_the_other_and_scores_of_none_no_row(judged_crossed_runs):
    table = factors_table(judged_crossed_runs.factors, judged_crossed_runs.order)
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    assert sorted(rows) == ["nwot", "snip"]
    assert MISSING not in rows["nwot"]
    assert [text == MISSING for text in rows["snip"]] == [False, False, True, True, False, True, True]


def test_architectures_that_a_trial_has_not_scored_are_left_out(crossed_runs):
    whole = crossed_runs.benchmarks[1]
    part = judge(replace(whole, scores=whole.scores.iloc[:-10])).factors
    seen = whole.truth.index.difference(whole.scores["architecture"].iloc[-10:])
    fewer = judge(replace(whole, scores=whole.scores[whole.scores["architecture"].isin(seen)])).factors
    nwot = part["estimator"] == "nwot"
    pd.testing.assert_frame_equal(part[nwot], fewer[nwot])


def test_report_shows_the_table_where_both_factors_vary_and_nothing_of_it_elsewhere(crossed_runs, tmp_path):
    write_report(crossed_runs, tmp_path / "both")
    for file in ("index.html", "report.md"):
        whole = (tmp_path / "both" / file).read_text(encoding="utf-8")
        first, second = whole.split("nasbench201/cifar10</h2>" if file == "index.html" else "## nasbench201/cifar10")
        assert TITLE not in first
        assert TITLE in second
        assert "Slightly negative shares are sampling noise" in second
    csv, parquet = (tmp_path / "both" / "tables" / f"factors.{kind}" for kind in ("csv", "parquet"))
    table = pd.read_csv(csv)
    assert set(table["benchmark"]) == {"nasbench201/cifar10"}
    assert len(table) == 2 * 7
    pd.testing.assert_frame_equal(table, pd.read_parquet(parquet), check_dtype=False)


def test_without_crossed_factors_the_table_is_empty(crossed_runs):
    assert judge(crossed_runs.benchmarks[0]).factors.empty
