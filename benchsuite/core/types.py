"""Types and column names that all layers share; loads the standard library alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

# Columns of a ground-truth table; the last four are optional in a table that a user brings.
ARCHITECTURE = "architecture"
ACCURACY = "accuracy"
TRIAL = "trial"
EPOCHS = "epochs"
SPLIT = "split"
LOSS = "loss"

Status = Literal["ok", "undefined", "failed"]


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a network must know of a data set: its name, number of classes and the shape of one image."""

    name: str
    classes: int
    channels: int = 3
    size: int = 32

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one image (channels, height, width)."""
        return (self.channels, self.size, self.size)


@dataclass(frozen=True, slots=True)
class Complexity:
    """Parameters and multiply-adds: as the benchmark counts them, and of the network that is built (live)."""

    params: int
    macs: int
    live_params: int
    live_macs: int


@dataclass(frozen=True, slots=True)
class Score:
    """One estimate of one architecture: higher is better, NaN is undefined."""

    architecture: str
    value: float
    status: Status = "ok"
    reason: str = ""
    cpu_seconds: float = field(default=0.0, compare=False)
