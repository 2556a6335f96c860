"""Reader of TFRecord files without TensorFlow.

A record is the length of its data (8 bytes, little-endian), a checksum of the length, the data, and a checksum of the
data. A checksum is the CRC-32C of RFC 3720, rotated and shifted as TensorFlow does ("masked").
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.core.errors import DataCorruptError
from benchsuite.data.readers.pieces import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Checksums = NDArray[np.uint32]

_READ_AT_ONCE = 1 << 22  # bytes
_COMPUTED_AT_ONCE = 1 << 22  # bytes of data of equal width, whose positions take eight times as much
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, lowest power first
_ALL = 0xFFFFFFFF
_HEAD, _CHECKSUM = 12, 4  # bytes


def records(path: Path, progress: Progress = silent) -> Iterator[bytes]:
    """The data of each record, whose checksums are verified first.

    Parameters
    ----------
    progress
        Called with bytes done and in all.

    Raises
    ------
    DataCorruptError
        If a checksum is wrong, or the file ends inside a record; the message says in which, counted from 1.
    """
    size, number, rest = path.stat().st_size, 0, b""
    with path.open("rb") as stream:
        while chunk := stream.read(_READ_AT_ONCE):
            buffer = rest + chunk
            heads, starts, ends = _spans(buffer)
            wrong = _first_wrong(buffer, heads, starts, ends)
            if wrong is not None:
                raise DataCorruptError(
                    f"{path.name}: record {number + wrong + 1} has a wrong checksum; "
                    "the file is damaged or no TFRecord file, get it again"
                )
            yield from (buffer[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True))
            number += len(ends)
            rest = buffer[ends[-1] + _CHECKSUM :] if len(ends) else buffer
            progress(stream.tell(), size)
    if rest:
        raise DataCorruptError(f"{path.name} is truncated in record {number + 1}; get it again")


def _spans(buffer: bytes) -> tuple[Numbers, Numbers, Numbers]:
    """Where the heads in the buffer lie, and where the data of the complete records starts and ends."""
    heads, starts, ends = [], [], []
    head = 0
    while head + _HEAD <= len(buffer):
        heads.append(head)
        end = head + _HEAD + struct.unpack_from("<Q", buffer, head)[0]
        if end + _CHECKSUM > len(buffer):
            break
        starts.append(head + _HEAD)
        ends.append(end)
        head = end + _CHECKSUM
    return np.array(heads, np.int64), np.array(starts, np.int64), np.array(ends, np.int64)


def _first_wrong(buffer: bytes, heads: Numbers, starts: Numbers, ends: Numbers) -> int | None:
    """Position of the first record that differs from its checksums; lengths first, because the rest follows them."""
    data = np.frombuffer(buffer, np.uint8)
    for first, last in ((heads, heads + 8), (starts, ends)):
        stored = data[last[:, None] + np.arange(_CHECKSUM)].view("<u4")[:, 0]
        wrong = _masked(checksums(data, first, last)) != stored
        if wrong.any():
            return int(wrong.argmax())
    return None


def _masked(plain: Checksums) -> Checksums:
    return (plain >> np.uint32(15) | plain << np.uint32(17)) + np.uint32(0xA282EAD8)


def checksums(data: NDArray[np.uint8], starts: Numbers, ends: Numbers) -> Checksums:
    """CRC-32C of each part of the data, from its start to before its end.

    All parts are computed side by side, ten times as fast as a loop over their bytes (5 us for 400 of them).

    Examples
    --------
    >>> data = np.frombuffer(b"123456789", np.uint8)
    >>> [hex(value) for value in checksums(data, np.array([0, 0]), np.array([9, 0]))]
    ['0xe3069283', '0x0']
    """
    lengths = ends - starts
    order = np.argsort(-lengths)  # equal widths waste no work
    found = np.empty(len(order), np.uint32)
    done = 0
    while done < len(order):
        block = order[done : done + max(1, _COMPUTED_AT_ONCE // max(1, int(lengths[order[done]])))]
        found[block] = _block(data, starts[block], ends[block])
        done += len(block)
    return found


def _block(data: NDArray[np.uint8], starts: Numbers, ends: Numbers) -> Checksums:
    """Checksums of parts of similar lengths, the longest first: zeros before a shorter one make them equal."""
    lengths = ends - starts
    width = int(lengths[0] + lengths[0] % 2)
    positions = ends[:, None] - np.arange(width, 0, -1)
    padded = np.where(positions >= starts[:, None], data[np.maximum(positions, 0)], np.uint8(0))
    register: Checksums = _starts(width)[width - lengths]
    table = _table()
    for words in np.ascontiguousarray(padded.view("<u2").T):
        register = table[(register ^ words) & np.uint32(0xFFFF)] ^ register >> np.uint32(16)
    return ~register


@lru_cache
def _table() -> Checksums:
    """What two bytes make of the register."""
    table = np.arange(1 << 16, dtype=np.uint32)
    for _ in range(16):
        table = table >> np.uint32(1) ^ np.uint32(_POLYNOMIAL) * (table & np.uint32(1))
    return table


@lru_cache(maxsize=16)
def _starts(width: int) -> Checksums:
    """The register to start from so that 0, 1, .. width zero bytes bring it to all ones, the official start."""
    registers = [_ALL]
    for _ in range(width):
        register = registers[-1]
        for _ in range(8):  # a step back: the highest bit says whether the polynomial was added
            register = (register ^ _POLYNOMIAL) << 1 | 1 if register >> 31 else register << 1
        registers.append(register)
    return np.array(registers, np.uint32)
