"""The published file of NAS-Bench-Macro reads to its published accuracies, or is refused with one line."""

from __future__ import annotations

import json
import re
from itertools import product

import pytest

from benchsuite.core.errors import DataCorruptError
from benchsuite.data.readers import macro_json
from benchsuite.data.sources import import_path, source
from benchsuite.data.tables import load_table

NAME = "nas-bench-macro_cifar10.json"


@pytest.fixture
def content():
    """A file's content in the published form, with accuracies made up."""
    names = map("".join, product("012", repeat=8))
    return {
        name: {"test_acc": [80.0 + place / 1000, 81.5, 82.25], "mean_acc": 81.0, "std": 1.0, "params": 1, "flops": 2}
        for place, name in enumerate(names)
    }


@pytest.fixture
def refused(tmp_path):
    """A function that saves a text and gives the one-line reason why it is refused."""

    def reason(text):
        (tmp_path / NAME).write_text(text)
        with pytest.raises(DataCorruptError) as caught:
            list(macro_json.read(tmp_path / NAME))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return reason


def test_the_published_file_reads_to_its_own_means(shared):
    known = json.loads((shared / "data" / NAME).read_text())
    (piece,) = macro_json.read(shared / "data" / NAME)
    means = piece.rows.astype({"architecture": str}).groupby("architecture").accuracy.mean()
    assert len(piece.rows) == 3 * 6561
    assert means.to_dict() == pytest.approx({name: entry["mean_acc"] for name, entry in known.items()}, abs=1e-5)
    assert round(means["22212220"], 2) == round(means.max(), 2) == 93.13


def test_importing_the_published_file_makes_the_benchmarks_table(shared):
    (place,) = import_path(shared / "data" / NAME)
    table = load_table(place)
    assert place.parent.name == "macro-cifar10"
    assert set(table.epochs) == {50}
    assert set(table.split) == {"test"}
    assert table.groupby("trial").architecture.nunique().to_dict() == {0: 6561, 1: 6561, 2: 6561}


def test_every_training_is_a_trial(content, tmp_path):
    (tmp_path / NAME).write_text(json.dumps(dict(reversed(content.items()))))
    seen = []
    (piece,) = macro_json.read(tmp_path / NAME, lambda done, total: seen.append((done, total)))
    rows = piece.rows[piece.rows.architecture == "00000001"]
    assert piece.benchmark == "macro/cifar10"
    assert dict(zip(rows.trial, rows.accuracy, strict=True)) == {0: 80.001, 1: 81.5, 2: 82.25}
    assert piece.rows.architecture.astype(str).is_monotonic_increasing
    assert seen == [(1, 1)]


def test_a_truncated_file_is_refused(refused, content):
    assert "truncated" in refused(json.dumps(content)[:-7])
    assert "truncated" in refused("[" * 99_999)


@pytest.mark.parametrize("foreign", ["[]", '{"00000000": {"test_acc": [1, 2, 3]}}', "7"])
def test_a_foreign_file_is_refused(refused, foreign):
    assert "6,561 architectures" in refused(foreign)


@pytest.mark.parametrize("entry", [3, {}, {"test_acc": 90.0}, {"test_acc": [90.0]}])
def test_an_architecture_without_its_three_accuracies_is_named(refused, content, entry):
    content["01201201"] = entry
    assert re.search("'01201201' lacks a list 'test_acc' of 3", refused(json.dumps(content)))


@pytest.mark.parametrize("accuracy", [None, "much", 101.0, -1])
def test_an_accuracy_that_is_no_percentage_is_refused(refused, content, accuracy):
    content["01201201"]["test_acc"][1] = accuracy
    assert "accuracy" in refused(json.dumps(content))


def test_the_declared_source_reads_this_file(shared):
    declared = source("macro/cifar10")
    assert declared.name == "nas-bench-macro"
    assert declared.bytes == (shared / "data" / NAME).stat().st_size
