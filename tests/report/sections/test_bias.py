"""Bias by size against plain recomputation."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import kendalltau, rankdata

from benchsuite.report.render.parts import figures_of, tables_of
from benchsuite.report.sections import beyond_size, bias
from benchsuite.report.sections.beyond_size import size_correlations
from benchsuite.report.sections.bias import bias_by_size, order_words, pictured
from benchsuite.report.sections.operations import exchanges
from benchsuite.report.sizes import orders_of
from benchsuite.report.write import write_report

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


def _sized(judgement):
    return [f"size_{kind}" for kind in judgement.size["complexity"].unique()]


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


@pytest.mark.parametrize("kind", ["params", "macs"])
def test_bias_and_tau_in_size_groups_are_means_of_plain_figures_over_trials(part, judgement, kind):
    size, truth = part.complexity[kind], part.truth
    rows = judgement.bias[(judgement.bias["complexity"] == kind) & (judgement.bias["estimator"] == "nwot")]
    groups, trials = _groups(size), _trials(part, "nwot")
    assert rows["group"].tolist() == sorted(set(groups))
    for row in rows.itertuples():
        inside = groups == row.group
        differences = [(rankdata(scores) - rankdata(truth))[inside].mean() / 81 for scores in trials]
        taus = [kendalltau(scores[inside], truth[inside]).statistic for scores in trials]
        assert row.n == inside.sum()
        assert row.rank_difference == pytest.approx(100 * np.mean(differences))
        assert row.tau == pytest.approx(np.mean(taus))
        assert row.low < row.rank_difference < row.high
        assert row.tau_low < row.tau < row.tau_high


@pytest.mark.parametrize(
    ("noise", "pictures", "said"),
    [
        (0, ["params"], "exactly as parameters do"),
        (150, ["params"], "almost as parameters do (tau-b 0.9"),
        (9000, ["params", "macs"], "differently than parameters do (tau-b 0."),
    ],
)
def test_multiply_adds_have_a_picture_of_their_own_only_where_they_order_otherwise(noise, pictures, said):
    params = pd.Series(np.arange(1.0, 82) * 1000)
    sizes = {"params": params, "macs": 50 * params + 1000 * noise * np.random.default_rng(0).random(81)}
    assert pictured(orders_of(sizes)) == pictures
    assert said in order_words(orders_of(sizes))


def test_every_picture_of_bias_is_drawn(judgement):
    assert [each.title for each in figures_of(bias.parts(judgement.tables))] == [
        "Bias by parameters",
        "Bias by MACs",
    ]


def test_an_estimator_that_has_scored_the_large_half_alone_is_judged_in_the_size_groups_of_all(part):
    large = part.complexity["params"].sort_values().index[len(part.complexity) // 2 :]
    scores = part.scores[(part.scores["estimator"] != "nwot") | part.scores["architecture"].isin(large)]
    found = judge(replace(part, scores=scores))
    rows = found.bias[found.bias["complexity"] == "params"]
    assert len(rows[["group", "label"]].drop_duplicates()) == rows["group"].max()
    assert rows[rows["estimator"] == "nwot"]["n"].sum() == len(large)
    assert rows[rows["estimator"] == "nwot"]["group"].min() == 3
    titles = [column.title for column in _tables(found, bias)[0].columns[1:]]
    assert titles == rows[rows["estimator"] == "params"]["label"].tolist()


def test_tables_by_size_stand_once_for_every_order_of_the_architectures(judgement):
    names = [[table.name for table in _tables(judgement, section)] for section in (bias, beyond_size)]
    assert names == [["bias_params", "bias_macs"], ["inside_params", "inside_macs", *_sized(judgement)]]
    inside = next(beyond_size.inside_tables(judgement.tables))
    board = judgement.leaderboard.set_index("estimator")["kendall_tau"]
    assert [row[1].value for row in inside.rows] == board.tolist()
    assert len(inside.columns) == 2 + 5


def test_tables_of_a_report_hold_every_size_group_and_every_count(results, tmp_path):
    write_report(results, tmp_path)
    read = {name: pd.read_csv(tmp_path / "tables" / f"{name}.csv") for name in ("bias", "size", "exchanges")}
    assert set(read["bias"]["complexity"]) == {"params", "macs"}
    assert set(read["size"]["complexity"]) == {"params", "macs", "live_params"}
    assert set(read["exchanges"]["group"]) == {0, 1, 2, 3, 4, 5}
    assert read["exchanges"].loc[read["exchanges"]["group"] == 0, "label"].unique().tolist() == ["all"]


def test_tables_by_size_and_operation_have_no_ends_where_one_trial_has_none(part):
    """A second trial on nine architectures has figures, yet too few of them for an interval."""
    size, truth = part.complexity["params"], part.truth
    whole = _trials(part, "nwot")[0]
    few = whole[_groups(size) == 1].iloc[:9]
    trials, sizes = {"nwot": [whole, few]}, {"params": size, "macs": part.complexity["macs"]}
    found = bias_by_size(trials, truth, sizes).query("complexity == 'params'").set_index("group")
    assert found["rank_difference"].notna().all()
    assert found[["low", "tau_low"]].isna().all(axis=1).tolist() == [True, False, False, False, False]
    known = size_correlations(trials, truth, sizes)
    assert known["value"].notna().all()
    assert known[["low", "high"]].isna().all(axis=None)
    rows = exchanges(trials, truth, part.operations, size).query("group == 0").set_index(["before", "after"])
    there = {key: bool(_pairs(part.operations, few.index, *key)) for key in rows.index}
    assert any(there.values())
    assert rows["bias_low"].isna().to_dict() == there


@pytest.fixture(scope="module")
def three_runs(make_results):
    return make_results(n=40, estimators=("nwot", "synflow")).benchmarks[0]


@pytest.fixture(scope="module")
def judged_three_runs(three_runs):
    return judge(three_runs)


def test_size_biased_estimator_ranks_the_largest_group_too_high(judged_three_runs):
    bias = judged_three_runs.bias[judged_three_runs.bias["estimator"] == "params"].set_index("group")["rank_difference"]
    assert bias.iloc[0] < 0 < bias.iloc[-1]
