"""What the verdict says of operations."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from judged import judge

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


def _pairs(cells, names, before, after):
    """Pairs of names that differ in one place, where one has `before` and the other `after`, in this order."""
    found = []
    for first, second in combinations(names, 2):
        differing = [(x, y) for x, y in zip(cells[first], cells[second], strict=True) if x != y]
        if differing == [(before, after)]:
            found.append((first, second))
        elif differing == [(after, before)]:
            found.append((second, first))
    return found


def _only(part, scores):
    """The benchmark with one estimator beside the baselines, of which these are the scores."""
    rows = pd.DataFrame({"architecture": part.truth.index, "value": scores, "estimator": "loving"})
    rows = rows.assign(family="zero-shot", seed=pd.NA, batch_seed=pd.NA, status="ok", reason="", cpu_seconds=1.0)
    return replace(part, scores=rows)


@pytest.mark.parametrize(("loved", "scorned"), [("conv", "skip"), ("skip", "conv")])
def test_verdict_names_the_operation_that_the_leader_over_estimates_most(part, loved, scorned):
    cells = part.operations
    truth = part.truth
    weight = {loved: 1.0, scorned: -1.0, "pool": 0.0}
    bonus = np.array([sum(weight[word] for word in cells[name]) for name in truth.index])
    found = judge(_only(part, truth + 1.5 * bonus)).said
    pairs = _pairs(cells, truth.index, scorned, loved)
    values = pd.Series(truth + 1.5 * bonus, truth.index)
    score_rises, truth_rises = (np.mean([column[b] > column[a] for a, b in pairs]) for column in (values, truth))
    said = (
        f"loving overestimates “{loved}” relative to “{scorned}”: its score increases in {100 * score_rises:.0f}% of "
        f"the 108 pairs that differ only in this operation, the accuracy in {100 * truth_rises:.0f}%."
    )
    assert said in found


def test_verdict_names_no_operation_of_a_leader_that_favours_none(part):
    assert "over-estimates" not in judge(_only(part, part.truth)).said
    noise = np.random.default_rng(1).normal(size=81)
    chance = judge(_only(part, noise - noise @ part.truth / (part.truth @ part.truth) * part.truth))
    assert "over-estimates" not in chance.said
