"""Where data lies: the shipped folder, and the user's data folder."""

from __future__ import annotations

import os
from pathlib import Path


def shipped(*parts: str) -> Path:
    """A file that comes with benchsuite, such as data/sources.toml: a wheel's own copy, else the checkout's."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "_shipped"
    root = inside if inside.is_dir() else package.parent
    return root.joinpath(*parts)


def data_home() -> Path:
    """Folder of fetched and imported data: BENCHSUITE_DATA, else the user's cache folder."""
    chosen = os.environ.get("BENCHSUITE_DATA")
    if chosen:
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "benchsuite"
