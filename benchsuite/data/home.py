"""Where data lies: the shipped folder, and the user's data folder."""

from __future__ import annotations

import os
from pathlib import Path

_EARLIER = "~/.cache/benchsuite"  # where 0.1.0 kept data on every system


def shipped(*parts: str) -> Path:
    """Return the path of a file that comes with benchsuite: a wheel's own copy, else the checkout's.

    Parameters
    ----------
    *parts
        Names on the way to it, such as "data" and "sources.toml".
    """
    package = Path(__file__).resolve().parents[1]
    inside = package / "_shipped"
    root = inside if inside.is_dir() else package.parent
    return root.joinpath(*parts)


def data_home() -> Path:
    """Return the folder of fetched and imported data.

    It is BENCHSUITE_DATA where that is set, else the user's cache folder as the system has it (Linux:
    XDG_CACHE_HOME/benchsuite or ~/.cache/benchsuite).
    """
    chosen = os.environ.get("BENCHSUITE_DATA")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path  # noqa: PLC0415 - loads slowly, and those who choose a folder need it not

    usual, earlier = user_cache_path("benchsuite", appauthor=False), Path(_EARLIER).expanduser()
    kept = earlier.is_dir() and not usual.exists() and "XDG_CACHE_HOME" not in os.environ
    return earlier if kept else usual
