"""Making ground truth: one training, many trainings, table and card."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau

from benchsuite.core.errors import DataCorruptError, SuiteError
from benchsuite.core.registry import make_space
from benchsuite.data.home import shipped
from benchsuite.data.images.minibatches import load_images
from benchsuite.data.sources import read_card
from benchsuite.data.tables import COLUMNS, load_table
from benchsuite.truth.card import card, figures, final_accuracies
from benchsuite.truth.making import Plan, TrainingStore, make, table
from benchsuite.truth.training import Protocol, Training, train

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

SIZES = {"channels": 2, "cells": 1}
TINY = Protocol(steps=4, batch=8)
CELL = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"


def plan(architectures: int = 3, seeds: int = 2, protocol: Protocol = TINY) -> Plan:
    return Plan("nasbench201", "digits", protocol, SIZES, architectures, seeds)


def results(trainings: dict[tuple[str, int], Training]) -> dict[tuple[str, int], object]:
    return {key: training.points for key, training in trainings.items()}


class Executed:
    """Counts the trainings that a call of `make` executes."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def __call__(self, done: int, total: int) -> None:
        self.told.append(done)

    @property
    def number(self) -> int:
        return self.told[-1] - self.told[0]


def test_training_depends_on_seed_and_architecture_alone() -> None:
    space, images = make_space("nasbench201", SIZES), load_images("digits")
    first = train(space, CELL, images, TINY, seed=0)
    torch.manual_seed(5)
    assert train(space, CELL, images, TINY, seed=0).points == first.points
    assert train(space, CELL, images, TINY, seed=1).points != first.points


def test_training_leaves_random_state_and_threads_alone() -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    train(make_space("nasbench201", SIZES), CELL, load_images("digits"), TINY, seed=0)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_training_learns() -> None:
    space = make_space("nasbench201", {"channels": 4, "cells": 1})
    points = train(space, CELL, load_images("digits"), Protocol(steps=60, batch=32), seed=0).points
    losses = [point.loss for point in points if point.split == "train"]
    assert losses == sorted(losses, reverse=True)
    assert points[-1].split == "test"
    assert points[-1].accuracy > 60


def test_constant_network_reaches_chance_and_its_loss() -> None:
    dead = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    images = load_images("digits")
    point = train(make_space("nasbench201", SIZES), dead, images, Protocol(steps=20, batch=64), seed=0).points[-1]
    assert point.accuracy <= 100 * np.bincount(images.test_targets).max() / len(images.test_targets) + 1e-9
    assert point.loss == pytest.approx(math.log(10), abs=0.1)


def test_rate_rises_to_its_largest_and_falls_to_nearly_nothing() -> None:
    protocol = Protocol(steps=100, lr=0.4, warmup=0.2)
    rates = [protocol.rate(step) for step in range(100)]
    assert rates[:20] == pytest.approx(np.linspace(0.02, 0.4, 20))
    assert rates[19:] == sorted(rates[19:], reverse=True)
    assert rates[60] == pytest.approx(0.2)
    assert rates[-1] < 1e-3


@pytest.mark.parametrize("wrong", [{"steps": 3}, {"batch": 1}, {"lr": 0.0}])
def test_protocol_that_trains_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SuiteError, match="choose at least 4 steps, 2 images and a positive rate"):
        Protocol(**wrong)


def test_second_run_trains_nothing(tmp_path: Path) -> None:
    store, count = TrainingStore(tmp_path / "kept.sqlite"), Executed()
    first = make(plan(), store)
    assert make(plan(), store, progress=count) == first
    assert count.number == 0


def test_larger_plan_trains_only_what_is_new(tmp_path: Path) -> None:
    store, count = TrainingStore(tmp_path / "kept.sqlite"), Executed()
    small = make(plan(architectures=2, seeds=1), store)
    large = make(plan(architectures=3, seeds=2), store, progress=count)
    assert count.number == 3 * 2 - 2
    assert small.items() <= large.items()


def test_another_protocol_shares_no_training(tmp_path: Path) -> None:
    store, count = TrainingStore(tmp_path / "kept.sqlite"), Executed()
    make(plan(architectures=1, seeds=1), store)
    make(plan(architectures=1, seeds=1, protocol=Protocol(steps=4, batch=8, lr=0.2)), store, progress=count)
    assert count.number == 1


def test_results_do_not_depend_on_jobs_or_order(tmp_path: Path) -> None:
    alone = make(plan(), TrainingStore(tmp_path / "alone.sqlite"))
    together = make(plan(), TrainingStore(tmp_path / "together.sqlite"), jobs=2)
    assert results(together) == results(alone)


def test_killed_run_keeps_every_finished_training(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite"
    code = (
        "import sys; from pathlib import Path\n"
        "from benchsuite.truth.making import Plan, TrainingStore, make\n"
        "from benchsuite.truth.training import Protocol\n"
        "plan = Plan('nasbench201', 'digits', Protocol(steps=4, batch=8), {'channels': 2, 'cells': 1}, 16, 1)\n"
        "make(plan, TrainingStore(Path(sys.argv[1])))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)])
    store = TrainingStore(path)
    recipe = plan().recipe()
    deadline = time.monotonic() + 60
    while len(store.held(recipe)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    held, count = store.held(recipe), Executed()
    assert 2 <= len(held) < 16
    finished = make(plan(architectures=16, seeds=1), store, progress=count)
    assert count.number == 16 - len(held)
    assert held.items() <= finished.items()


def test_foreign_file_in_place_of_the_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite"
    path.write_bytes(b"no database " * 100)
    with pytest.raises(DataCorruptError, match="cannot be used as a store of trainings"):
        TrainingStore(path)


def test_table_has_curves_at_a_quarter_half_and_all_of_the_steps(tmp_path: Path) -> None:
    rows = table(make(plan(), TrainingStore(tmp_path / "kept.sqlite")))
    assert list(rows.columns) == list(COLUMNS)
    assert len(rows) == 3 * 2 * 3 * 2
    assert sorted(set(rows["epochs"])) == [1, 2, 4]
    assert set(rows["split"]) == {"train", "test"}
    assert rows.groupby(["split", "epochs"], observed=True)["accuracy"].count().eq(6).all()


def test_card_tells_how_the_table_was_made(tmp_path: Path) -> None:
    trainings = make(plan(), TrainingStore(tmp_path / "kept.sqlite"))
    content = card(plan(), "digits", trainings, table(trainings))
    assert content["sizes"] == SIZES
    assert content["images"] == "digits"
    assert content["protocol"]["steps"] == 4
    assert (content["architectures"], content["seeds"]) == (3, 2)
    assert content["image_set"]["sha256"] == load_images("digits").digest
    assert content["versions"]["torch"] == torch.__version__


def test_figures_of_simulated_trainings_come_out_as_simulated() -> None:
    import pandas as pd

    rng = np.random.default_rng(0)
    quality = rng.normal(70, 10, 3000)
    trials = pd.DataFrame(quality[:, None] + rng.normal(0, 2, (3000, 3)))
    found = figures(trials)
    assert found["spread"] == pytest.approx(2 * 1.2816 * math.sqrt(100 + 4 / 3), rel=0.03)
    assert found["seed_deviation"] == pytest.approx(2, rel=0.03)
    # of two normal variables with correlation r, tau is 2/pi arcsin r (Greiner)
    correlation = 100 / math.sqrt((100 + 4) * (100 + 4 / 2))
    assert found["reliability"]["kendall_tau"] == pytest.approx(2 / math.pi * math.asin(correlation), abs=0.015)
    observed = 100 + 4 / 3
    correlation = math.sqrt(observed / (observed + 4 / 3))
    assert found["ceiling"]["kendall_tau"] == pytest.approx(2 / math.pi * math.asin(correlation), abs=0.015)


def test_one_seed_has_neither_reliability_nor_ceiling(tmp_path: Path) -> None:
    trainings = make(plan(seeds=1), TrainingStore(tmp_path / "kept.sqlite"))
    found = figures(final_accuracies(table(trainings)))
    assert found["reliability"] is found["ceiling"] is found["seed_deviation"] is None


EMBEDDED = ("macro", "nasbench101", "nasbench201", "nasbench301", "nds_resnet", "nds_resnext_a")


def shipped_table(space: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    place = shipped("data", "truth", f"{space}-digits.parquet")
    return final_accuracies(load_table(place)), read_card(place)


@pytest.mark.parametrize("space", EMBEDDED)
def test_shipped_table_is_what_its_card_says(space: str) -> None:
    trials, content = shipped_table(space)
    assert trials.shape == (content["architectures"], content["seeds"])
    assert len(trials) >= 100
    assert not trials.isna().any(axis=None)
    at_size = make_space(space, content["sizes"])
    sampled = at_size.sample(len(trials), np.random.default_rng(content["sample_seed"]))
    assert set(trials.index) == set(sampled)
    assert load_images(content["images"]).digest == content["image_set"]["sha256"]


@pytest.mark.parametrize("space", EMBEDDED)
def test_shipped_table_can_tell_architectures_apart(space: str) -> None:
    trials, content = shipped_table(space)
    rng = np.random.default_rng(1)
    means = trials.mean(axis=1).to_numpy()
    errors = trials.std(axis=1, ddof=1).to_numpy() / math.sqrt(trials.shape[1])
    draws = [kendalltau(means, rng.normal(means, errors)).statistic for _ in range(100)]
    assert np.mean(draws) > 0.75
    assert content["figures"]["ceiling"]["kendall_tau"] == pytest.approx(np.mean(draws), abs=0.01)
