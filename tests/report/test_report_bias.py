"""Bias in a report against plain recomputation: by parameters and multiply-adds, beyond size, and by operation."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import kendalltau, rankdata, spearmanr

from benchsuite.report.render.parts import figures_of, tables_of
from benchsuite.report.sections import beyond_size, bias, operations
from benchsuite.report.sections.beyond_size import size_correlations
from benchsuite.report.sections.bias import bias_by_size, order_words, pictured
from benchsuite.report.sections.operations import MOST, exchanges
from benchsuite.report.sections.ranks import ranks_by_estimator
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


def test_tables_by_size_stand_once_for_every_order_of_the_architectures(judgement):
    names = [[table.name for table in _tables(judgement, section)] for section in (bias, beyond_size)]
    assert names == [["bias_params", "bias_macs"], ["inside_params", "inside_macs", *_sized(judgement)]]
    inside = next(beyond_size.inside_tables(judgement.tables))
    board = judgement.leaderboard.set_index("estimator")["kendall_tau"]
    assert [row[1].value for row in inside.rows] == board.tolist()
    assert len(inside.columns) == 2 + 5


def _sized(judgement):
    return [f"size_{kind}" for kind in judgement.size["complexity"].unique()]


@pytest.mark.parametrize(
    ("noise", "pictures", "said"),
    [
        (0, ["params"], "exactly as parameters do"),
        (150, ["params"], "almost as parameters do (tau-b 0.9"),
        (9000, ["params", "macs"], "otherwise than parameters do (tau-b 0."),
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
        "Bias by multiply-adds",
    ]


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
    assert [row[0].text for row in every.summary] == ["truth rises", "pairs"]
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
        f"loving over-estimates “{loved}” in the place of “{scorned}”: its score rises in {100 * score_rises:.0f} % of "
        f"the 108 pairs that differ in this alone, the truth in {100 * truth_rises:.0f} %."
    )
    assert said in found


def test_verdict_names_no_operation_of_a_leader_that_favours_none(part):
    assert "over-estimates" not in judge(_only(part, part.truth)).said
    noise = np.random.default_rng(1).normal(size=81)
    chance = judge(_only(part, noise - noise @ part.truth / (part.truth @ part.truth) * part.truth))
    assert "over-estimates" not in chance.said


def test_verdict_says_whether_the_leader_still_ranks_among_architectures_of_one_size(part, judgement):
    leader = judgement.leaderboard.loc[~judgement.leaderboard["reference"], "estimator"].iloc[0]
    groups = _groups(part.complexity["params"])
    taus = [
        np.mean([kendalltau(s[groups == g], part.truth[groups == g]).statistic for s in _trials(part, leader)])
        for g in range(1, 6)
    ]
    ends = f"{min(taus):.2f} to {max(taus):.2f}"
    assert f"Inside the 5 groups of like parameters its tau-b is {ends} (over all sizes " in " ".join(judgement.verdict)
    size_only = _only(part, part.complexity["params"] + 1e-3 * np.random.default_rng(0).random(81))
    assert "surely above chance in none of them" in judge(size_only).said


def test_tables_of_a_report_hold_every_size_group_and_every_count(results, tmp_path):
    write_report(results, tmp_path)
    read = {name: pd.read_csv(tmp_path / "tables" / f"{name}.csv") for name in ("bias", "size", "exchanges")}
    assert set(read["bias"]["complexity"]) == {"params", "macs"}
    assert set(read["size"]["complexity"]) == {"params", "macs", "live_params"}
    assert set(read["exchanges"]["group"]) == {0, 1, 2, 3, 4, 5}
    assert read["exchanges"].loc[read["exchanges"]["group"] == 0, "label"].unique().tolist() == ["all"]


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


def test_rank_scatters_colour_architectures_by_the_size_groups_of_all(part):
    size, nwot = part.complexity["params"], _trials(part, "nwot")[0]
    large = nwot[size[nwot.index] > size.median()]
    rows = ranks_by_estimator({"nwot": [nwot], "part": [large]}, part.truth, size)
    groups = dict(zip(size.index, _groups(size), strict=True))
    assert rows["group"].tolist() == [groups[name] for name in (*nwot.index, *large.index)]


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
    assert any("surely ranks a whole group of sizes far too" in sentence for sentence in found.verdict)
