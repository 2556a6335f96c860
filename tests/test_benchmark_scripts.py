"""The scripts in benchmarks/ that make tables and comparisons."""

from __future__ import annotations

import sys
from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import kendalltau
from scripts import FOLDER, script
from small import write_table

from benchsuite.benchmark import load_benchmark
from benchsuite.core.errors import SuiteError
from benchsuite.core.registry import make_estimator
from benchsuite.data.images.minibatches import load_images, minibatch
from benchsuite.estimators.supernets.readouts import Measured, ValidationReadout
from benchsuite.estimators.zero_shot.any_network import score_network
from benchsuite.estimators.zero_shot.task import ProbeTask
from benchsuite.report.render.words import MINUS
from benchsuite.report.results import BenchmarkResults
from benchsuite.running.jobs import missing_jobs, missing_trainings
from benchsuite.running.runner import execute, train
from benchsuite.running.store import Store
from benchsuite.spaces.nasbench101.space import NASBench101
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.suites.plan import make_plan
from benchsuite.suites.schema import load_suite

if TYPE_CHECKING:
    from pathlib import Path

NAN = float("nan")


def test_a_wide_table_becomes_long_and_keeps_its_means() -> None:
    wide = pd.DataFrame(
        {
            "architecture": ["a", "b", "c"],
            "c10_test12": [50.0, 60.0, NAN],
            "c10_test200_mean": [91.0, 85.0, 70.5],
            "c10_test200_v1": [90.0, NAN, 70.0],
            "c10_test200_v2": [91.0, NAN, 71.0],
            "c10_test200_v3": [92.0, NAN, NAN],
        }
    )
    table = script("nasbench201_table").long_table(wide)
    full = table[table["epochs"] == 200]
    assert full.groupby("architecture")["accuracy"].mean().tolist() == [91.0, 85.0, 70.5]
    assert full.groupby("architecture")["trial"].apply(list).tolist() == [[0, 1, 2], [0], [0, 1]]
    early = table[table["epochs"] == 12]
    assert dict(zip(early["architecture"], early["accuracy"], strict=True)) == {"a": 50.0, "b": 60.0}


def test_scores_are_compared_on_the_architectures_that_both_have() -> None:
    compare = script("compare_published")
    compare.DRAWS = 20
    names = [f"cell{number:02d}" for number in range(30)]
    truth = pd.Series(np.arange(30.0), index=names)
    rows = [
        {"estimator": "snip", "seed": seed, "architecture": name, "value": NAN if position == 0 else position + seed}
        for seed in (0, 1)
        for position, name in enumerate(names)
    ]
    empty = pd.DataFrame()
    results = BenchmarkResults("", "", "", truth, empty, empty, pd.DataFrame(rows), {}, {})
    published = pd.DataFrame({"snip": -np.arange(20.0), "zen": 1.0}, index=names[:20])
    (row,) = compare.compare(results, published).itertuples(index=False)
    assert row.estimator == "snip"
    assert row.n == 20
    assert row[2:5] == pytest.approx((1.0, -1.0, 2.0))
    assert row[-1] == pytest.approx(-1.0)
    assert compare.agreement_of_seeds(results)["snip"] == pytest.approx(1.0)


def test_public_modules_become_the_strings_of_their_published_hashes_and_percent(shared: Path) -> None:
    modules = pd.read_parquet(shared / "data" / "nasbench101_30k.parquet").iloc[::100]
    table = script("public_tables").nasbench101_table(modules)
    full = table[table["epochs"] == 108]
    space = NASBench101()
    assert [space.module_hash(name) for name in full["architecture"]] == modules["module_hash"].tolist()
    assert full["accuracy"].to_numpy() == pytest.approx(100 * modules["val_acc_e108"].to_numpy())
    assert table.groupby("epochs").size().to_dict() == dict.fromkeys((4, 12, 36, 108), len(modules))
    assert space.complexity(full["architecture"].iloc[0], "cifar10").params == modules["params"].iloc[0] == 8_555_530


def test_equal_strings_are_several_trials() -> None:
    adjacency = "011001000"
    modules = pd.DataFrame({"adjacency": ["0100", adjacency, adjacency], "ops": ["", "conv1x1-bn-relu", "conv1x1"]})
    values = {f"val_acc_e{epochs}": [0.1, 0.2, 0.3] for epochs in (4, 12, 36, 108)}
    table = script("public_tables").nasbench101_table(modules.assign(**values))
    final = table[table["epochs"] == 108]
    assert final["architecture"].tolist() == [":0-1", "conv1x1:0-1,0-2,1-2", "conv1x1:0-1,0-2,1-2"]
    assert final["trial"].tolist() == [0, 0, 1]


def test_public_tables_are_imported_with_the_networks_that_they_were_made_with(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in ("darts_trained545.parquet", "nasbench301_surrogate.parquet"):
        (tmp_path / file).symlink_to(shared / "data" / file)
    monkeypatch.setattr(sys, "argv", ["public_tables.py", str(tmp_path), str(tmp_path / "out")])
    script("public_tables").main()
    trained = load_benchmark("nasbench301", "cifar10-trained", table=tmp_path / "out" / "nasbench301-trained.parquet")
    published = pd.read_parquet(shared / "data" / "darts_trained545.parquet")
    architectures = trained.table.loc[trained.table["epochs"] == 50, "architecture"].iloc[:40]
    params = [trained.space.complexity(name, "cifar10").params for name in architectures]
    assert params == pytest.approx(1e6 * published["params"].iloc[:40].to_numpy())
    assert trained.truth(split="valid", pool="none").max() == published["valid_acc50"].max()
    naslib = load_benchmark("nasbench301", "cifar10-naslib", table=tmp_path / "out" / "nasbench301-naslib.parquet")
    accuracy = naslib.truth(epochs=100, split="valid")
    assert len(accuracy) == 1218
    assert accuracy.max() == pytest.approx(94.488883)
    assert "surrogate" in naslib.card["title"]


DEAD_CONVOLUTION = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|"
ALL_ALIVE = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"


@pytest.mark.parametrize("architecture", [DEAD_CONVOLUTION, ALL_ALIVE])
def test_the_slow_way_to_compute_scores_computes_the_same_scores(architecture: str) -> None:
    slow = script("speed/public_style")
    space = NASBench201(channels=4, cells=1)
    torch.manual_seed(0)
    kept = space.build(architecture, "cifar10", dead="keep").double()
    state = kept.state_dict()
    inputs, targets = torch.randn(20, 3, 32, 32, dtype=torch.float64), torch.arange(20) % 7
    build = partial(space.build, architecture, "cifar10", dead="keep")
    found = slow.scores(build, inputs, targets, list(slow.SCORES), state)
    assert found == pytest.approx(score_network(kept, inputs, targets, list(slow.SCORES)), rel=1e-9)
    lean = space.build(architecture, "cifar10").double()
    lean.load_state_dict({name: state[name] for name in lean.state_dict()})
    deaf = [name for name in slow.SCORES if name not in {"nwot", "zen"}]  # to ReLUs and BN of dead operations
    own = score_network(lean, inputs, targets, deaf)
    assert {name: found[name] for name in deaf} == pytest.approx(own, rel=1e-9)


def test_the_speed_of_estimators_is_compared_on_small_networks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(FOLDER / "speed")
    small = {"networks": 2, "channels": 2, "cells": 1, "batch": 10, "repeats": 1}
    command = [part for name, value in small.items() for part in (f"--{name}", str(value))]
    monkeypatch.setattr(sys, "argv", ["zero_shot.py", *command, "--others"])
    speed = script("speed/zero_shot")
    monkeypatch.setattr(speed, "_print_scaling", lambda *_: None)  # starts processes, which load torch
    speed.main()
    shown = capsys.readouterr().out
    assert {"seven", "twelve", "eighteen"} <= {line.split(" ")[0] for line in shown.splitlines()}
    assert "GFLOP/s" in shown


def test_the_speed_of_supernets_is_compared_with_that_of_plain_networks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"networks": 2, "channels": 2, "cells": 1, "batch": 10, "repeats": 1, "evaluated": 3}
    command = [part for name, value in small.items() for part in (f"--{name}", str(value))]
    monkeypatch.setattr(sys, "argv", ["one_shot.py", *command])
    script("speed/one_shot").main()
    cells, supernet, plain, ratio, worst, wanted, *evaluated = capsys.readouterr().out.splitlines()[-1].split()
    assert (cells, wanted) == ("1", "0.85")
    assert float(supernet) / float(plain) == pytest.approx(float(ratio), abs=0.01)
    assert float(worst) <= float(ratio) + 0.01
    assert len(evaluated) == 3


def test_a_deviation_is_the_largest_relative_one() -> None:
    largest = script("fast_deviations").largest_deviation
    assert largest(np.array([2.0, -4.0, 0.0]), np.array([2.1, -5.0, 0.0])) == 0.25
    assert largest(np.array([0.0]), np.array([0.1])) == np.inf


def test_fast_scores_are_compared_with_the_usual_ones_of_the_same_networks() -> None:
    columns = ["estimator", "architecture", "mode", "value", "cpu_seconds"]
    usual = [("snip", name, "usual", value, 3.0) for name, value in (("a", 1.0), ("b", 2.0), ("c", 4.0), ("d", NAN))]
    fast = [("snip", name, "fast", value, 2.0) for name, value in (("a", 1.0), ("b", 2.5), ("c", 2.0), ("d", 7.0))]
    table = script("fast_deviations").compare(pd.DataFrame([*usual, *fast[::-1]], columns=columns))
    assert table.loc["snip"].tolist() == [0.5, 0.5, 1, 3.0, 1.5]


def test_deviations_of_fast_scores_are_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--networks", "2", "--batch", "4", "--estimators", "snip", "swap"]
    monkeypatch.setattr(sys, "argv", ["fast_deviations.py", *command])
    deviations = script("fast_deviations")
    monkeypatch.setattr(deviations, "SPACE", NASBench201(channels=2, cells=1))
    deviations.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[1] for line in lines if line.startswith("| s")] == ["snip", "swap"]
    assert lines[-1].startswith("ratio: ")


def test_common_and_independent_initialisations_are_compared_with_the_truth_and_between_seeds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    effect = script("common_random_numbers")
    names, rng = list("abcdefgh"), np.random.default_rng(0)
    truth = pd.Series(rng.uniform(size=8), index=names)
    values = {(mode, seed): rng.uniform(size=8) for mode in effect.MODES for seed in (0, 1)}
    rows = [
        ("snip", mode, seed, name, value)
        for (mode, seed), column in values.items()
        for name, value in list(zip(names, column, strict=True))[::-1]
    ]
    table = effect.compare(pd.DataFrame(rows, columns=["estimator", "mode", "seed", "architecture", "value"]), truth)
    for mode in effect.MODES:
        first, second = (values[mode, seed] for seed in (0, 1))
        taus = [kendalltau(column, truth).statistic for column in (first, second)]
        expected = [np.mean(taus), np.std(taus, ddof=1), kendalltau(first, second).statistic, 2]
        assert table.loc["snip", mode].tolist() == pytest.approx(expected)
    effect._print(table)
    assert capsys.readouterr().out.splitlines()[-1].startswith("| snip | ")


def test_both_initialisations_are_scored_by_a_script_with_the_same_seeds() -> None:
    effect, images = script("common_random_numbers"), load_images("digits")
    space, estimators = NASBench201(channels=2, cells=1), tuple(map(make_estimator, ("l2_norm", "snip")))
    task = ProbeTask(space, images.dataset, estimators, minibatches=tuple(minibatch(images, 8, seed=0)))
    scores = effect.measure(task, space.sample(2, np.random.default_rng(0)), seeds=2)
    assert len(scores) == 2 * 2 * 2 * 2
    assert scores["value"].nunique() == 16


SMALL_SUPERNETS = {
    "macro": ["channels=2", "head=4"],
    "nasbench201": ["channels=2", "cells=1"],
}


@pytest.mark.parametrize("space", SMALL_SUPERNETS)
def test_supernets_with_and_without_stabiliser_are_compared(
    space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"epochs": 2, "seeds": 2, "training-images": 64, "validating": 20, "batch": 16, "watched": 2}
    command = [part for name, value in small.items() for part in (f"--{name}", str(value))]
    command += ["--space", space, "--architectures", "3", "--out", str(tmp_path), "--sizes", *SMALL_SUPERNETS[space]]
    monkeypatch.setattr(sys, "argv", ["supernet_behaviour.py", *command])
    script("supernet_behaviour").main()
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("| :--") for line in lines) == 7
    assert all(line.count("|") == 5 for line in lines if line.startswith("|"))
    seen = pd.read_csv(tmp_path / "forgetting.csv")
    assert seen.groupby(["stabiliser", "seed", "epoch"]).size().unique().tolist() == [2]
    shown = [line.split("|")[2].split() for line in lines if line.startswith("| mean |")]
    none = seen[seen["stabiliser"] == "none"]
    by_seed = (none["after_epoch"] - none["after_update"]).groupby(none["seed"]).mean()
    assert [float(shown[0][0]), float(shown[0][2])] == pytest.approx([by_seed.mean(), by_seed.std()], abs=6e-4)


def test_a_comparison_of_stabilisers_that_was_stopped_goes_on_with_the_missing_trainings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    behaviour = script("supernet_behaviour")
    command = "--epochs 1 --seeds 2 --training-images 32 --validating 20 --batch 16 --watched 1 --architectures 2"
    measure, done = behaviour.measure, []

    def compare(folder: Path, *more: str, last: int = 6) -> str:
        def measured(options: object, *run: object) -> object:
            if len(done) == last:
                raise KeyboardInterrupt
            done.append(run)
            return measure(options, *run)

        monkeypatch.setattr(behaviour, "measure", measured)
        out = ["--out", str(folder), "--sizes", *SMALL_SUPERNETS["macro"]]
        monkeypatch.setattr(sys, "argv", ["supernet_behaviour.py", *command.split(), *out, *more])
        behaviour.main()
        return capsys.readouterr().out

    with pytest.raises(KeyboardInterrupt):
        compare(tmp_path / "stopped", last=3)
    cut_short = tmp_path / "stopped" / "features.csv"
    table = pd.read_csv(cut_short, dtype=str)
    table[table["stabiliser"] == "none"].to_csv(cut_short, index=False)  # as if killed before the last table
    assert done.pop() == ("skip", 0)
    shown = compare(tmp_path / "stopped")
    assert done == [(name, seed) for name in ("none", "skip", "skip:he") for seed in (0, 1)]
    done.clear()
    assert compare(tmp_path / "whole") == shown
    with pytest.raises(SuiteError, match=r"tables of another protocol, see protocol\.txt"):
        compare(tmp_path / "whole", "--lr", "0.1")


def test_stabilisers_begin_as_their_word_says(monkeypatch: pytest.MonkeyPatch) -> None:
    behaviour = script("supernet_behaviour")
    monkeypatch.setattr(sys, "argv", ["supernet_behaviour.py"])
    options = behaviour._options()
    made = [behaviour.training(options, name) for name in options.stabilisers]
    starts = [(each.stabiliser, each.stabiliser_start) for each in made]
    assert starts == [("none", "identity"), ("skip", "identity"), ("skip", "he")]


def _readouts(*batches: tuple[int, float]) -> ValidationReadout:
    return ValidationReadout(tuple(Measured(10, right, loss) for right, loss in batches), 0.0)


def test_more_batches_change_the_scores_of_architectures() -> None:
    readouts = {
        "a": _readouts((5, 1.0), (1, 2.0)),
        "b": _readouts((4, 2.0), (9, 0.5)),
        "c": _readouts((3, 3.0), (4, 0.1)),
    }
    truth = pd.Series({"c": 70.0, "a": 60.0, "b": 90.0, "d": 1.0})
    found = script("validation_batches").against_batches(readouts, truth)
    assert found["accuracy", 1, "tau"] == pytest.approx(kendalltau([5, 4, 3], [60, 90, 70]).statistic)
    assert found["accuracy", 2, "tau"] == pytest.approx(kendalltau([6, 13, 7], [60, 90, 70]).statistic) == 1
    assert found["loss", 2, "tau"] == pytest.approx(kendalltau([-3, -2.5, -3.1], [60, 90, 70]).statistic)
    assert set(found.index.get_level_values("batches")) == {1, 2}


def test_epochs_are_compared_with_each_other() -> None:
    names = [f"cell{number:02}" for number in range(20)]
    first = {name: _readouts((number % 10, 1.0)) for number, name in enumerate(names)}
    last = {name: _readouts((10 - number // 2, 1.0)) for number, name in enumerate(names)}
    found = script("validation_batches").between_epochs({5: first, 10: last})
    expected = kendalltau(*([each.accuracy for each in of.values()] for of in (first, last))).statistic
    assert found[5, "tau to epoch 10"] == found[10, "tau to epoch 5"] == pytest.approx(expected)
    assert found[10, "tau to epoch 10"] == pytest.approx(1)
    assert [figure for epoch, figure in found.index if figure.startswith("P@top")] == ["P@top 5 % of the next"]


SUPERNETS = """
schema = 1
seeds = [0, 1]
[[benchmark]]
space = "nasbench201"
dataset = "digits"
sizes = {channels = 2, cells = 1}
truth = {table = "table.csv"}
architectures = {number = 6, seed = 0}
batch = {images = "digits"}
[[estimator]]
name = "uniform"
parameters.images = 60
parameters.batch = 20
parameters.training = {epochs = 2, kept = 2, images = 64, batch = 32}
"""


def test_finished_trainings_of_a_suite_are_read_by_batches_and_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(tmp_path)
    suite = tmp_path / "supernets.toml"
    suite.write_text(SUPERNETS)
    plan = make_plan(load_suite(suite))
    with Store(tmp_path / "store") as store:
        jobs = missing_jobs(plan, store)
        assert train(missing_trainings(jobs, store.trainings), store.trainings, "cpu") == {}
        execute(jobs, store, plan)
        scores = {
            trial.seed: store.scores([trial.key]).set_index("architecture")["value"]
            for trial in plan.benchmarks[0].trials
        }
    options = ["--store", str(tmp_path / "store"), "--batch", "20", "--batches", "3", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["validation_batches.py", str(suite), *options])
    script("validation_batches").main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("## nasbench201/digits, uniform: 6 of ")
    assert sum(line.startswith("| accuracy |") for line in lines) == 3
    found = pd.read_csv(tmp_path / "out" / "batches.csv").set_index(["readout", "batches", "figure"])
    truth = plan.benchmarks[0].benchmark.truth()
    for seed, values in scores.items():
        expected = kendalltau(values, truth.loc[values.index]).statistic
        assert found.loc[("accuracy", 3, "tau"), str(seed)] == pytest.approx(expected)


def test_estimators_of_a_suite_are_compared_with_one_of_them() -> None:
    rng = np.random.default_rng(0)
    truth = pd.Series(rng.normal(size=40), index=[f"cell{number:02}" for number in range(40)])
    good, other = (truth + rng.normal(scale=scale, size=40) for scale in (0.5, 2.0))
    frames = [
        pd.DataFrame({"estimator": name, "seed": seed, "batch_seed": NAN, "architecture": truth.index, "value": values})
        for name, seed, values in (("good", 0, good), ("good", 1, other), ("other", 0, other), ("left out", 0, good))
    ]
    results = Namespace(scores=pd.concat(frames))
    differences = script("paired_differences")
    trials = differences.trials(results, "good", ["other"])
    assert {name: len(each) for name, each in trials.items()} == {"good": 2, "other": 1}
    table = differences.differences(trials, truth, "good")
    assert list(table.index) == ["good", "other"]
    first, second = (kendalltau(each, truth).statistic for each in (good, other))
    assert table.loc["good", "tau of each trial"] == f"{first:.3f}, {second:.3f}"
    assert table.loc["good", "tau, difference"] == ""
    assert table.loc["other", "tau, difference"].startswith(f"{MINUS}{(first - second) / 2:.3f} (")
    assert differences.indexed(table).splitlines()[2].startswith("| good | ")


WHOLE = """# suite

What it is.

## Overview

- A sentence.

#### Every estimator on every benchmark

| a |
| -- |

![Mean rank](figures/mean.svg)

Caption of the figure.

## space/data

- The verdict.

### Which estimator ranks best?

#### Leaderboard, best first

| b |
| -- |

![Bars](figures/bars.svg)

Caption of the bars.

#### Paired differences

| c |
| -- |

### How stable is it?

A paragraph.

#### Seeds

| d |
| -- |

### Who agrees?

| e |
| -- |

## Provenance

- **torch**: 2
"""


def test_the_short_copy_of_a_report_has_verdicts_and_leaderboards() -> None:
    short = script("short_report").shortened(WHOLE)
    titles = [line for line in short.splitlines() if line.startswith("#")]
    assert titles == [
        "# suite",
        "## Overview",
        "#### Every estimator on every benchmark",
        "## space/data",
        "### Which estimator ranks best?",
        "#### Leaderboard, best first",
        "## Provenance",
    ]
    assert "- The verdict." in short
    assert "| b |" in short
    assert "figures/" not in short
    assert "Caption" not in short
    assert "make the whole report" in short


def test_a_section_can_be_kept_in_the_short_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "full" / "tables").mkdir(parents=True)
    (tmp_path / "full" / "report.md").write_text(WHOLE)
    for name in ("leaderboard", "comparisons", "scores"):
        (tmp_path / "full" / "tables" / f"{name}.csv").write_text(name)
    folders = [str(tmp_path / "full"), str(tmp_path / "short")]
    monkeypatch.setattr(sys, "argv", ["short_report.py", *folders, "--section", "How stable is it?"])
    script("short_report").main()
    short = (tmp_path / "short" / "report.md").read_text()
    assert short.count("### How stable is it?\n\nA paragraph.\n\n#### Seeds\n\n| d |") == 1
    assert "Who agrees" not in short
    assert sorted(file.name for file in (tmp_path / "short" / "tables").iterdir()) == [
        "comparisons.csv",
        "leaderboard.csv",
    ]
