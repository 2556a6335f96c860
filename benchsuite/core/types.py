"""Types and column names that all layers share; loads only the standard library."""

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
    """What a network must know of a data set.

    Attributes
    ----------
    name
        Its name.
    classes
        Number of classes.
    channels
        Channels of an image.
    size
        Height and width of an image in pixels.
    """

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
    """Size measures of an architecture.

    Attributes
    ----------
    params, macs
        Parameters and MACs (multiply-accumulate operations) as the benchmark counts them.
    live_params, live_macs
        The same for the network that is built, without dead operations.
    """

    params: int
    macs: int
    live_params: int
    live_macs: int


@dataclass(frozen=True, slots=True)
class Score:
    """One estimate of the quality of one architecture.

    Attributes
    ----------
    architecture
        What was scored.
    value
        Higher is better; NaN if undefined or failed.
    status
        "ok", "undefined" or "failed".
    reason
        Why the score is undefined or failed; empty otherwise.
    cpu_seconds
        What it took.
    """

    architecture: str
    value: float
    status: Status = "ok"
    reason: str = ""
    cpu_seconds: float = field(default=0.0, compare=False)
