"""The leaderboard as a table."""

from __future__ import annotations

import math

import pytest
from judged import judge

from benchsuite.report.render.parts import tables_of


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 60 architectures on two data sets."""
    return make_results(("nasbench201/cifar10", "nasbench201/digits"), 60, ("nwot", "synflow", "plain"), seeds=2)


@pytest.fixture(scope="module")
def judgement(results):
    return judge(results.benchmarks[0])


def test_places_hold_between_those_that_paired_differences_allow(judgement):
    board = judgement.leaderboard
    assert (board["rank_low"] <= board["rank"]).all()
    assert (board["rank"] <= board["rank_high"]).all()
    assert board.loc[board["estimator"] == "nwot", "rank"].item() == 1


def test_the_cheapest_of_the_best_are_on_the_front(judgement):
    shown = judgement.page()
    board = next(table for table in tables_of(shown.parts) if table.name == "leaderboard")
    place = [column.title for column in board.columns].index("CPU s")
    marked = {row[0].text for row in board.rows if row[place].note}
    rows = judgement.leaderboard[["estimator", "cpu_seconds", "kendall_tau"]].to_numpy().tolist()
    expected = {
        name
        for name, cost, tau in rows
        if not math.isnan(cost) and not any((c <= cost and t >= tau) and (c < cost or t > tau) for _, c, t in rows)
    }
    assert marked == expected
