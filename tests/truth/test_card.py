"""Cards of ground-truth tables, those that are shipped among them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import kendalltau
from tiny_truth import SIZES, plan

from benchsuite.core.registry import make_space
from benchsuite.data.cards import read_card
from benchsuite.data.home import shipped
from benchsuite.data.images.minibatches import load_images
from benchsuite.data.tables import load_table
from benchsuite.truth.card import card, figures, final_accuracies
from benchsuite.truth.making import TrainingStore, make, table

if TYPE_CHECKING:
    from pathlib import Path


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
def test_shipped_table_has_the_ceiling_that_its_card_says(space: str) -> None:
    trials, content = shipped_table(space)
    rng = np.random.default_rng(1)
    means = trials.mean(axis=1).to_numpy()
    errors = trials.std(axis=1, ddof=1).to_numpy() / math.sqrt(trials.shape[1])
    draws = [kendalltau(means, rng.normal(means, errors)).statistic for _ in range(100)]
    assert np.mean(draws) > 0.75
    assert content["figures"]["ceiling"]["kendall_tau"] == pytest.approx(np.mean(draws), abs=0.01)
