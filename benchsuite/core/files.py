"""Files that are written whole: a reader sees the old one or the new one, never half of one."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Write a file whole: give a temporary path to write to, which replaces `path` if the block ends without an error.

    The temporary name is unique, so that threads, processes and machines can write the same file at once: the last
    one stays, whole. A process that is killed leaves the old file.

    Parameters
    ----------
    path
        The file to write; its folder is made if it is missing.

    Yields
    ------
    Path
        A path in the same folder with the same suffix.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "new" / "a.txt"
    ...     with whole(file) as partial:
    ...         _ = partial.write_text("all of it")
    ...     file.read_text(), [each.name for each in file.parent.iterdir()]
    ('all of it', ['a.txt'])
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{secrets.token_hex(8)}{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def durable(path: Path) -> Iterator[Path]:
    """Write a file as `whole` does, and let it survive a power failure too: what took hours is not lost.

    It costs about 4 ms a file, which a report with hundreds of files would feel.

    Parameters
    ----------
    path
        The file to write; its folder is made if it is missing.

    Yields
    ------
    Path
        A path in the same folder with the same suffix.
    """
    with whole(path) as partial:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a text file whole.

    Parameters
    ----------
    path
        The file to write, in UTF-8.
    text
        Its content.
    """
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a table whole, without its index.

    Parameters
    ----------
    path
        The file to write: CSV if its name ends in .csv, Parquet otherwise.
    frame
        Its rows.
    """
    with whole(path) as partial:
        if path.suffix == ".csv":
            frame.to_csv(partial, index=False)
        else:
            frame.to_parquet(partial, index=False)
