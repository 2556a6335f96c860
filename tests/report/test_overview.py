"""What stands above several benchmarks."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from judged import judge

from benchsuite.report.overview import overview, overview_table
from benchsuite.report.render.parts import Folded
from benchsuite.report.render.words import MISSING
from benchsuite.report.write import write_report


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 60 architectures on two data sets."""
    return make_results(("nasbench201/cifar10", "nasbench201/digits"), 60, ("nwot", "synflow", "plain"), seeds=2)


@pytest.fixture(scope="module")
def judgement(results):
    return judge(results.benchmarks[0])


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


HOSTILE = '<script>alert("1")</script> $x_1$ |b| `c` #1d2330'


OPERATION = "<b>$1$&`"  # short: it labels the columns of a figure


@pytest.fixture(scope="module")
def hostile(make_results):
    benchmarks = ("nasbench201/cifar10", "nasbench201/digits")
    made = make_results(benchmarks, n=40, estimators=("nwot", "synflow", HOSTILE), seeds=2)
    return replace(made, benchmarks=tuple(_hostile(each) for each in made.benchmarks))


def _hostile(part):
    """The same with markup in the names of architectures and operations, and in the reason of a failure."""
    names = {name: f"{name}{HOSTILE}" for name in part.truth.index}
    renamed = {table: getattr(part, table).rename(index=names) for table in ("truth", "trials", "complexity")}
    scores = part.scores.assign(architecture=part.scores["architecture"].map(names))
    failed = scores.index[scores["estimator"] == "nwot"][0]
    scores.loc[failed, ["value", "status", "reason"]] = [np.nan, "failed", f"no {HOSTILE}"]
    words = itertools.product((OPERATION, "conv", "pool"), repeat=3)
    return replace(part, **renamed, scores=scores, operations=dict(zip(names.values(), words, strict=False)))


@pytest.fixture(scope="module")
def folder(hostile, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    assert write_report(hostile, folder) == folder / "index.html"
    return folder


@pytest.fixture(scope="module")
def html(folder):
    return (folder / "index.html").read_text(encoding="utf-8")


def test_the_overview_has_the_taus_of_all_benchmarks_above_their_ceilings(hostile, folder):
    judgements = [judge(benchmark) for benchmark in hostile.benchmarks]
    taus = pd.DataFrame(
        {each.evidence.results.benchmark: each.leaderboard.set_index("estimator")["kendall_tau"] for each in judgements}
    )
    table = overview_table([each.judgement for each in judgements])
    assert [column.title for column in table.columns[2:]] == list(taus.columns)
    (last,) = table.summary
    for name, mean, *cells in table.rows:
        assert [cell.value for cell in cells] == taus.loc[name.value].tolist()
        assert mean.value == pytest.approx(taus.loc[name.value].mean())
    means = [mean.value for _, mean, *_ in table.rows]
    assert means == sorted(means, reverse=True)
    assert [cell.value for cell in last[2:]] == [each.ceiling for each in judgements]
    assert "## Overview" in (folder / "report.md").read_text(encoding="utf-8")


def test_an_estimator_judged_on_one_benchmark_only_has_no_mean_and_comes_last_in_the_overview(hostile):
    first, second = hostile.benchmarks
    kept = second.scores[second.scores["estimator"] != "nwot"]
    table = overview_table([judge(first).judgement, judge(replace(second, scores=kept)).judgement])
    row = table.rows[-1]
    assert row[0].value == "nwot"
    assert [row[1].text, row[3].text] == [MISSING, MISSING]
    assert row[2].text != MISSING


def test_one_benchmark_needs_no_overview(hostile, tmp_path):
    write_report(replace(hostile, benchmarks=hostile.benchmarks[:1]), tmp_path)
    assert "Overview" not in (tmp_path / "index.html").read_text(encoding="utf-8")
