"""Types and column names that all layers share; loads the standard library alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from torch import nn

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


@runtime_checkable
class Space(Protocol):
    """A search space: the strings that name its architectures and the networks they stand for."""

    @property
    def name(self) -> str:
        """Name under which the space is registered."""
        ...

    @property
    def sizes(self) -> Mapping[str, int]:
        """Sizes of the macro network (such as channels and cells), part of a score's recipe."""
        ...

    @property
    def datasets(self) -> tuple[str, ...]:
        """Data sets for which benchmarks of this space exist."""
        ...

    def architectures(self) -> Sequence[str]:
        """All canonical representatives; UnsupportedError in a space too large to list."""
        ...

    def every_string(self) -> Sequence[str]:
        """All architecture strings, isomorphic ones included; UnsupportedError in a space too large to list."""
        ...

    def sample(self, n: int, rng: np.random.Generator) -> list[str]:
        """n different canonical architectures; a smaller n with the same seed gives a prefix."""
        ...

    def canonical(self, architecture: str) -> str:
        """The representative of the architecture's class; InvalidArchitectureError for a foreign string."""
        ...

    def validate(self, architecture: str) -> None:
        """Return nothing for an architecture of the space, raise InvalidArchitectureError otherwise."""
        ...

    def mutate(self, architecture: str, rng: np.random.Generator) -> str:
        """A random neighbour."""
        ...

    def neighbours(self, architecture: str) -> list[str]:
        """All architectures that differ in one choice."""
        ...

    def operations(self, architecture: str) -> tuple[str, ...]:
        """The operation at each position, for the bias analysis."""
        ...

    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        """The untrained network, initialised from torch's current random state."""
        ...

    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Parameters and multiply-adds in closed form, nothing built."""
        ...
