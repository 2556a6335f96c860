"""Isomorphism classes: which strings of a table are one architecture, worked out once for a large table."""

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
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from benchsuite.core.space import Space

_FEW = 1_000  # so many are worked out anew each time
_COLUMN = "canonical"


@dataclass(frozen=True, slots=True)
class IsomorphismClasses:
    """The isomorphism classes of the strings of a table.

    Attributes
    ----------
    strings
        The architecture strings, sorted.
    canonical
        The canonical architectures of their classes, sorted, each once; a table may lack some of them.
    codes
        Position in `canonical` of each string's class.
    """

    strings: pd.Index
    canonical: pd.Index
    codes: NDArray[np.integer]

    def canonical_of(self, string: str) -> str:
        """Return the canonical architecture of a string.

        Parameters
        ----------
        string
            One of `strings`; KeyError for another.

        Returns
        -------
        str
            One of `canonical`.
        """
        return str(self.canonical[self.codes[self.strings.get_loc(string)]])

    def first_member(self, canonical: str) -> str:
        """Return the first string of a class.

        Parameters
        ----------
        canonical
            The canonical architecture; KeyError if the table has no string of its class.

        Returns
        -------
        str
            One of `strings`.
        """
        member = np.flatnonzero(self.codes == self.canonical.get_loc(canonical))[0]
        return str(self.strings[member])


def isomorphism_classes(space: Space, strings: pd.Index, origin: str) -> IsomorphismClasses:
    """Return the isomorphism classes of some strings; those of a long list are kept in the data folder.

    Parameters
    ----------
    space
        The search space.
    strings
        Architecture strings, sorted, each once.
    origin
        How messages name the table that the strings are from.

    Returns
    -------
    IsomorphismClasses
        The canonical architecture of each.

    Raises
    ------
    DataCorruptError
        If some strings are not architectures of the space; the message has their number and the first one.

    Examples
    --------
    >>> import pandas as pd
    >>> from benchsuite.spaces.nasbench201.space import NASBench201
    >>> strings = pd.Index(sorted(NASBench201().every_string()[:100]))
    >>> len(isomorphism_classes(NASBench201(), strings, "the example").canonical)
    91
    """
    found = _canonical(space, strings, origin)
    if found.equals(strings):  # every string its own class: nothing to sort
        return IsomorphismClasses(strings, strings, np.arange(len(strings)))
    canonical = found.unique().sort_values()
    return IsomorphismClasses(strings, canonical, canonical.get_indexer(found))


def _canonical(space: Space, strings: pd.Index, origin: str) -> pd.Index:
    """Return the canonical architecture of each string, from the data folder if it was worked out before."""
    import pandas as pd  # noqa: PLC0415 - pandas loads slowly, and spaces are listed without it

    if len(strings) <= _FEW:
        return _worked_out(space, strings, origin)
    file = data_home() / "classes" / f"{space.name}-{_key(space, strings)}.parquet"
    with suppress(OSError, ValueError, KeyError):  # absent, or damaged: then it is written again
        kept: pd.Index = pd.Index(pd.read_parquet(file)[_COLUMN], dtype="str")
        if len(kept) == len(strings):
            return kept
    found = _worked_out(space, strings, origin)
    with suppress(OSError):  # a data folder that cannot be written to costs time at the next load, no more
        write_frame(file, pd.DataFrame({_COLUMN: found}))
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
    """Return the identity of the strings and of the code that finds their canonical architectures."""
    from pyarrow import Table  # type: ignore[import-untyped]  # noqa: PLC0415 - loads slowly; it ships no types

    listed = hashlib.sha256()
    for batch in Table.from_pandas(strings.to_frame(name=_COLUMN), preserve_index=False).to_batches():
        listed.update(batch.serialize())
    files = {*Path(__file__).parent.glob("*.py"), *_sources(type(space))}  # spaces share code
    code = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)]
    return digest([space.name, dict(space.sizes), len(strings), listed.hexdigest(), code])


def _sources(space: type[Space]) -> Iterator[Path]:
    """Return the modules of a space and of its bases, with those that lie in the same package."""
    for base in space.__mro__:
        if base is not object:
            module = Path(inspect.getfile(base))
            yield from module.parent.glob("*.py") if module.with_name("__init__.py").exists() else [module]
