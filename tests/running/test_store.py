from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from benchsuite.core.types import Score
from benchsuite.running.store import Store, StoreError
from benchsuite.suites.stored import StoredSuite

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = {"torch": "2", "device": "cpu"}


def _failed(architecture: str) -> Score:
    return Score(architecture, math.nan, "failed", "MemoryError: too large")


def test_scores_come_back_as_they_were_written(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        key = store.add_recipe({"estimator": "snip", "seed": 0})
        store.add_scores([(key, Score("a", 0.1 + 0.2, cpu_seconds=2.0)), (key, Score("b", -math.inf))], MACHINE)
        store.add_scores([(key, Score("c", math.nan, "undefined", "determinant 0"))], MACHINE)
    with Store(tmp_path, create=False) as store:
        rows = store.scores([key]).set_index("architecture")
    assert rows.loc["a", "value"] == 0.1 + 0.2
    assert rows.loc["b", "value"] == -math.inf
    assert math.isnan(rows.loc["c", "value"])
    assert list(rows["status"]) == ["ok", "ok", "undefined"]
    assert rows.loc["c", "reason"] == "determinant 0"


def test_a_failed_score_is_tried_three_times_and_then_only_on_request(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        key = store.add_recipe({"estimator": "snip"})
        for attempt in range(3):
            assert store.settled(key) == set(), attempt
            store.add_scores([(key, _failed("a"))], MACHINE)
        assert store.settled(key) == {"a"}
        assert store.settled(key, attempts=None) == set()
        store.add_scores([(key, Score("a", 1.0))], MACHINE)
        assert store.settled(key, attempts=None) == {"a"}
        assert store.scores([key])["attempts"].tolist() == [4]


def test_a_finished_score_is_never_overwritten(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        key = store.add_recipe({"estimator": "snip"})
        store.add_scores([(key, Score("a", 1.0))], MACHINE)
        store.add_scores([(key, Score("a", 2.0)), (key, _failed("a"))], MACHINE)
        assert store.scores([key])["value"].tolist() == [1.0]


def test_a_merged_store_holds_the_scores_of_both(tmp_path: Path) -> None:
    with Store(tmp_path / "one") as one, Store(tmp_path / "two") as two:
        key = one.add_recipe({"estimator": "snip"})
        other = two.add_recipe({"estimator": "plain"})
        two.add_recipe({"estimator": "snip"})
        one.add_scores([(key, Score("a", 1.0)), (key, _failed("b"))], MACHINE)
        two.add_scores([(key, Score("a", 9.0)), (key, Score("b", 2.0)), (other, Score("a", 3.0))], {"device": "cuda"})
        two.save_suite("mine", StoredSuite("mine", "", ()))
        assert one.merge(tmp_path / "two") == 1
        assert one.merge(tmp_path / "two") == 0
        held = {(row.recipe, row.architecture): row.value for row in one.scores([key, other]).itertuples()}
        assert held == {(key, "a"): 1.0, (key, "b"): 2.0, (other, "a"): 3.0}
        assert one.suite("mine") == StoredSuite("mine", "", ())
        assert one.check() == []


WRITER = """
import sys
from benchsuite.core.types import Score
from benchsuite.running.store import Store
folder, name = sys.argv[1:]
sys.stdin.readline()
for number in range(20):
    with Store(folder) as store:
        key = store.add_recipe({"estimator": "snip", "seed": number})
        store.add_scores([(key, Score(name, float(number)))], {"device": name})
"""


def test_processes_that_make_a_store_and_write_to_it_at_once_lose_no_score(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "store")]
    writers = [subprocess.Popen([*command, name], stdin=subprocess.PIPE) for name in ("a", "b", "c")]
    for each in writers:
        each.stdin.write(b"\n")
        each.stdin.close()
    assert [each.wait() for each in writers] == [0, 0, 0]
    with Store(tmp_path / "store", create=False) as store:
        assert store.counts() == {"recipes": 20, "ok": 60, "undefined": 0, "failed": 0}
        assert store.check() == []


def test_many_recipes_are_read_at_once(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        keys = [store.add_recipe({"seed": seed}) for seed in range(1200)]
        store.add_scores([(key, Score("a", float(i))) for i, key in enumerate(keys)], MACHINE)
        assert sorted(store.scores(keys)["value"]) == [float(i) for i in range(1200)]


def test_a_recipe_that_was_tampered_with_is_found(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add_recipe({"estimator": "snip"})
    connection = sqlite3.connect(tmp_path / "store.sqlite")
    with connection:
        connection.execute("UPDATE recipe SET json = '{}'")
    connection.close()
    with Store(tmp_path) as store:
        assert "does not match" in store.check()[0]


def test_a_store_that_is_absent_foreign_or_lacks_the_suite_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="found no store in"):
        Store(tmp_path / "absent", create=False)
    (tmp_path / "store.sqlite").write_text("this is a text, and longer than any header of a data base " * 20)
    with pytest.raises(StoreError, match="is not a store"):
        Store(tmp_path)
    with Store(tmp_path / "new") as store, pytest.raises(StoreError, match="suite 'quickstart' has not been run"):
        store.suite("quickstart")
