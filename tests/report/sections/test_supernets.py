"""Learning curves of supernets in a report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from judged import judge

from benchsuite.report.render.words import MISSING
from benchsuite.report.results import TRAINING_COLUMNS, BenchmarkResults, Results
from benchsuite.report.sections.supernets import trainings_table
from benchsuite.report.write import write_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchsuite.report.render.table import Table


def _table(part: BenchmarkResults) -> Table:
    found = judge(part)
    return trainings_table(found.trainings, found.leaderboard, found.estimators)


@pytest.fixture
def results(make_results: Callable[..., Results]) -> Results:
    return make_results(n=20, estimators=("snip",))


@pytest.fixture
def trained(results: Results) -> Results:
    rows = [
        ("path", seed, f"key{seed}", epoch, "uniform", 2.5 - epoch / 10, 10.0 * epoch, 4.0, 500.0 - epoch)
        for seed in (0, 1)
        for epoch in (1, 2, 3)
    ]
    curves = pd.DataFrame(rows, columns=list(TRAINING_COLUMNS))
    first, *others = results.benchmarks
    return replace(results, benchmarks=(replace(first, trainings=curves), *others))


def test_a_row_for_each_supernet_says_how_it_ended_and_what_it_cost(trained: Results) -> None:
    table = _table(trained.benchmarks[0])
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["path", str(seed), "3", "2.200", "30.0", "12", "498", MISSING] for seed in (0, 1)
    ]


def test_a_training_breaks_even_where_its_cost_is_saved_by_reading(results: Results) -> None:
    (part,) = results.benchmarks
    rows = [("path", 0, "key", 1, "uniform", 2.0, 50.0, 30.0, float("nan"))]
    read = part.scores[part.scores["estimator"] == "snip"].assign(estimator="uniform", family="one-shot")
    costs = pd.concat([part.scores.assign(cpu_seconds=0.5), read.assign(cpu_seconds=0.2)])
    trained = replace(part, scores=costs, trainings=pd.DataFrame(rows, columns=list(TRAINING_COLUMNS)))
    table = _table(trained)
    assert table.columns[-1].title == "Breaks even with snip"
    assert [cell.text for cell in table.rows[0][-2:]] == [MISSING, "100"]  # 30 s over 0.3 s saved on each


def test_curves_are_shown_where_supernets_were_trained_and_nowhere_else(
    trained: Results, results: Results, tmp_path: Path
) -> None:
    shown, plain = write_report(trained, tmp_path / "one"), write_report(results, tmp_path / "two")
    assert shown.read_text(encoding="utf-8").count("How were the supernets trained?") == 1
    assert "Trained supernets" in (shown.parent / "report.md").read_text(encoding="utf-8")
    assert len(list((shown.parent / "figures").glob("*training.svg"))) == 1
    for name in ("index.html", "report.md"):
        assert "supernets" not in (plain.parent / name).read_text(encoding="utf-8")
