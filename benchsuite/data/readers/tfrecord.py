"""Reader of TFRecord files without TensorFlow.

The format (tensorflow/core/lib/io/record_writer.h), every number little-endian, for each record:

    uint64    length          of the data in bytes
    uint32    masked CRC-32C  of the length
    byte      data[length]
    uint32    masked CRC-32C  of the data

The checksums are not computed here: both sources in this format are read only after the sha256 of the whole file has
been found right, which takes 0.7 s a GB; in Python, the file's own checksums took 11 s a GB, nearly half of the time
of reading NAS-Bench-101, and could only find again what the sha256 had excluded.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from benchsuite.core.errors import DataCorruptError
from benchsuite.data.readers.pieces import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HEAD = struct.Struct("<QI")  # the length and its checksum
_CHECKSUM = 4  # bytes behind the data
_STEP = 1 << 22  # bytes from one call of `progress` to the next; so much is also read from the disk at once


def records(path: Path, progress: Progress = silent) -> Iterator[bytes]:
    """Yield the data of each record in the order of the file.

    Parameters
    ----------
    path
        A TFRecord file without compression, whose digest has been checked.
    progress
        Called with the bytes done and the bytes in all.

    Yields
    ------
    bytes
        What was written, which the format says nothing about.

    Raises
    ------
    DataCorruptError
        If the file ends inside a record; the message says in which, counted from 1.
    """
    size, done, told, number = path.stat().st_size, 0, 0, 0
    with path.open("rb", buffering=_STEP) as stream:
        while done < size:
            number += 1
            head = stream.read(_HEAD.size)
            length = _HEAD.unpack(head)[0] if len(head) == _HEAD.size else size
            done += _HEAD.size + length + _CHECKSUM
            if done > size:
                raise DataCorruptError(
                    f"{path.name} is truncated in record {number}, or not a TFRecord file; get it again"
                )
            yield stream.read(length)
            stream.seek(_CHECKSUM, 1)
            if done - told >= _STEP or done == size:
                told = done
                progress(done, size)
