"""Files are written whole, by however many at once."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from benchsuite.core.files import durable, whole, write_frame, write_text

if TYPE_CHECKING:
    from pathlib import Path


def test_threads_that_write_one_file_at_once_leave_the_text_of_one_of_them(tmp_path: Path) -> None:
    texts, together = [letter * 100_000 for letter in "abcdefgh"], threading.Barrier(8)

    def write(text: str) -> None:
        with whole(tmp_path / "file.txt") as partial:
            partial.write_text(text[:10])
            together.wait()  # all of them have begun before one ends
            partial.write_text(text)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, texts))
    assert (tmp_path / "file.txt").read_text() in texts
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("writer", [whole, durable])
def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, writer) -> None:
    write_text(tmp_path / "file.txt", "old")
    with pytest.raises(UnicodeEncodeError), writer(tmp_path / "file.txt") as partial:
        partial.write_text("new \N{SNOWMAN}", encoding="ascii")
    assert (tmp_path / "file.txt").read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


def test_a_durable_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(os, "fsync", lambda number: seen.append((os.fstat(number).st_size, list(tmp_path.glob("f*")))))
    with durable(tmp_path / "file.txt") as partial:
        partial.write_text("three")
    assert seen == [(5, [])]


def test_a_table_is_written_as_its_name_says(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=[5, 6])
    for name, read in (("t.csv", pd.read_csv), ("t.parquet", pd.read_parquet)):
        write_frame(tmp_path / "new" / name, frame)
        pd.testing.assert_frame_equal(read(tmp_path / "new" / name), frame.reset_index(drop=True))
