"""Tables of a report against plain recomputation: misjudged architectures, epochs, pairs, packed ranks."""

from __future__ import annotations

import base64
import json
import math
import re
import zlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy.stats import kendalltau, rankdata

from benchsuite.analysis.search_value import RANDOM
from benchsuite.analysis.significance import not_significant
from benchsuite.report.evidence import Evidence
from benchsuite.report.overview import overview
from benchsuite.report.render import latex, markdown
from benchsuite.report.render.packed import packed_ranks
from benchsuite.report.render.parts import Folded, tables_of
from benchsuite.report.render.table import Cell, Column, Table
from benchsuite.report.render.words import MISSING
from benchsuite.report.sections import combinations
from benchsuite.report.sections.differences import pairs_table
from benchsuite.report.sections.epochs import epoch_tables, relative_tables
from benchsuite.report.sections.misjudged import mistakes, mistakes_table
from benchsuite.report.sections.search_value import needed_table
from benchsuite.report.sentences.differences import against
from benchsuite.report.stability import square
from benchsuite.report.write import write_report


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 60 architectures on two data sets."""
    return make_results(("nasbench201/cifar10", "nasbench201/digits"), 60, ("nwot", "synflow", "plain"), seeds=2)


@pytest.fixture(scope="module")
def judgement(results):
    return judge(results.benchmarks[0])


def _packed(judgement):
    return packed_ranks(judgement.ranks, judgement.architectures, judgement.order)


def _trials(judgement, name):
    rows = judgement.scores[judgement.scores["estimator"] == name]
    return [each.set_index("architecture")["value"] for _, each in rows.groupby("seed")]


def test_misjudged_architectures_are_those_of_the_largest_mean_rank_differences(judgement):
    by_truth = pd.Series(rankdata(-judgement.truth), judgement.truth.index)
    differences = [(by_truth - pd.Series(rankdata(-s), s.index)) / 60 for s in _trials(judgement, "nwot")]
    expected = 100 * (sum(differences) / len(differences)).sort_values(ascending=False)
    found = judgement.mistakes[judgement.mistakes["estimator"] == "nwot"].set_index("place")
    assert found.loc[1, "rank_difference"] == pytest.approx(expected.iloc[0])
    assert found.loc[1, "architecture"] == expected.index[0]
    assert found.loc[-1, "rank_difference"] == pytest.approx(expected.iloc[-1])
    assert found.loc[-1, "true_rank"] == by_truth[expected.index[-1]]
    assert len(mistakes_table(judgement.mistakes, judgement.order).rows) == len(judgement.order)


def test_a_perfect_estimator_misjudges_nothing():
    truth = pd.Series(np.arange(20.0), [f"a{number}" for number in range(20)])
    assert mistakes({"oracle": [truth]}, truth).empty


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


def test_matrices_of_stability_hold_scipys_tau_between_three_trials_or_more(make_results, judgement):
    judged = judge(make_results(n=30, estimators=("nwot",), seeds=3).benchmarks[0])
    first, _, third = _trials(judged, "nwot")
    expected = kendalltau(first, third.reindex(first.index)).statistic
    assert square(judged.stability).loc["0, 0", "2, 0"] == pytest.approx(expected)
    assert set(judged.stability["estimator"]) == {"nwot"}
    assert judgement.stability.empty  # of two trials


def test_differences_with_one_estimator_have_the_sign_of_the_leaderboard(judgement):
    taus = judgement.leaderboard.set_index("estimator")["kendall_tau"]
    for other in taus.index:
        table = against(judgement.comparisons, other)
        for name, row in table.iterrows():
            assert row["difference"] == pytest.approx(taus[name] - taus[other])
            assert row["low"] <= row["difference"] <= row["high"]
    assert set(not_significant(judgement.comparisons, "plain")).isdisjoint({"nwot"})
    table = pairs_table(judgement.leaderboard, judgement.comparisons)
    assert {len(row) for row in table.rows} == {len(table.columns)}


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


def test_places_hold_between_those_that_paired_differences_allow(judgement):
    board = judgement.leaderboard
    assert (board["rank_low"] <= board["rank"]).all()
    assert (board["rank"] <= board["rank_high"]).all()
    assert board.loc[board["estimator"] == "nwot", "rank"].item() == 1


def test_packed_ranks_are_the_ranks_of_all_architectures(judgement):
    stream = zlib.decompress(base64.b64decode(_packed(judgement)))
    start = 4 + int.from_bytes(stream[:4], "little")
    content = json.loads(stream[4:start])
    names = content["architectures"]
    planes = np.frombuffer(stream[start:], np.uint8).reshape(4, 1 + len(content["estimators"]), len(names))
    ranks = (planes.astype(int) * 256 ** np.arange(4)[:, None, None]).sum(axis=0)
    assert content["estimators"] == judgement.order
    assert ranks[0].tolist() == rankdata(-judgement.truth.reindex(names)).tolist()
    first = _trials(judgement, "nwot")[0].reindex(names)
    assert ranks[1 + content["estimators"].index("nwot")].tolist() == rankdata(-first).tolist()
    assert set(content["groups"]) == {1, 2, 3, 4, 5}


def test_what_was_not_scored_has_no_rank(results):
    part = results.benchmarks[0]
    judged = judge(replace(part, scores=part.scores.drop(part.scores.index[part.scores["estimator"] == "nwot"][:5])))
    stream = zlib.decompress(base64.b64decode(_packed(judged)))
    start = 4 + int.from_bytes(stream[:4], "little")
    n = len(judged.truth)
    low = np.frombuffer(stream[start:], np.uint8)[: n * (1 + len(judged.order))].reshape(-1, n)
    assert (low[1 + judged.order.index("nwot")] == 0).sum() == 5


def test_the_overview_has_mean_ranks_and_a_transfer_between_data_sets_of_one_space(results):
    judgements = [judge(each).judgement for each in results.benchmarks]
    over = overview(judgements)
    assert overview(judgements[:1]) is None
    assert [part.kind for part in over.parts][:2] == ["table", "text"]
    assert any(part.kind == "figure" and "critical difference" in part.note for part in over.parts)
    (transfer,) = (part.table for part in over.parts if isinstance(part, Folded))
    assert all(column.title.endswith(" (n 60)") for column in transfer.columns[1:])
    columns = [column.title.removesuffix(" (n 60)") for column in transfer.columns[1:]]
    assert sorted(columns) == sorted(f"{a} on {b}" for a in ("cifar10", "digits") for b in ("cifar10", "digits"))
    values = {row[0].text: dict(zip(columns, row[1:], strict=True)) for row in transfer.rows}
    taus = judgements[0].tables["leaderboard"].set_index("estimator")["kendall_tau"]
    assert values["nwot"]["cifar10 on cifar10"].value == pytest.approx(taus["nwot"])


def test_a_second_benchmark_of_a_data_set_stands_beside_the_first_in_the_transfer(results):
    again = replace(results.benchmarks[0], population="the same, once more")
    judgements = [judge(each).judgement for each in (*results.benchmarks, again)]
    (transfer,) = (part.table for part in overview(judgements).parts if isinstance(part, Folded))
    titles = {column.title for column in transfer.columns[1:]}
    assert len(titles) == 9
    assert {"cifar10 on digits (n 60)", "cifar10-2 on cifar10 (n 60)"} < titles


def test_scores_are_judged_by_the_truth_of_other_data_sets_too(results):
    part = results.benchmarks[0]
    assert judge(part).transfer.empty
    rng = np.random.default_rng(0)
    other = (part.truth + rng.normal(size=len(part.truth))).round(1).iloc[20:]
    judged = judge(replace(part, elsewhere={"svhn": other}))
    table = judged.transfer.set_index(["estimator", "judged_on"])
    taus = [kendalltau(each[other.index], other).statistic for each in _trials(judged, "nwot")]
    row = table.loc[("nwot", "svhn")]
    assert (row["n"], row["kendall_tau"]) == (len(other), pytest.approx(np.mean(taus)))
    board = judged.leaderboard.set_index("estimator")["kendall_tau"]
    assert table.loc[("nwot", "cifar10"), "kendall_tau"] == pytest.approx(board["nwot"])
    perfect = kendalltau(part.truth[other.index], other).statistic
    assert table.loc[("ground truth", "svhn"), "kendall_tau"] == pytest.approx(perfect)
    (shown,) = (each for each in tables_of(judged.page().parts) if each.name.startswith("transfer"))
    assert [row[0].text for row in shown.rows] == [*judged.order, "ground truth"]


def test_code_in_markdown_and_rows_of_latex_survive_what_would_end_or_change_them():
    def shown(cell):
        return Table("t", "c", (Column("[N]", numeric=False),), ((cell,), (Cell("*x", 0),)))

    line = markdown.table(shown(Cell("a", 0, architecture="b``c|d`"))).splitlines()[2]
    assert line == r"| a ``` b``c\|d` ``` |"
    rows = [line for line in latex.table(shown(Cell("[2pt]", 0))).splitlines() if line.endswith(r"\\")]
    assert rows == [r"{}[N] \\", r"{}[2pt] \\", r"{}*x \\"]


def test_combinations_are_not_chosen_of_readers_of_the_truth_nor_of_few_architectures(judgement, results):
    trials = {name: _trials(judgement, name) for name in ("nwot", "synflow")}
    truth = judgement.truth

    def chosen(family, number):
        rows = [
            pd.DataFrame({"architecture": names.index[:number], "value": names.iloc[:number], "estimator": name})
            for name, names in (("nwot", trials["nwot"][0]), ("synflow", truth))
        ]
        known = pd.concat(rows).assign(seed=0, batch_seed=0, status="ok", reason="", cpu_seconds=1.0)
        known["family"] = known["estimator"].map({"nwot": family, "synflow": "zero-shot"})
        evidence = Evidence(replace(results.benchmarks[0], scores=known, truth=truth.iloc[:number]))
        return combinations.tables(evidence)["subsets"]["estimators"].tolist()

    assert "nwot" not in " ".join(chosen("curve", 60))
    assert "nwot" in " ".join(chosen("zero-shot", 60))
    assert chosen("zero-shot", 30) == []


def test_verdict_of_an_estimator_worse_than_chance_reaches_nothing_of_the_ceiling(results):
    part = results.benchmarks[0]
    worst = replace(part, scores=part.scores[part.scores["estimator"].isin(["plain", "params"])])
    assert "of which the best reaches 0 %" in judge(worst).said


def test_latex_has_the_cells_of_every_row_and_nothing_that_latex_would_run(results, tmp_path):
    hostile = Cell(r"\input{/etc/passwd} 50% $x_1$ & #^~", 0, note="a_b", mark="100 %")
    columns = (Column("Name", numeric=False), Column("τ-b"))
    text = latex.table(Table("t", "caption\nwith % lines", columns, ((hostile, Cell("1", 1.0)),)))
    assert text.splitlines()[0] == "% caption with % lines"
    assert r"\begin{tabular}{lr}" in text
    assert r"\input" not in text
    row = next(line for line in text.splitlines() if "passwd" in line)
    assert len(re.findall(r"(?<!\\)&", row)) == 1
    assert not re.findall(r"(?<!\\)[%#_]", row)
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    write_report(replace(results, benchmarks=results.benchmarks[:1]), tmp_path)
    files = {file.stem: file.read_text(encoding="utf-8") for file in (tmp_path / "latex").iterdir()}
    shown = judge(results.benchmarks[0]).page("nasbench201-cifar10")
    assert set(files) == {f"nasbench201-cifar10-{table.name}" for table in tables_of(shown.parts)}
    board = files["nasbench201-cifar10-leaderboard"]
    rows = [line for line in board.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 1 + 5
    assert len({len(re.findall(r"(?<!\\)&", line)) for line in rows}) == 1
    assert board.isascii()


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
