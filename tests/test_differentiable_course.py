"""The command that shows how the differentiable searches of a suite went."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from scripts import script

from benchsuite.core import SuiteError
from benchsuite.plan import make_plan
from benchsuite.store import Store
from benchsuite.suite import load_suite

if TYPE_CHECKING:
    from pathlib import Path

SUITE = """
schema = 1
seeds = [0, 1]
[[benchmark]]
space = "nasbench201"
dataset = "digits"
sizes = {channels = 4, cells = 1}
[[estimator]]
name = "darts_likelihood"
parameters.training = {epochs = 2, images = 64, batch = 32, augmentation = "none"}
[[estimator]]
name = "darts_weights"
parameters.training = {epochs = 2, images = 64, batch = 32, augmentation = "none"}
[[estimator]]
name = "random"
"""


def test_each_training_has_a_row_and_its_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = tmp_path / "small.toml"
    suite.write_text(SUITE, encoding="utf-8")
    (part,) = make_plan(load_suite(suite)).benchmarks
    sources = {source.seed: source for trial in part.trials for source in trial.trainings}
    with Store(tmp_path / "store") as store:
        for source in sources.values():
            source.run(store.trainings)
        derived = {seed: pd.read_csv(of.folder(store.trainings).path / "derived.csv") for seed, of in sources.items()}
    options = [str(suite), "--store", str(tmp_path / "store"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["differentiable_course.py", *options])
    script("differentiable_course").main()
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[:4] for row in rows] == [
        ["| nasbench201/digits", "darts_likelihood", seed, "2"] for seed in ("0", "1")
    ]
    found = pd.read_csv(tmp_path / "out" / "course.csv")
    for seed, epochs in found.groupby("seed"):
        assert epochs["architecture"].tolist() == derived[seed]["architecture"].tolist()
        assert epochs["alignment"].tolist() == derived[seed]["alignment"].tolist()
    assert (tmp_path / "out" / "course.svg").is_file()


def test_benchmarks_have_charts_of_their_own() -> None:
    epochs = pd.DataFrame({"epoch": [1, 2], "skips": [0, 3], "alignment": [0.5, 0.1], "estimator": "darts", "seed": 0})
    found = pd.concat([epochs.assign(benchmark=name, skips=epochs["skips"] + k) for k, name in enumerate("ab")])
    axes = script("differentiable_course").chart(found).axes
    assert [each.get_title() for each in axes] == ["a", "a", "b", "b"]
    assert [line.get_ydata().tolist() for each in axes[::2] for line in each.lines] == [[0, 3], [1, 4]]


def test_a_store_without_trainings_is_an_error_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = tmp_path / "small.toml"
    suite.write_text(SUITE, encoding="utf-8")
    with Store(tmp_path / "store"):
        pass
    monkeypatch.setattr(sys, "argv", ["differentiable_course.py", str(suite), "--store", str(tmp_path / "store")])
    with pytest.raises(SuiteError, match=r"no training in .* has an epoch; begin with benchsuite run"):
        script("differentiable_course").main()


def test_truth_of_a_string_comes_before_that_of_its_class() -> None:
    (part,) = make_plan(load_suite("quickstart")).benchmarks[:1]
    own = part.benchmark.truth(pool="none")
    name = str(own.index[3])
    found = script("differentiable_course").with_truth(pd.DataFrame({"architecture": [name]}), part.benchmark)
    assert found["truth"].tolist() == [own[name]]
    assert found["percentile"].tolist() == [100 * sum(value < own[name] for value in own) / len(own)]
