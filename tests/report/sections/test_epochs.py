"""Estimators that differ in their epoch alone, with the figures of scipy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import kendalltau

from benchsuite.report.sections.epochs import epoch_tables, relative_tables
from benchsuite.report.stability import square


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


def test_estimators_that_differ_in_their_epoch_alone_make_a_line_and_a_matrix(results):
    part = results.benchmarks[0]
    names = {"nwot": "uniform(epoch=10, readout=loss)", "plain": "uniform(epoch=20, readout=loss)"}
    judged = judge(replace(part, scores=part.scores.replace({"estimator": names})))
    assert judged.epochs[["without_epoch", "epoch"]].to_numpy().tolist() == [
        ["uniform(readout=loss)", 10],
        ["uniform(readout=loss)", 20],
    ]
    matrix = square(judged.stability_by_epoch)
    first, second = (
        judged.scores[judged.scores["estimator"] == name].drop_duplicates("architecture") for name in names.values()
    )
    expected = kendalltau(first["value"], second["value"]).statistic
    assert matrix.loc["10", "20"] == matrix.loc["20", "10"] == pytest.approx(expected)
    for found in (epoch_tables(judged.epochs), relative_tables(judged.relative)):
        assert [table.rows[0][0].text for table in found] == ["uniform(readout=loss)"] * 2
    titles = [each.title for tab in judged.page().tabs for each in tab.sections]
    assert "How does it change with the epoch?" in titles


def test_an_epoch_is_judged_by_the_next_one_trial_by_trial_with_the_figures_of_scipy(results):
    part = results.benchmarks[0]
    names = {"nwot": "uniform(epoch=10)", "snip": "uniform(epoch=30)", "plain": "uniform(epoch=20)"}
    scores = part.scores[part.scores["estimator"].isin(["nwot", "plain"])]
    last = scores[(scores["estimator"] == "plain") & (scores["seed"] == 0)].assign(estimator="snip")
    last["value"] = np.where(np.arange(60) < 5, np.nan, np.random.default_rng(0).normal(size=60))
    judged = judge(replace(part, scores=pd.concat([scores, last]).replace({"estimator": names})))
    table = judged.relative
    assert table[["epoch", "next_epoch"]].drop_duplicates().to_numpy().tolist() == [[10, 20], [20, 30]]
    tau = table[table["criterion"] == "kendall_tau"].set_index("epoch")
    top = table[(table["criterion"] == "precision_at_top") & (table["k"] == 0.05)].set_index("epoch")
    pairs = list(zip(_trials(judged, names["nwot"]), _trials(judged, names["plain"]), strict=True))
    assert tau.loc[10, "value"] == pytest.approx(np.mean([kendalltau(x, y).statistic for x, y in pairs]))
    common = [len(set(x.nlargest(3).index) & set(y.nlargest(3).index)) / 3 for x, y in pairs]
    assert top.loc[10, "value"] == pytest.approx(np.mean(common))
    middle, end = pairs[0][1], last.set_index("architecture")["value"].dropna()
    assert tau.loc[20, "value"] == pytest.approx(kendalltau(middle[end.index], end).statistic)
    assert tau["seeds"].tolist() == [2, 1]
    assert (tau["low"] < tau["value"]).all()
    assert (tau["value"] < tau["high"]).all()
    shown, _ = relative_tables(judged.relative)
    assert [column.title for column in shown.columns[1:]] == ["epoch 10 to 20", "epoch 20 to 30"]


def test_one_epoch_is_no_line(judgement):
    assert judgement.epochs.empty
    assert judgement.stability_by_epoch.empty
