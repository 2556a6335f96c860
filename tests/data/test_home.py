"""The folder of the user's data: chosen, usual, or where earlier versions kept it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import platformdirs
import pytest

from benchsuite.data.home import data_home

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without data and without settings."""
    monkeypatch.delenv("BENCHSUITE_DATA", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_chosen_folder_comes_before_all_others(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("BENCHSUITE_DATA", "~/mine")
    assert data_home() == home / "mine"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have folders of their own")
def test_on_linux_data_lies_where_it_always_lay(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_home() == home / ".cache" / "benchsuite"
    (home / ".cache" / "benchsuite").mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    assert data_home() == home / "cache" / "benchsuite"


def test_data_of_an_earlier_version_is_found_where_the_system_has_another_folder(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = home / "Library" / "Caches" / "benchsuite"
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: usual)
    assert data_home() == usual
    (home / ".cache" / "benchsuite").mkdir(parents=True)
    assert data_home() == home / ".cache" / "benchsuite"
    usual.mkdir(parents=True)
    assert data_home() == usual
