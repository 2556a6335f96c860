"""`benchsuite truth make` as a user runs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from benchsuite.cli.app import app
from benchsuite.core.errors import BenchsuiteError
from benchsuite.core.registry import make_space

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

TINY = ("--sizes", "channels=2,cells=1", "--steps", "4", "--batch", "8", "--architectures", "3", "--seeds", "2")


def make(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["truth", "make", "nasbench201", *arguments])


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where tables go that are not told where


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A user's own images: bright against dark."""
    rng = np.random.default_rng(0)
    targets = np.arange(60) % 2
    inputs = np.clip(rng.normal(80 + 100 * targets[:, None, None], 20, (60, 8, 8)), 0, 255).astype(np.uint8)
    np.savez(tmp_path / "bright.npz", inputs=inputs, targets=targets)
    return tmp_path / "bright.npz"


def test_table_and_card_of_own_images_are_written_and_reused(tmp_path: Path, images: Path) -> None:
    out = tmp_path / "mine.parquet"
    first = make("bright", "--images", str(images), "--out", str(out), *TINY)
    assert first.exit_code == 0, first.output
    assert "3 architectures x 2 seeds" in first.output
    table, card = pd.read_parquet(out), json.loads(out.with_suffix(".json").read_text())
    sampled = make_space("nasbench201").sample(3, np.random.default_rng(0))
    assert set(table["architecture"]) == set(sampled)
    assert len(table) == 3 * 2 * 3 * 2
    assert card["sizes"] == {"channels": 2, "cells": 1}
    assert card["images"] == str(images)
    assert card["image_set"]["classes"] == 2
    assert set(card["figures"]["ceiling"]) == {"kendall_tau", "spearman_rho"}
    again = make("bright", "--images", str(images), "--out", str(out), "--pilot", str(out.with_suffix(".json")), *TINY)
    assert again.exit_code == 0, again.output
    pd.testing.assert_frame_equal(pd.read_parquet(out), table)
    pilot = json.loads(out.with_suffix(".json").read_text())["pilots"]
    assert [row["figures"] for row in pilot] == [card["figures"]]


def test_epochs_are_passes_over_the_images(tmp_path: Path, images: Path) -> None:
    out = tmp_path / "mine.parquet"
    answer = make("bright", "--images", str(images), "--out", str(out), *TINY, "--epochs", "2", "--seeds", "1")
    assert answer.exit_code == 0, answer.output
    assert pd.read_parquet(out)["epochs"].max() == 2 * 6  # 48 training images in minibatches of 8
    assert "reliability and noise ceiling need" in answer.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sizes", "channels:8"), "not of the form channels=8,cells=1"),
        (("--sizes", "chanels=8"), "Did you mean 'channels'"),
        (("--images", "digitz"), "Did you mean 'digits'"),
        (("--lr", "0"), "lr = 0; must be above 0"),
        (("--out", "table.csv"), r"ends in '\.csv'; give a table that ends in \.parquet"),
        (("--pilot", "nowhere.json"), "nowhere.json does not exist"),
    ],
)
def test_wrong_option_is_one_clear_line_and_leaves_no_file(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    answer = make("digits", *arguments)
    assert not list(tmp_path.iterdir())
    assert isinstance(answer.exception, BenchsuiteError)
    with pytest.raises(BenchsuiteError, match=message):
        raise answer.exception
