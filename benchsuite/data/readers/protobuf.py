"""Reader of serialised protocol buffers by field numbers, for small messages of known form.

A message is a row of fields: a varint `key = number << 3 | wire type`, then the value. A varint has seven bits in each
byte, lowest first; the highest bit of a byte says that another follows (protobuf.dev, "Encoding").
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5  # wire types; the others are for groups, which are deprecated
_LONGEST = 10  # bytes of a varint
_read_double = struct.Struct("<d").unpack_from
_read_float = struct.Struct("<f").unpack_from


def fields(message: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Yield number and value of each field, in the order in which they were written.

    Parameters
    ----------
    message
        The serialised message. Fields of eight bytes are read as double, of four bytes as float; integers are those of
        unsigned types.

    Raises
    ------
    ValueError
        If the bytes are not a message, or a truncated one.

    Examples
    --------
    >>> list(fields(bytes.fromhex("08ac02 1202 6869")))
    [(1, 300), (2, b'hi')]
    """
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        kind = key & 7
        if kind == _DOUBLE and position + 8 <= end:
            yield key >> 3, _read_double(message, position)[0]
            position += 8
        elif kind == _FLOAT and position + 4 <= end:
            yield key >> 3, _read_float(message, position)[0]
            position += 4
        elif kind in {_VARINT, _BYTES}:
            value, position = _varint(message, position)
            if kind == _VARINT:
                yield key >> 3, value
                continue
            if position + value > end:
                raise ValueError("a field of a protocol buffer ends too early")
            yield key >> 3, message[position : position + value]
            position += value
        else:
            raise ValueError(f"not a protocol buffer: field {key >> 3} has wire type {kind}")


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Return an integer of seven bits in each byte, lowest first, and the position after it."""
    if position < len(message) and message[position] < 0x80:  # nearly always
        return message[position], position + 1
    value = 0
    for index, byte in enumerate(message[position : position + _LONGEST]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, position + index + 1
    raise ValueError("an integer of a protocol buffer does not end")
