"""Reader of the official NAS-Bench-201 archive, `NAS-Bench-201-v1_1-096897.pth` (Dong and Yang, ICLR 2020).

The package nas-bench-201 interprets it. The package would unpickle the file unchecked (and fails under torch >= 2.6),
so the file is loaded here, with nothing but plain containers allowed, and handed over as a dictionary.
"""

from __future__ import annotations

import hashlib
import pickle
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from benchsuite.core.errors import DataCorruptError, DataMissingError
from benchsuite.core.sequences import chunks
from benchsuite.data.readers.nasbench201_records import pieces
from benchsuite.data.readers.pickles import PLAIN
from benchsuite.data.readers.pieces import Piece, Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_CHUNK = 50  # architectures at a time: the package copies what it is given
_NAME = re.compile(r"NAS-Bench-201-.*-([0-9a-f]{6})\.pth")
_PARTS: dict[str, type | tuple[type, ...]] = {
    "meta_archs": list,
    "arch2infos": dict,
    "evaluated_indexes": (list, set, tuple),
}


def read(path: Path, progress: Progress = silent) -> Iterator[Piece]:
    """Yield rows of all evaluated architectures, in the order of their strings.

    The whole archive is in memory while it is read.

    Parameters
    ----------
    path
        The archive, under its official name.
    progress
        Called with the architectures done and all architectures.

    Raises
    ------
    DataCorruptError
        If the md5 of the file does not end in the six digits of its official name, or the file is malicious or foreign.
    DataMissingError
        If the package nas-bench-201 is not installed.
    """
    _check_name(path)
    archive = _load(path)
    strings, infos = archive["meta_archs"], archive["arch2infos"]
    try:
        order = sorted(infos, key=strings.__getitem__)
    except (IndexError, TypeError) as error:
        raise DataCorruptError(f"{path.name} has results of an architecture that it does not name") from error
    for position, chunk in enumerate(chunks(order, _CHUNK)):
        yield from pieces(_interpreted(strings, {index: infos[index] for index in chunk}, path.name), path.name)
        progress(min((position + 1) * _CHUNK, len(order)), len(order))


def _check_name(path: Path) -> None:
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise DataCorruptError(
            f"{path.name} was renamed; name it NAS-Bench-201-v1_1-096897.pth, whose digits end the file's md5"
        )
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if not found.endswith(named[1]):
        raise DataCorruptError(
            f"{path.name} has md5 {found}, not ending in {named[1]}: it is truncated or foreign; download it again"
        )


def _load(path: Path) -> dict[str, Any]:
    import torch  # noqa: PLC0415 - this layer loads without torch; only this archive needs it

    kinds = [np.dtype, *{type(np.dtype(code)) for code in "?bhilqBHILQefd"}]
    allowed: list[Any] = [*kinds, *((item, ".".join(name)) for name, item in PLAIN.items() if name[1] == "scalar")]
    try:
        with torch.serialization.safe_globals(allowed):
            archive: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, TypeError, LookupError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataCorruptError(f"{path.name} was not read, it is foreign or malicious: {reason[:200]}") from error
    for part, kind in _PARTS.items():
        if not isinstance(archive, dict) or not isinstance(archive.get(part), kind):
            raise DataCorruptError(f"{path.name} lacks {part}, so it is not a NAS-Bench-201 archive; download it again")
    return archive


def _interpreted(strings: list[str], infos: dict[int, Any], origin: str) -> Iterator[Mapping[str, Mapping[str, Any]]]:
    """Yield records of some architectures, as the package understands them."""
    try:
        from nas_201_api import NASBench201API  # noqa: PLC0415 - an optional package, which loads torch
    except ImportError as error:
        raise DataMissingError(
            "reading the NAS-Bench-201 archive needs nas-bench-201; run: pip install 'benchsuite[nasbench201]'"
        ) from error
    parts = {"meta_archs": strings, "arch2infos": infos, "evaluated_indexes": list(infos)}
    try:
        results = NASBench201API(parts, verbose=False).arch2infos_dict
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataCorruptError(f"{origin} is not a NAS-Bench-201 archive: {error}; download it again") from error
    for index in infos:  # the package has them in another order
        record = {budget: result.state_dict() for budget, result in results[index].items()}
        if any(state["arch_str"] != strings[index] for state in record.values()):
            raise DataCorruptError(f"{origin} has results of another architecture at {index} than it names")
        yield record
