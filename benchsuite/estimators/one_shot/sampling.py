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

_TRIES = 1000  # architectures in a row that are all refused, after which sampling gives up


class Domain(Protocol):
    """What architectures are sampled from: a search space, or a part of one."""

    def draw(self, rng: np.random.Generator) -> str:
        """Draw a random architecture string, all with the same probability.

        Parameters
        ----------
        rng
            Source of randomness.

        Returns
        -------
        str
            A string of the space.
        """
        ...

    def architectures(self) -> Sequence[str]:
        """Return the canonical string of each isomorphism class."""
        ...

    def operation_choices(self) -> Sequence[Sequence[str]]:
        """Return the operations that are allowed at each position."""
        ...

    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        """Return the architecture with other operations at its positions.

        Parameters
        ----------
        architecture
            A string of the space.
        operations
            One name for each position.

        Returns
        -------
        str
            A string of the space.
        """
        ...


def sampler(
    name: str, space: Domain, seed: int, *, number: int = 1, accept: Callable[[str], bool] = lambda _: True
) -> Updates:
    """Return what samples the architectures of an update, which depend on nothing but its number and the seed.

    Parameters
    ----------
    name
        "uniform": strings with equal probability (SPOS, Guo et al., ECCV 2020). "class": isomorphism classes with equal
        probability (de-isomorphic sampling, Ning et al., NeurIPS 2021). "fair": every operation of every position once
        in a round of as many architectures as there are operations (FairNAS, Chu et al., ICCV 2021).
    space
        What is sampled from.
    seed
        Seed of the training.
    number
        Architectures in an update; "fair" ignores it and takes the largest number of operations at a position.
    accept
        Which architectures may be sampled; "fair" rounds ignore it.

    Returns
    -------
    Callable
        Takes the number of an update to its architectures.

    Raises
    ------
    UnknownNameError
        If `name` is another word.
    UnsupportedError
        If the space lacks the list of its architectures, or a table of choices, and the sampling needs it.
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
    raise UnsupportedError(
        f"{_TRIES} sampled architectures in a row lack weights to train; choose another space or sampling"
    )


def _one_of(architectures: Sequence[str], rng: np.random.Generator) -> str:
    return architectures[int(rng.integers(len(architectures)))]


class FairRounds:
    """Architectures in rounds: at each position, each operation occurs equally often, in an order of its own.

    A position with fewer operations than a round has architectures cycles through random orders of its own, which need
    not end with a round; all its operations occur equally often in as many rounds as it has operations.

    Parameters
    ----------
    space
        What is sampled from.
    seed
        Seed of the training.

    Raises
    ------
    UnsupportedError
        If the space lacks a table of choices.

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
        """Return the architectures of a round."""
        rng = np.random.default_rng(seed_of("frame", self._seed, update))
        columns = [self._column(position, update) for position in range(len(self._choices))]
        frames = [self._space.draw(rng)] * self._size  # where a space also chooses edges, a round has the same ones
        return [
            self._space.with_operations(frame, row)
            for frame, row in zip(frames, zip(*columns, strict=True), strict=True)
        ]

    def _column(self, position: int, update: int) -> list[str]:
        """Return the operations of one position in a round: the next part of an endless row of random orders."""
        operations = self._choices[position]
        first, last = update * self._size, (update + 1) * self._size
        orders = range(first // len(operations), -(-last // len(operations)))
        row = [name for number in orders for name in self._order(position, number, operations)]
        start = first - orders[0] * len(operations)
        return row[start : start + self._size]

    def _order(self, position: int, number: int, operations: Sequence[str]) -> list[str]:
        rng = np.random.default_rng(seed_of("order", self._seed, position, number))
        return [operations[index] for index in rng.permutation(len(operations))]
