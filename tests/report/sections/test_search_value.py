"""What a search is worth, as a table."""

from __future__ import annotations

import pytest
from judged import judge

from benchsuite.analysis.search_value import RANDOM
from benchsuite.report.render.words import MISSING
from benchsuite.report.sections.search_value import needed_table


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 60 architectures on two data sets."""
    return make_results(("nasbench201/cifar10", "nasbench201/digits"), 60, ("nwot", "synflow", "plain"), seeds=2)


@pytest.fixture(scope="module")
def judgement(results):
    return judge(results.benchmarks[0])


def test_trainings_needed_are_shown_with_what_they_save_of_a_random_choice(judgement):
    table = needed_table(judgement.trainings_needed, [*judgement.order, RANDOM])
    assert [column.title for column in table.columns[1::2]] == ["To 1 point", "To 0.5 points", "To 0.2 points"]
    assert [row[0].text for row in table.rows] == [*judgement.order, RANDOM]
    found = judgement.trainings_needed.set_index(["estimator", "regret"])
    for row in table.rows:
        for trainings, saved, regret in zip(row[1::2], row[2::2], (1.0, 0.5, 0.2), strict=True):
            assert trainings.value == found.loc[(row[0].text, regret), "trainings"]
            assert saved.value == found.loc[(row[0].text, regret), "saved"]
    nwot = judgement.leaderboard.set_index("estimator").index.get_loc("nwot")
    assert table.rows[nwot][2].value > table.rows[-1][2].value == 0


def test_an_estimator_that_scored_nothing_judged_has_dashes_among_the_trainings_needed(results):
    part = results.benchmarks[0]
    found = judge(part)
    lacking = found.trainings_needed[found.trainings_needed["estimator"] != "plain"]
    rows = {row[0].text: row[1:] for row in needed_table(lacking, found.order).rows}
    assert {cell.text for cell in rows["plain"]} == {MISSING}
