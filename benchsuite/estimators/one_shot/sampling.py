"""Which architectures the updates of a supernet's training use."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from benchsuite.core.errors import UnknownNameError, UnsupportedError
from benchsuite.core.identity import seed_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Draw = Callable[[np.random.Generator], str]
    Updates = Callable[[int], list[str]]  # number of the update -> the architectures whose gradients it joins

_TRIES = 1000  # draws in a row that are all refused, after which nothing is taken for allowed


class Domain(Protocol):
    """What is sampled: a search space, or a part of one."""

    def draw(self, rng: np.random.Generator) -> str:
        """A random architecture string, all alike in probability."""
        ...

    def architectures(self) -> Sequence[str]:
        """A string for each class of isomorphic ones."""
        ...

    def operation_choices(self) -> Sequence[Sequence[str]]:
        """The operations that are allowed at each position."""
        ...

    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        """The architecture with other operations at its positions."""
        ...


def sampler(
    name: str, space: Domain, seed: int, *, number: int = 1, accept: Callable[[str], bool] = lambda _: True
) -> Updates:
    """The architectures of each update, by its number alone: a training goes on anywhere with the same ones.

    Parameters
    ----------
    name
        "uniform": strings, all alike in probability (SPOS, Guo et al., ECCV 2020). "class": classes of isomorphic
        strings, all alike (de-isomorphic sampling, Ning et al., NeurIPS 2021). "fair": every operation of every
        position once in a round of as many architectures as there are operations (FairNAS, Chu et al., ICCV 2021).
    number
        Architectures in an update; "fair" needs as many as the largest number of operations at a position and
        takes no other number.
    accept
        Which architectures may be drawn; "fair" rounds take all that they make.

    Raises
    ------
    UnknownNameError
        If there is no such sampling.
    UnsupportedError
        If the space has no list of its classes, or no table of choices.
    """
    makers: dict[str, Callable[[], Updates]] = {
        "uniform": lambda: partial(_drawn, space.draw, accept, seed, number),
        "class": lambda: partial(_drawn, partial(_one_of, space.architectures()), accept, seed, number),
        "fair": lambda: FairRounds(space, seed),
    }
    if name not in makers:
        raise UnknownNameError("sampling", name, makers)
    return makers[name]()


def _drawn(draw: Draw, accept: Callable[[str], bool], seed: int, number: int, update: int) -> list[str]:
    rng = np.random.default_rng(seed_of("architectures", seed, update))
    return [_accepted(draw, accept, rng) for _ in range(number)]


def _accepted(draw: Draw, accept: Callable[[str], bool], rng: np.random.Generator) -> str:
    for _ in range(_TRIES):
        architecture = draw(rng)
        if accept(architecture):
            return architecture
    raise UnsupportedError(f"{_TRIES} drawn architectures have no weights to train; choose another space or sampling")


def _one_of(architectures: Sequence[str], rng: np.random.Generator) -> str:
    return architectures[int(rng.integers(len(architectures)))]


class FairRounds:
    """Architectures in rounds: at each position, each operation comes equally often, in an order of its own.

    A position with fewer operations than a round has architectures cycles through random orders of its own, whose
    ends need not meet the round's; all its operations come equally often in as many rounds as it has operations.

    Examples
    --------
    >>> from benchsuite.spaces.nasbench201.space import NASBench201
    >>> space = NASBench201()
    >>> edges = zip(*map(space.operations, FairRounds(space, 0)(7)), strict=True)
    >>> {len(set(operations)) for operations in edges}
    {5}
    """

    def __init__(self, space: Domain, seed: int) -> None:
        self._space = space
        self._seed = seed
        self._choices = space.operation_choices()
        self._size = max(map(len, self._choices))

    def __call__(self, update: int) -> list[str]:
        """The architectures of a round."""
        rng = np.random.default_rng(seed_of("frame", self._seed, update))
        columns = [self._column(position, update) for position in range(len(self._choices))]
        frames = [self._space.draw(rng)] * self._size  # edges, where a space has some to choose, are the round's
        return [
            self._space.with_operations(frame, row)
            for frame, row in zip(frames, zip(*columns, strict=True), strict=True)
        ]

    def _column(self, position: int, update: int) -> list[str]:
        """The operations of one position in a round: the part of an endless row of random orders that is its turn."""
        operations = self._choices[position]
        first, last = update * self._size, (update + 1) * self._size
        orders = range(first // len(operations), -(-last // len(operations)))
        row = [name for number in orders for name in self._order(position, number, operations)]
        start = first - orders[0] * len(operations)
        return row[start : start + self._size]

    def _order(self, position: int, number: int, operations: Sequence[str]) -> list[str]:
        rng = np.random.default_rng(seed_of("order", self._seed, position, number))
        return [operations[index] for index in rng.permutation(len(operations))]
