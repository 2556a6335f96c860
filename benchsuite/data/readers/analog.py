"""Reader of the data file inside the package analog-nasbench: one CIFAR-10 training of each NAS-Bench-201 cell.

The package itself is never imported (that fails on current setuptools); its file is a pickle, read with an allow-list.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.core.errors import DataCorruptError
from benchsuite.core.types import ACCURACY, ARCHITECTURE
from benchsuite.data.readers.pickles import load_pickle
from benchsuite.data.readers.pieces import Piece, Progress, silent
from benchsuite.data.tables import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A key is six indices into these operations, for the edges 1<-0, 2<-0, 3<-0, 2<-1, 3<-1, 3<-2 (NASLib's encoding).
_OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
_ALLOWED: dict[tuple[str, str], Any] = {
    ("analognasbench.data", "Architecture"): SimpleNamespace,
    ("analognasbench.data", "DriftMeasurement"): SimpleNamespace,
}


def architecture(key: tuple[int, ...]) -> str:
    """Return the official string of a key.

    Parameters
    ----------
    key
        Positions in NASLib's list of operations, one for each edge.

    Examples
    --------
    >>> architecture((0, 1, 2, 3, 4, 0))
    '|skip_connect~0|+|none~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|skip_connect~2|'
    """
    one, two, three, two_of_one, three_of_one, three_of_two = (_OPERATIONS[index] for index in key)
    return f"|{one}~0|+|{two}~0|{two_of_one}~1|+|{three}~0|{three_of_one}~1|{three_of_two}~2|"


def read(path: Path, progress: Progress = silent) -> Iterator[Piece]:
    """Yield test accuracies of the plain 32-bit networks (`baseline_accuracy`); the package does not state epochs.

    Parameters
    ----------
    path
        The file data.anb of the package.
    progress
        Called with the parts done and all parts.

    Raises
    ------
    DataCorruptError
        If the file is truncated, foreign or malicious.
    """
    with path.open("rb") as stream:
        entries = load_pickle(stream, _ALLOWED, origin=path.name)
    try:
        rows = pd.DataFrame(
            {
                ARCHITECTURE: [architecture(key) for key in entries],
                ACCURACY: [entry.baseline_accuracy for entry in entries.values()],
            }
        )
    except (AttributeError, TypeError, ValueError, IndexError) as error:
        raise DataCorruptError(f"{path.name} is not the data file of analog-nasbench 0.1.3; reinstall it") from error
    yield Piece("nasbench201/cifar10-analog", "table", normalise(rows.sort_values(ARCHITECTURE), path.name))
    progress(1, 1)
