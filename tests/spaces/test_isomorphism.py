"""Classes of a table's architectures: the space's own, found once for a large table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from benchsuite.core.errors import DataCorruptError
from benchsuite.spaces.isomorphism import isomorphism_classes
from benchsuite.spaces.nasbench201.space import NASBench201

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
    return pd.Index(sorted(NASBench201().every_string()[:1500]), dtype="str")


def test_a_large_table_is_worked_out_once(strings):
    first = isomorphism_classes(Counted(), strings, "the table")
    assert asked == strings.tolist()
    again = isomorphism_classes(Counted(), strings, "the table")
    assert asked == strings.tolist()
    for found in (first, again):
        assert found.strings is strings
        assert found.canonical.is_monotonic_increasing
        assert found.canonical.is_unique
        for string in strings:
            assert found.canonical_of(string) == NASBench201().canonical(string)


def test_the_first_member_of_a_class_is_the_first_string_with_its_canonical_architecture(strings):
    found = isomorphism_classes(NASBench201(), strings, "the table")
    canonical = [NASBench201().canonical(string) for string in strings]
    for name in found.canonical:
        assert found.first_member(name) == strings[canonical.index(name)]
    with pytest.raises(KeyError):
        found.first_member("a foreign string")


def test_strings_that_are_their_own_classes_are_kept_as_they_are():
    strings = pd.Index(sorted(NASBench201().architectures()[:1200]), dtype="str")
    found = isomorphism_classes(NASBench201(), strings, "the table")
    assert found.canonical is strings
    assert found.codes.tolist() == list(range(1200))


def test_a_small_table_leaves_nothing_behind(strings, own_data_folder):
    isomorphism_classes(Counted(), strings[:900], "the table")
    assert not own_data_folder.exists()


def test_another_table_or_another_size_is_worked_out_anew(strings):
    isomorphism_classes(Counted(), strings, "the table")
    isomorphism_classes(Counted(), strings[1:], "the table")
    isomorphism_classes(Counted(channels=8), strings, "the table")
    assert asked == [*strings, *strings[1:], *strings]


def test_a_change_of_code_that_spaces_share_is_noticed(strings, monkeypatch):
    isomorphism_classes(Counted(), strings, "the table")
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda file: read(file) + b"#" * (file.name == "cells.py"))
    isomorphism_classes(Counted(), strings, "the table")
    assert asked == [*strings, *strings]


def test_a_damaged_copy_is_worked_out_and_kept_anew(strings, own_data_folder):
    first = isomorphism_classes(Counted(), strings, "the table")
    (copy,) = (own_data_folder / "classes").iterdir()
    whole = copy.read_bytes()
    copy.write_bytes(whole[:100])
    again = isomorphism_classes(Counted(), strings, "the table")
    assert again.codes.tolist() == first.codes.tolist()
    assert asked == [*strings, *strings]
    assert copy.read_bytes() == whole


def test_foreign_strings_are_counted_and_nothing_is_kept(strings, own_data_folder):
    with pytest.raises(DataCorruptError, match=r"the table: 2 of 1,502 .* the first is 'foreign'"):
        isomorphism_classes(Counted(), strings.append(pd.Index(["foreign", "strange"])), "the table")
    assert not own_data_folder.exists()


def test_a_folder_that_cannot_be_written_to_costs_time_only(strings, own_data_folder):
    own_data_folder.write_text("a file, not a folder")
    found = isomorphism_classes(Counted(), strings, "the table")
    assert found.strings is strings
