from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from small import write_suite

from benchsuite.core.errors import DataCorruptError
from benchsuite.running.store import Store, StoreError
from benchsuite.suites.plan import make_plan
from benchsuite.suites.record import record
from benchsuite.suites.schema import load_suite
from benchsuite.suites.stored import SCHEMA, StoredSuite, read_record, write_record

if TYPE_CHECKING:
    from pathlib import Path

TRIAL = {"batch_seed": None, "estimator": "params", "family": "baseline", "key": "421cf1b644e8", "seed": None}
BENCHMARK = {
    "architectures": ["|nor_conv_3x3~0|+|skip_connect~0|nor_conv_3x3~1|+|avg_pool_3x3~0|none~1|avg_pool_3x3~2|"],
    "caption": "full-size networks with channels 16, cells 5",
    "dataset": "cifar10",
    "pool": "class",
    "population": "1 of 6,466 string classes, sampled with seed 0",
    "protocol": {"Initialisation seeds": "0"},
    "sizes": {"cells": 5, "channels": 16},
    "skipped": {"uniform": "the suite asks for it on macro/digits alone"},
    "space": "nasbench201",
    "trials": [TRIAL],
    "truth": {"epochs": None, "source": None, "split": "test", "table": None},
}
# As the first version wrote it, which knew neither combinations nor transfer, nor which trainings a trial reads.
FIRST = {"description": "", "command": "benchsuite run mine", "benchmarks": [BENCHMARK]}


def _read(document: object) -> StoredSuite:
    return read_record(json.dumps(document))


def _changed(**changes: Any) -> dict[str, Any]:
    return {**FIRST, "benchmarks": [{**BENCHMARK, **changes}]}


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = record(make_plan(load_suite(write_suite(tmp_path, number=3))), "benchsuite run small.toml")
    assert read_record(write_record(made)) == made
    assert json.loads(write_record(made))["schema"] == SCHEMA


def test_a_record_of_the_first_version_is_brought_to_the_present_form() -> None:
    (benchmark,) = _read(FIRST).benchmarks
    assert benchmark.sample == BENCHMARK["population"]
    assert (benchmark.combinations, benchmark.transfer) == ((), ())
    assert benchmark.trials[0].trainings == {}


def test_a_record_without_a_number_keeps_its_combinations_and_trainings() -> None:
    combination = {"name": "vote", "of": ["snip", "nwot"], "title": "both"}
    trial = {**TRIAL, "trainings": {"0a": 3}}
    (benchmark,) = _read(_changed(combinations=[combination], transfer=["cifar100"], trials=[trial])).benchmarks
    assert (benchmark.combinations[0].title, benchmark.combinations[0].of) == ("both", ("snip", "nwot"))
    assert (benchmark.transfer, benchmark.trials[0].trainings) == (("cifar100",), {"0a": 3})


def test_an_imported_file_is_kept() -> None:
    origin = {"file": "mine.csv", "sha256": "00ff"}
    assert _read({**FIRST, "imported": origin}).imported is not None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (3, "not a JSON object"),
        ([], "not a JSON object"),
        ({}, "description is missing"),
        ({**FIRST, "benchmarks": 3}, "benchmarks = 3; must be a list"),
        ({**FIRST, "benchmarks": [3]}, r"benchmarks\[0\] = 3; must be a table"),
        ({**FIRST, "schema": SCHEMA + 1}, f"schema = {SCHEMA + 1}; this version of benchsuite reads up to {SCHEMA}"),
        ({**FIRST, "schema": "1"}, "schema = '1'"),
        (_changed(sizes={"cells": "5"}), r"benchmarks\[0\].sizes.cells = '5'; must be an integer"),
        (_changed(truth={"split": 3}), r"benchmarks\[0\].truth.split = 3; must be text in quotes"),
        (_changed(trials=3), r"benchmarks\[0\].trials = 3; must be a list"),
        (_changed(trials=[3]), r"benchmarks\[0\].trials\[0\] = 3; must be a table"),
        (_changed(architectures="all"), r"benchmarks\[0\].architectures = 'all'; must be a list"),
        (_changed(trials=[{**TRIAL, "seed": True}]), r"benchmarks\[0\].trials\[0\].seed = true; must be an integer"),
        (_changed(colour="red"), r"benchmarks\[0\]: no key named 'colour'"),
    ],
)
def test_what_is_wrong_with_a_damaged_record_is_said_in_one_line(document: object, message: str) -> None:
    with pytest.raises(DataCorruptError, match=message) as caught:
        _read(document)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"schema": NaN}', "\0"])
def test_what_is_not_json_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(DataCorruptError) as caught:
        read_record(text)
    assert "\n" not in str(caught.value)


def test_the_store_names_the_suite_whose_record_is_damaged_and_what_to_do(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.save_suite("mine", StoredSuite("", "", ()))
        assert store.check() == []
    connection = sqlite3.connect(tmp_path / "store.sqlite")
    with connection:
        connection.execute("UPDATE suite SET json = '{}'")
    connection.close()
    with Store(tmp_path) as store:
        with pytest.raises(StoreError, match=r"suite 'mine' .* description is missing; run it again: benchsuite run"):
            store.suite("mine")
        assert store.check() == ["suite 'mine': the record is damaged: description is missing; run it again"]
