"""Representatives of a table's architectures: the space's own, found once for a large table."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from benchsuite.core import DataCorruptError
from benchsuite.spaces.classes import representatives
from benchsuite.spaces.nasbench201 import NASBench201

asked = []


@dataclass(frozen=True, slots=True)
class Counted(NASBench201):
    """Remembers what it was asked."""

    def canonical(self, architecture):
        asked.append(architecture)
        return NASBench201.canonical(self, architecture)


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path / "home"))
    asked.clear()
    return tmp_path / "home"


@pytest.fixture(scope="module")
def strings():
    return list(NASBench201().every_string()[:1500])


def test_a_large_table_is_worked_out_once(strings):
    first = representatives(Counted(), strings, "the table")
    assert asked == strings
    again = representatives(Counted(), strings, "the table")
    assert asked == strings
    assert first == again == {string: NASBench201().canonical(string) for string in strings}


def test_a_small_table_leaves_nothing_behind(strings, own_data_folder):
    representatives(Counted(), strings[:900], "the table")
    assert not own_data_folder.exists()


def test_another_table_or_another_size_is_worked_out_anew(strings):
    representatives(Counted(), strings, "the table")
    representatives(Counted(), strings[1:], "the table")
    representatives(Counted(channels=8), strings, "the table")
    assert asked == strings + strings[1:] + strings


def test_foreign_strings_are_counted_and_nothing_is_kept(strings, own_data_folder):
    with pytest.raises(DataCorruptError, match=r"the table: 2 of 1,502 .* the first is 'foreign'"):
        representatives(Counted(), [*strings, "foreign", "strange"], "the table")
    assert not own_data_folder.exists()


def test_a_folder_that_cannot_be_written_to_costs_time_only(strings, own_data_folder):
    own_data_folder.write_text("a file, not a folder")
    found = representatives(Counted(), strings, "the table")
    assert len(found) == len(strings)
