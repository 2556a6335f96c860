"""The representative of each architecture of a table, worked out once for a large one."""

from __future__ import annotations

import hashlib
import inspect
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from benchsuite.core import DataCorruptError, InvalidArchitectureError, digest
from benchsuite.data.files import write_frame
from benchsuite.data.home import data_home

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.core import Space

_FEW = 1_000  # so many are worked out anew each time
_COLUMN = "representative"


def representatives(space: Space, strings: Sequence[str], origin: str) -> dict[str, str]:
    """The representative of each string; those of a long list are kept in the data folder.

    Parameters
    ----------
    origin
        How messages name the table that the strings are from.

    Raises
    ------
    DataCorruptError
        If some strings are not of the space; the message has their number and the first one.

    Examples
    --------
    >>> from benchsuite.spaces.nasbench201 import NASBench201
    >>> empty = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    >>> representatives(NASBench201(), [empty], "the example")[empty] == NASBench201().canonical(empty)
    True
    """
    if len(strings) <= _FEW:
        return _worked_out(space, strings, origin)
    import pandas as pd  # noqa: PLC0415 - pandas loads slowly, and spaces are listed without it

    place = data_home() / "classes" / f"{space.name}-{_key(space, strings)}.parquet"
    if place.is_file():
        kept = pd.read_parquet(place)[_COLUMN].tolist()
        return dict(zip(strings, kept, strict=True))
    found = _worked_out(space, strings, origin)
    with suppress(OSError):  # a data folder that cannot be written to costs time at the next load, no more
        write_frame(place, pd.DataFrame({_COLUMN: list(found.values())}))
    return found


def _worked_out(space: Space, strings: Sequence[str], origin: str) -> dict[str, str]:
    found, foreign = {}, []
    for string in strings:
        try:
            found[string] = space.canonical(string)
        except InvalidArchitectureError:
            foreign.append(string)
    if foreign:
        raise DataCorruptError(
            f"{origin}: {len(foreign):,} of {len(strings):,} architectures are not of the space {space.name}, "
            f"the first is {foreign[0][:120]!r}; write them as `space.sample` does"
        )
    return found


def _key(space: Space, strings: Sequence[str]) -> str:
    """Identity of the strings and of the code that finds their representatives."""
    listed = hashlib.sha256("\n".join(strings).encode()).hexdigest()
    module = Path(inspect.getfile(type(space)))
    code = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(module.parent.glob(f"{module.stem}*.py"))]
    return digest([space.name, dict(space.sizes), listed, code])
