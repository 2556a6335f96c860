"""What scores know beyond size against plain recomputation."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import kendalltau, rankdata, spearmanr

from benchsuite.report.sections.beyond_size import size_correlations

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


def _partial(scores, truth, size):
    """Partial correlation of three columns of ranks by the inverse of their correlation matrix."""
    inverse = np.linalg.inv(np.corrcoef([rankdata(column) for column in (scores, truth, size)]))
    return -inverse[0, 1] / math.sqrt(inverse[0, 0] * inverse[1, 1])


@pytest.mark.parametrize("kind", ["params", "macs", "live_params"])
def test_what_scores_know_beyond_a_count_of_size_is_that_of_plain_figures(part, judgement, kind):
    size, truth, trials = part.complexity[kind], part.truth, _trials(part, "nwot")
    rows = judgement.size[(judgement.size["complexity"] == kind) & (judgement.size["estimator"] == "nwot")]
    found = rows.set_index("statistic")["value"]
    expected = {
        "tau_score_complexity": [kendalltau(scores, size).statistic for scores in trials],
        "tau_truth_complexity": [kendalltau(truth, size).statistic],
        "rho_difference_complexity": [
            spearmanr(rankdata(scores) - rankdata(truth), np.log(size)).statistic for scores in trials
        ],
        "partial_rho": [_partial(scores, truth, size) for scores in trials],
    }
    assert found.to_dict() == pytest.approx({name: np.mean(values) for name, values in expected.items()})


def test_live_counts_stand_where_they_differ_and_counts_of_one_order_share_their_figures(part, judgement):
    assert judgement.size["complexity"].unique().tolist() == ["params", "macs", "live_params"]
    sizes = {"params": part.complexity["params"], "macs": 90 * part.complexity["params"]}
    table = size_correlations({"nwot": _trials(part, "nwot")}, part.truth, sizes)
    first, second = (table[table["complexity"] == kind].drop(columns="complexity") for kind in sizes)
    pd.testing.assert_frame_equal(first.reset_index(drop=True), second.reset_index(drop=True))
