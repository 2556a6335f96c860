"""Reader of the official NATS-Bench directory for the topology space (Dong et al., TPAMI 2021).

`NATS-tss-v1_0-3ffb9-simple` holds `meta.pickle.pbz2` and one `000000.pickle.pbz2` per architecture; copies that have
the directory's name as a prefix of the file names are read too.
"""

from __future__ import annotations

import bz2
import re
from typing import TYPE_CHECKING, Any

from benchsuite.core.errors import DataCorruptError
from benchsuite.core.sequences import chunks
from benchsuite.data.readers.nasbench201_records import pieces
from benchsuite.data.readers.pickles import load_pickle
from benchsuite.data.readers.pieces import Piece, Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_CHUNK = 50  # architectures at a time: their curves take about 50 MB
_RECORD = re.compile(r"(?:.*_)?(\d{6})\.pickle\.pbz2")
_META = re.compile(r"(?:.*_)?meta\.pickle\.pbz2")


def read(folder: Path, progress: Progress = silent) -> Iterator[Piece]:
    """Yield rows of all records in the folder, in the order of the architecture strings.

    Parameters
    ----------
    folder
        The official directory, or a copy with the files of some architectures.
    progress
        Called with the architectures done and all architectures.

    Raises
    ------
    DataCorruptError
        If the meta file or all records are missing, or a file is truncated, foreign or malicious.
    """
    strings = _strings(folder)
    files = {int(match[1]): file for file in folder.iterdir() if (match := _RECORD.fullmatch(file.name))}
    if not files:
        raise DataCorruptError(f"{folder.name} lacks records (000000.pickle.pbz2, ...); unpack the official tar again")
    foreign = sorted(set(files) - set(range(len(strings))))
    if foreign:
        raise DataCorruptError(f"{folder.name} has a record {foreign[0]}, but its meta file names {len(strings)}")
    order = sorted(files, key=strings.__getitem__)
    for position, chunk in enumerate(chunks(order, _CHUNK)):
        records = (_record(files[index], strings[index]) for index in chunk)
        yield from pieces(records, folder.name)
        progress(min((position + 1) * _CHUNK, len(order)), len(order))


def _strings(folder: Path) -> list[str]:
    """Return architecture strings by official index, from the meta file."""
    found = [file for file in folder.iterdir() if _META.fullmatch(file.name)]
    if len(found) != 1:
        raise DataCorruptError(
            f"{folder.name} has {len(found)} files meta.pickle.pbz2, not 1; unpack the official tar again"
        )
    meta = _unpickle(found[0])
    strings = meta.get("meta_archs") if isinstance(meta, dict) else None
    if not isinstance(strings, list) or not all(isinstance(item, str) for item in strings):
        raise DataCorruptError(f"{found[0].name} is not a NATS-Bench meta file; unpack the official tar again")
    return strings


def _record(file: Path, architecture: str) -> Mapping[str, Mapping[str, Any]]:
    record: Mapping[str, Mapping[str, Any]] = _unpickle(file)
    try:
        named = {results["arch_str"] for results in record.values()}
    except (KeyError, TypeError, AttributeError) as error:
        raise DataCorruptError(f"{file.name} is not a NATS-Bench record; unpack the official tar again") from error
    if named != {architecture}:
        raise DataCorruptError(f"{file.name} is of {sorted(named)}, but the meta file says {architecture!r}")
    return record


def _unpickle(file: Path) -> Any:
    with bz2.open(file) as stream:
        return load_pickle(stream, origin=file.name)
