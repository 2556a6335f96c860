"""Types, errors, column names and identities that all layers share; loads the standard library alone."""

from __future__ import annotations

import difflib
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
T = TypeVar("T")


class BenchsuiteError(Exception):
    """An error whose message is one line for the user: what, which value, what is allowed, what to do."""


class UnknownNameError(BenchsuiteError):
    """A name that no registered space, estimator, benchmark, source or suite has."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        super().__init__(f"no {kind} named {name!r}.{hint} Known: {', '.join(names) or 'none'}")


class InvalidArchitectureError(BenchsuiteError):
    """A string that is not an architecture of the space."""


class UnsupportedError(BenchsuiteError):
    """An ability that a space, a benchmark or a network lacks, with the reason."""


class DataMissingError(BenchsuiteError):
    """Data that is not on this machine; the message names the command that brings it."""


class DataCorruptError(BenchsuiteError):
    """A file that is truncated, foreign, malicious, or whose digest is wrong."""


class SuiteError(BenchsuiteError):
    """A suite file, plug-in or command option that says something not allowed."""


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


def canonical_json(value: object) -> str:
    """JSON text that is the same for equal values: sorted keys, no spaces.

    >>> canonical_json({"b": 1, "a": (2, 3)})
    '{"a":[2,3],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: object) -> str:
    """First 32 hexadecimal digits of the sha256 of a value's canonical JSON: the identity of a recipe."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:32]


def seed_of(*parts: object) -> int:
    """A 63-bit seed that depends on its parts alone, the same in every process and on every machine.

    >>> seed_of(0, "a") == seed_of(0, "a") != seed_of(1, "a")
    True
    """
    return int.from_bytes(hashlib.sha256(canonical_json(parts).encode()).digest()[:8], "big") >> 1


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive pieces of at most `size` items.

    >>> list(chunks("abcde", 2))
    ['ab', 'cd', 'e']
    """
    for start in range(0, len(items), size):
        yield items[start : start + size]


def label(name: str, parameters: Mapping[str, Any]) -> str:
    """How a report names an estimator with parameters.

    >>> label("synflow", {"log": True})
    'synflow(log=True)'
    """
    inside = ", ".join(f"{key}={value}" for key, value in sorted(parameters.items()))
    return f"{name}({inside})" if inside else name
