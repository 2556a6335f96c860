"""Initialisation against minibatch in a report: shown where scores cross both, with the figures of scipy."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import kendalltau

from benchsuite.report.render.words import MISSING
from benchsuite.report.sections.variance import factors_table
from benchsuite.report.write import write_report

TITLE = "Initialisation against minibatch"


@pytest.fixture(scope="module")
def results(make_results):
    """Return results with three seeds of one minibatch on a first benchmark, of two minibatches on a second.

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
def judgement(results):
    return judge(results.benchmarks[1])


def _mean_tau(scores, *, same):
    """Mean of scipy's tau over the pairs of trials that share the seed `same` and differ in the other, or in both."""
    tables = {key: rows.set_index("architecture")["value"] for key, rows in scores.groupby(["seed", "batch_seed"])}
    keep = {"seed": (True, False), "batch_seed": (False, True), None: (False, False)}[same]
    pairs = [(x, y) for x, y in combinations(tables, 2) if (x[0] == y[0], x[1] == y[1]) == keep]
    return np.mean([kendalltau(tables[x], tables[y].reindex(tables[x].index)).statistic for x, y in pairs])


def test_taus_are_those_of_scipy_and_shares_sum_to_one(results, judgement):
    table = judgement.factors[judgement.factors["estimator"] == "nwot"].set_index("statistic")
    scores = results.benchmarks[1].scores
    nwot = scores[scores["estimator"] == "nwot"]
    for name, same in (("tau_other_seed", "batch_seed"), ("tau_other_batch", "seed"), ("tau_other_both", None)):
        assert table.loc[name, "value"] == pytest.approx(_mean_tau(nwot, same=same), abs=1e-12)
    assert table.loc[["architecture", "seed", "batch", "both"], "value"].sum() == pytest.approx(1)
    assert (table["low"] < table["high"]).all()


def test_scores_of_one_factor_have_a_dash_for_the_other_and_scores_of_none_no_row(judgement):
    rows = {
        row[0].text: [cell.text for cell in row[1:]] for row in factors_table(judgement.factors, judgement.order).rows
    }
    assert sorted(rows) == ["nwot", "snip"]
    assert MISSING not in rows["nwot"]
    assert [text == MISSING for text in rows["snip"]] == [False, False, True, True, False, True, True]


def test_architectures_that_a_trial_has_not_scored_are_left_out(results):
    whole = results.benchmarks[1]
    part = judge(replace(whole, scores=whole.scores.iloc[:-10])).factors
    seen = whole.truth.index.difference(whole.scores["architecture"].iloc[-10:])
    fewer = judge(replace(whole, scores=whole.scores[whole.scores["architecture"].isin(seen)])).factors
    nwot = part["estimator"] == "nwot"
    pd.testing.assert_frame_equal(part[nwot], fewer[nwot])


def test_report_shows_the_table_where_both_factors_vary_and_nothing_of_it_elsewhere(results, tmp_path):
    write_report(results, tmp_path / "both")
    for file in ("index.html", "report.md"):
        whole = (tmp_path / "both" / file).read_text(encoding="utf-8")
        first, second = whole.split("nasbench201/cifar10</h2>" if file == "index.html" else "## nasbench201/cifar10")
        assert TITLE not in first
        assert TITLE in second
        assert "A share below 0 is chance about 0" in second
    csv, parquet = (tmp_path / "both" / "tables" / f"factors.{kind}" for kind in ("csv", "parquet"))
    table = pd.read_csv(csv)
    assert set(table["benchmark"]) == {"nasbench201/cifar10"}
    assert len(table) == 2 * 7
    pd.testing.assert_frame_equal(table, pd.read_parquet(parquet), check_dtype=False)


def test_without_crossed_factors_the_table_is_empty(results):
    assert judge(results.benchmarks[0]).factors.empty
