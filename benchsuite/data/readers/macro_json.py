"""Reader of `nas-bench-macro_cifar10.json`: test accuracies of three trainings of each NAS-Bench-Macro architecture.

Published in the repository xiusu/NAS-Bench-Macro with the paper (Su et al., CVPR 2021). By the training code beside it,
a training has 50 epochs, and its accuracy is the best one on the test images after any of them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.core.errors import DataCorruptError
from benchsuite.core.types import ACCURACY, ARCHITECTURE, EPOCHS, TRIAL
from benchsuite.data.readers.pieces import Piece, Progress, silent
from benchsuite.data.tables import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ARCHITECTURES = 6561
_TRAININGS = 3


def read(path: Path, progress: Progress = silent) -> Iterator[Piece]:
    """Yield test accuracies (percent) after 50 epochs, trials 0 to 2, in the order of the architectures.

    Parameters
    ----------
    path
        The published JSON file.
    progress
        Called with the parts done and all parts.

    Raises
    ------
    DataCorruptError
        If the file is not a JSON object of 6,561 architectures with three accuracies each.
    """
    content = _content(path)
    rows = [
        (architecture, trial, accuracy)
        for architecture in sorted(content)
        for trial, accuracy in enumerate(_accuracies(content[architecture], architecture, path))
    ]
    table = pd.DataFrame(rows, columns=[ARCHITECTURE, TRIAL, ACCURACY]).assign(**{EPOCHS: 50})
    yield Piece("macro/cifar10", "table", normalise(table, path.name))
    progress(1, 1)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise DataCorruptError(f"{path.name} is truncated or not the published JSON file; fetch it again") from error
    if not isinstance(content, dict) or len(content) != _ARCHITECTURES:
        raise DataCorruptError(
            f"{path.name} is not a JSON object of {_ARCHITECTURES:,} architectures, as published; fetch it again"
        )
    return content


def _accuracies(entry: object, architecture: str, path: Path) -> list[float]:
    accuracies = entry.get("test_acc") if isinstance(entry, dict) else None
    if not isinstance(accuracies, list) or len(accuracies) != _TRAININGS:
        raise DataCorruptError(
            f"{path.name}: {architecture[:40]!r} lacks a list 'test_acc' of {_TRAININGS} accuracies; fetch it again"
        )
    return accuracies
