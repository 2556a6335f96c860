"""Which architecture strings of a table are one architecture, worked out once for a large table."""

from __future__ import annotations

import hashlib
import inspect
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.core.errors import DataCorruptError, InvalidArchitectureError
from benchsuite.core.files import write_frame
from benchsuite.core.identity import digest
from benchsuite.data.home import data_home

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from benchsuite.core.space import Space

_FEW = 1_000  # so many are worked out anew each time
_COLUMN = "representative"


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes that the strings of a table form.

    Attributes
    ----------
    strings
        The architecture strings, sorted.
    representatives
        The representatives of their classes, sorted, each once; a table may lack some of them.
    codes
        Position in `representatives` of each string's class.
    """

    strings: pd.Index
    representatives: pd.Index
    codes: NDArray[np.integer]

    def representative(self, string: str) -> str:
        """The representative of one of the strings; KeyError for another."""
        return str(self.representatives[self.codes[self.strings.get_loc(string)]])

    def first_member(self, representative: str) -> str:
        """The first string of a class; KeyError if the table has none."""
        member = np.flatnonzero(self.codes == self.representatives.get_loc(representative))[0]
        return str(self.strings[member])


def classes_of(space: Space, strings: pd.Index, origin: str) -> Classes:
    """The classes of the strings (sorted, each once); those of a long list are kept in the data folder.

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
    >>> import pandas as pd
    >>> from benchsuite.spaces.nasbench201.space import NASBench201
    >>> strings = pd.Index(sorted(NASBench201().every_string()[:100]))
    >>> len(classes_of(NASBench201(), strings, "the example").representatives)
    91
    """
    found = _representatives(space, strings, origin)
    if found.equals(strings):  # every string its own class: nothing to sort
        return Classes(strings, strings, np.arange(len(strings)))
    representatives = found.unique().sort_values()
    return Classes(strings, representatives, representatives.get_indexer(found))


def _representatives(space: Space, strings: pd.Index, origin: str) -> pd.Index:
    """The representative of each string."""
    import pandas as pd  # noqa: PLC0415 - pandas loads slowly, and spaces are listed without it

    if len(strings) <= _FEW:
        return _worked_out(space, strings, origin)
    place = data_home() / "classes" / f"{space.name}-{_key(space, strings)}.parquet"
    with suppress(OSError, ValueError, KeyError):  # absent, or damaged: then it is written again
        kept: pd.Index = pd.Index(pd.read_parquet(place)[_COLUMN], dtype="str")
        if len(kept) == len(strings):
            return kept
    found = _worked_out(space, strings, origin)
    with suppress(OSError):  # a data folder that cannot be written to costs time at the next load, no more
        write_frame(place, pd.DataFrame({_COLUMN: found}))
    return found


def _worked_out(space: Space, strings: pd.Index, origin: str) -> pd.Index:
    import pandas as pd  # noqa: PLC0415 - as above

    found, foreign = [], []
    for string in strings:
        try:
            found.append(space.canonical(string))
        except InvalidArchitectureError:
            foreign.append(string)
    if foreign:
        raise DataCorruptError(
            f"{origin}: {len(foreign):,} of {len(strings):,} architectures are not of the space {space.name}, "
            f"the first is {foreign[0][:120]!r}; write them as `space.sample` does"
        )
    return pd.Index(found, dtype="str")


def _key(space: Space, strings: pd.Index) -> str:
    """Identity of the strings and of the code that finds their representatives."""
    from pyarrow import Table  # type: ignore[import-untyped]  # noqa: PLC0415 - loads slowly; it ships no types

    listed = hashlib.sha256()
    for batch in Table.from_pandas(strings.to_frame(name=_COLUMN), preserve_index=False).to_batches():
        listed.update(batch.serialize())
    module = Path(inspect.getfile(type(space)))
    files = {*Path(__file__).parent.glob("*.py"), *module.parent.glob(f"{module.stem}*.py")}  # spaces share code
    code = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)]
    return digest([space.name, dict(space.sizes), len(strings), listed.hexdigest(), code])
