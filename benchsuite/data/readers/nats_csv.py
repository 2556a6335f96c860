"""Reader of `nats_bench.csv`: final test accuracies of all NAS-Bench-201 architectures, mean over their trainings.

Published in the repository v-tao/nats-bench-landscape, made from NATS-Bench's topology space at 200 epochs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.core.errors import DataCorruptError
from benchsuite.core.types import ACCURACY, ARCHITECTURE, EPOCHS
from benchsuite.data.readers.pieces import Piece, Progress, silent
from benchsuite.data.tables import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STRING = "ArchitectureString"
_ACCURACIES = {
    "nasbench201/cifar10": "CIFAR10TestAccuracy200Epochs",
    "nasbench201/cifar100": "CIFAR100TestAccuracy200Epochs",
    "nasbench201/imagenet16-120": "ImageNetTestAccuracy200Epochs",
}


def read(path: Path, progress: Progress = silent) -> Iterator[Piece]:
    """Yield test accuracies after 200 epochs; trial 0 is the mean over one to three trainings.

    Parameters
    ----------
    path
        The published CSV file.
    progress
        Called with the benchmarks done and all benchmarks.

    Raises
    ------
    DataCorruptError
        If the file is truncated or has other columns.
    """
    columns = [_STRING, *_ACCURACIES.values()]
    try:
        table = pd.read_csv(path, usecols=columns)
    except (ValueError, OSError) as error:
        raise DataCorruptError(
            f"{path.name} is truncated or not the published nats_bench.csv; its columns are {', '.join(columns)}"
        ) from error
    for done, (benchmark, column) in enumerate(_ACCURACIES.items(), start=1):
        rows = pd.DataFrame({ARCHITECTURE: table[_STRING], ACCURACY: table[column], EPOCHS: 200})
        yield Piece(benchmark, "table", normalise(rows.sort_values(ARCHITECTURE), path.name))
        progress(done, len(_ACCURACIES))
