"""Epochs of a training: what each leaves behind, and after which ones a checkpoint is kept."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch of a training left behind: a row of its learning curve.

    Attributes
    ----------
    epoch
        Its number, counted from 1.
    loss, accuracy
        Means over the epoch's updates: training loss and accuracy in percent.
    lr
        Learning rate of the weights.
    cpu_seconds
        CPU time of the process.
    peak_memory
        Peak memory in MiB of the process (on an accelerator: of its tensors) beyond the memory in use when the epoch
        began; NaN where it is unknown.
    """

    epoch: int
    loss: float
    accuracy: float
    lr: float
    cpu_seconds: float
    peak_memory: float = math.nan


def spread_epochs(number: int, kept: int, after: int = 0) -> set[int]:
    """Return epochs at equal distances, the last one included.

    Parameters
    ----------
    number
        Number of epochs.
    kept
        How many of them are chosen; all if there are fewer.
    after
        Number of the epoch that comes before the first one.

    Returns
    -------
    set
        Numbers of the chosen epochs.

    Examples
    --------
    >>> sorted(spread_epochs(10, 4)), sorted(spread_epochs(4, 2, after=10))
    ([3, 5, 8, 10], [12, 14])
    """
    return {after + math.ceil(number * part / kept) for part in range(1, kept + 1)}
