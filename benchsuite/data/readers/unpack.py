"""Official folders found by their files, and images copied or unpacked into the data folder."""

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


def folder_with(folder: Path, files: Sequence[str], layout: str) -> Path | None:
    """Return the folder that has the files: the given one or the one of the official name in it.

    Parameters
    ----------
    folder
        Where to look.
    files
        Names or patterns; each needs a file.
    layout
        Official name of the folder that has the files.

    Returns
    -------
    Path or None
        None if some of the files are in neither folder.
    """
    for found in (folder, folder / layout):
        if files and all(any(file.is_file() for file in found.glob(name)) for name in files):
            return found
    return None


def install_images(path: Path, target: Path, files: Sequence[str]) -> None:
    """Copy or unpack the named files to the target folder, which appears whole.

    Parameters
    ----------
    path
        A folder or a tar archive.
    target
        The folder to make; an old one is replaced.
    files
        Names of the files.

    Raises
    ------
    DataCorruptError
        If the archive is truncated, would write outside its folder, or lacks a file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as scratch:
        folder = path if path.is_dir() else _unpacked(path, Path(scratch) / "archive")
        inside = folder_with(folder, files, target.name)
        if inside is None:
            raise DataCorruptError(f"{path.name} does not contain all of {', '.join(files)}; get it again")
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
