"""Bias by operation against plain counting of pairs."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from judged import judge
from scipy.stats import rankdata

from benchsuite.report.render.parts import tables_of
from benchsuite.report.sections import operations
from benchsuite.report.sections.operations import MOST, exchanges

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


def _tables(judgement, section):
    return list(tables_of(section.parts(judgement.tables)))


def _trials(part, name):
    rows = part.scores[part.scores["estimator"] == name]
    return [each.set_index("architecture")["value"] for _, each in rows.groupby("seed")]


def _groups(size):
    """The fifth in which the middle of an architecture's ranks by size falls; empty fifths do not count."""
    return rankdata(np.floor((rankdata(size) - 0.5) * 5 / len(size)), method="dense")


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


@pytest.mark.parametrize("group", [0, 1, 5])
def test_exchanges_count_the_pairs_of_a_size_group_that_differ_in_one_operation(part, judgement, group):
    groups = _groups(part.complexity["params"])
    names = part.truth.index[(groups == group) | (group == 0)]
    pairs = _pairs(part.operations, names, "conv", "skip")
    rows = judgement.exchanges.set_index(["estimator", "group", "before", "after"])
    found = rows.loc[("nwot", group, "conv", "skip")]
    rises = [[scores[b] > scores[a] for a, b in pairs] for scores in _trials(part, "nwot")]
    truth_rises = np.mean([part.truth[b] > part.truth[a] for a, b in pairs])
    assert found["n"] == len(pairs)
    assert found["score_rises"] == pytest.approx(np.mean(rises))
    assert found["truth_rises"] == pytest.approx(truth_rises)
    assert found["bias"] == pytest.approx(np.mean(rises) - truth_rises)
    assert np.isnan(found["bias_low"]) == (len(pairs) < 10)


def test_exchanges_are_shown_over_all_pairs_and_among_the_largest_with_their_numbers(part, judgement):
    every, largest = _tables(judgement, operations)
    params = part.complexity["params"]
    assert [row[0].text for row in every.rows] == judgement.order
    assert [row[0].text for row in every.summary] == ["accuracy increases", "pairs"]
    assert 1 < len(every.columns) <= 1 + MOST
    assert [cell.value for cell in every.summary[-1][1:]] == [
        108,
        108,
        108,
    ]  # 4 places x 27 of the others x 3 exchanges
    assert "parameters, the largest" in largest.caption
    names = part.truth.index[_groups(params) == 5]
    counted = {f"{a} to {b}": len(_pairs(part.operations, names, a, b)) for a, b in combinations(OPERATIONS, 2)}
    shown = {column.title: cell.value for column, cell in zip(largest.columns, largest.summary[-1], strict=True)}
    assert {**shown, **counted} == shown


def test_without_operations_or_where_they_tell_nothing_apart_there_are_no_exchanges(part):
    alike = dict.fromkeys(part.truth.index, ("conv",))
    for known in ({}, alike):
        assert exchanges({"snip": [part.truth]}, part.truth, known, part.complexity["params"]).empty
