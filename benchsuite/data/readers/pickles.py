"""Pickles of third parties, read without running anything that a list does not allow."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from benchsuite.core.errors import DataCorruptError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Allowed = Mapping[tuple[str, str], Callable[..., Any]]


def numpy_scalar(kind: np.dtype[Any], raw: bytes) -> int | float:
    """Return the Python number behind a pickled numpy scalar.

    Parameters
    ----------
    kind
        Its type; an object type, which could contain anything, is refused.
    raw
        Its bytes.
    """
    number: int | float = np.frombuffer(raw, dtype=kind)[0].item()
    return number


def latin_bytes(text: str, encoding: str) -> bytes:
    """Return the bytes that old pickle protocols write as text.

    Parameters
    ----------
    text
        A character for each byte.
    encoding
        Must be latin1; any other is refused.
    """
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"encoding {encoding!r}")
    return text.encode("latin-1")


# What plain containers of numbers ask for, in pickles of numpy 1 and 2 and of all protocols.
PLAIN: Allowed = {
    ("collections", "OrderedDict"): OrderedDict,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "scalar"): numpy_scalar,
    ("numpy._core.multiarray", "scalar"): numpy_scalar,
    ("_codecs", "encode"): latin_bytes,
}
_BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    OverflowError,
    MemoryError,
)


class _AllowListUnpickler(pickle.Unpickler):
    def __init__(self, stream: IO[bytes], allowed: Allowed, origin: str, encoding: str) -> None:
        super().__init__(stream, encoding=encoding)
        self._allowed = allowed
        self._origin = origin

    def find_class(self, module: str, name: str) -> Any:
        """Return the allowed class or its stand-in; nothing is imported."""
        if (module, name) not in self._allowed:
            raise DataCorruptError(
                f"{self._origin} asks for {module}.{name}, which such a data file never needs: "
                "it is foreign or malicious and was not read; get it again from its official page"
            )
        return self._allowed[module, name]


def load_pickle(stream: IO[bytes] | bytes, allowed: Allowed = PLAIN, *, origin: str, encoding: str = "ASCII") -> Any:
    """Read a pickle made of plain containers and the allowed classes.

    Parameters
    ----------
    stream
        Open binary file, or the bytes themselves.
    allowed
        Class, or a harmless stand-in, for each (module, name) that the pickle may ask for.
    origin
        How messages name the file.
    encoding
        Of byte strings that Python 2 wrote.

    Raises
    ------
    DataCorruptError
        If the pickle asks for anything else, or is truncated, or is not a pickle.

    Examples
    --------
    >>> load_pickle(pickle.dumps({"accuracy": [93.5]}), origin="the example")
    {'accuracy': [93.5]}
    >>> load_pickle(pickle.dumps(print), origin="the example")
    Traceback (most recent call last):
    ...
    benchsuite.core.errors.DataCorruptError: the example asks for builtins.print, which such a data file never needs: \
it is foreign or malicious and was not read; get it again from its official page
    """
    opened = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    try:
        return _AllowListUnpickler(opened, allowed, origin, encoding).load()
    except _BROKEN as error:
        raise DataCorruptError(
            f"{origin} is truncated or not a pickle ({type(error).__name__}); get it again from its official page"
        ) from error
