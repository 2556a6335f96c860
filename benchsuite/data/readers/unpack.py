"""Image archives and folders, taken into the data folder."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from benchsuite.core.errors import DataCorruptError

if TYPE_CHECKING:
    from collections.abc import Sequence


def holds(folder: Path, files: Sequence[str], layout: str) -> Path | None:
    """The folder, or the one named `layout` in it, that holds a file for each of the names (patterns); None if none."""
    for place in (folder, folder / layout):
        if files and all(any(found.is_file() for found in place.glob(name)) for name in files):
            return place
    return None


def install_images(path: Path, target: Path, files: Sequence[str]) -> None:
    """Copy or unpack the named files to the target folder, which appears whole.

    Raises
    ------
    DataCorruptError
        If the archive is truncated, would write outside its folder, or lacks a file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as scratch:
        folder = path if path.is_dir() else _unpacked(path, Path(scratch) / "archive")
        inside = holds(folder, files, target.name)
        if inside is None:
            raise DataCorruptError(f"{path.name} does not hold all of {', '.join(files)}; get it again")
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        for name in files:
            shutil.copyfile(inside / name, fresh / name)
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)


def _unpacked(path: Path, folder: Path) -> Path:
    try:
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        reason = type(error).__name__  # its text may have several lines
        raise DataCorruptError(f"{path.name} is truncated or not an archive ({reason}); get it again") from error
    return folder
