"""What the verdict says of bias by size."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import kendalltau, rankdata

OPERATIONS = ("conv", "pool", "skip")


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 81 cells of four operations, whose multiply-adds and live parameters go their own ways."""
    made = make_results(n=81, estimators=("nwot", "synflow"), seeds=2)
    (part,) = made.benchmarks
    sizes, rng = part.complexity, np.random.default_rng(0)
    sizes = sizes.assign(macs=rng.integers(1, 40, 81) * 1000, live_params=sizes["params"] // 2 + rng.integers(0, 9, 81))
    sizes["live_macs"] = sizes["macs"]
    cells = dict(zip(part.truth.index, product(OPERATIONS, repeat=4), strict=True))
    return replace(made, benchmarks=(replace(part, complexity=sizes, operations=cells),))


@pytest.fixture(scope="module")
def part(results):
    return results.benchmarks[0]


@pytest.fixture(scope="module")
def judgement(part):
    return judge(part)


def _trials(part, name):
    rows = part.scores[part.scores["estimator"] == name]
    return [each.set_index("architecture")["value"] for _, each in rows.groupby("seed")]


def _groups(size):
    """The fifth in which the middle of an architecture's ranks by size falls; empty fifths do not count."""
    return rankdata(np.floor((rankdata(size) - 0.5) * 5 / len(size)), method="dense")


def _only(part, scores):
    """The benchmark with one estimator beside the baselines, of which these are the scores."""
    rows = pd.DataFrame({"architecture": part.truth.index, "value": scores, "estimator": "loving"})
    rows = rows.assign(family="zero-shot", seed=pd.NA, batch_seed=pd.NA, status="ok", reason="", cpu_seconds=1.0)
    return replace(part, scores=rows)


def test_verdict_says_whether_the_leader_still_ranks_among_architectures_of_one_size(part, judgement):
    leader = judgement.leaderboard.loc[~judgement.leaderboard["reference"], "estimator"].iloc[0]
    groups = _groups(part.complexity["params"])
    taus = [
        np.mean([kendalltau(s[groups == g], part.truth[groups == g]).statistic for s in _trials(part, leader)])
        for g in range(1, 6)
    ]
    ends = f"{min(taus):.2f} to {max(taus):.2f}"
    found = f"Within the 5 groups of similar parameter count, tau-b ranges from {ends} ("
    assert found in " ".join(judgement.verdict)
    size_only = _only(part, part.complexity["params"] + 1e-3 * np.random.default_rng(0).random(81))
    assert "and is significantly positive in none." in judge(size_only).said


def test_verdict_finds_no_bias_by_size_among_many_estimators_whose_errors_do_not_depend_on_it(part):
    rng = np.random.default_rng(0)
    index = pd.Index([f"|op{i:05d}~0|" for i in range(100)], name="architecture")
    truth = pd.Series(rng.normal(size=100), index)
    sizes = pd.DataFrame({name: rng.integers(1, 100, 100) for name in ("params", "macs")}, index)
    sizes = sizes.assign(live_params=sizes["params"], live_macs=sizes["macs"])
    one = part.scores[part.scores["estimator"] == "synflow"].iloc[:1]
    scores = pd.concat(
        pd.concat([one] * 100).assign(estimator=f"e{i}", architecture=index, value=truth.array + 1.5 * noise)
        for i, noise in enumerate(rng.normal(size=(10, 100)))
    )
    unbiased = replace(part, truth=truth, trials=truth.to_frame(), complexity=sizes, scores=scores, operations={})
    found = judge(unbiased)
    known = found.bias[found.bias["estimator"].isin(scores["estimator"])]
    alone = (known["low"] > 0) | (known["high"] < 0)
    assert (alone & (known["rank_difference"].abs() >= 5)).any()  # some of a hundred, each taken by itself
    assert any(
        "No better-than-chance estimator shows a significant size bias" in sentence for sentence in found.verdict
    )


NAMES = ("nwot", "plain")


def _said(one_run):
    return judge(one_run).said


@pytest.fixture(scope="module")
def one_run(make_results):
    return make_results(n=150, estimators=NAMES, seeds=1).benchmarks[0]


def test_verdict_names_the_strongest_bias_and_its_side(one_run):
    size = one_run.scores[one_run.scores["estimator"] == "params"]
    biased = size.assign(estimator="large_first", family="zero-shot")
    said = _said(replace(one_run, scores=pd.concat([one_run.scores, biased])))
    assert "large_first has the strongest size bias" in said
    params = one_run.complexity["params"]
    name, side = re.search(r"with (\S+ to \S+) parameters are ranked .* (too high|too low) on average", said).groups()
    groups = judge(one_run).bias.query("estimator == 'nwot'").set_index("label")["group"]
    expected = pd.Series(rankdata(params) - rankdata(one_run.truth), params.index)  # high where ranked too high
    of_group = pd.qcut(params, 5, labels=False) + 1
    mean = expected[of_group == groups[name]].mean()
    assert abs(mean) == pytest.approx(expected.groupby(of_group).mean().abs().max())
    assert side == ("too high" if mean > 0 else "too low")


def test_verdict_names_the_group_of_sizes_that_the_leader_ranks_worst(make_results):
    found = judge(make_results(n=400, estimators=("synflow", "random"), seeds=1).benchmarks[0])
    said = found.said
    own = found.bias[(found.bias["estimator"] == "synflow") & (found.bias["complexity"] == "params")]
    sure = own[((own["low"] > 0) | (own["high"] < 0)) & (own["rank_difference"].abs() >= 5)]
    worst = sure.iloc[int(sure["rank_difference"].abs().argmax())]
    side = "too high" if worst["rank_difference"] > 0 else "too low"
    assert f"architectures with {worst['label']} parameters are ranked {abs(worst['rank_difference']):.0f} " in said
    assert f" percentile points {side} on average" in said
