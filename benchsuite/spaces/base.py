"""What several search spaces share: samples of a space too large to list, and small pieces of strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from benchsuite.core.errors import BenchsuiteError, UnknownNameError, UnsupportedError
from benchsuite.core.space import Space

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from benchsuite.core.sequences import T
    from benchsuite.core.types import Dataset

_REPEATS = 10_000  # draws in a row that brought nothing new, after which a space is taken for exhausted
_DEAD = ("drop", "keep")


def drops_dead(dead: str) -> bool:
    """Return whether a network leaves out dead operations.

    Parameters
    ----------
    dead
        "drop" leaves them out, "keep" builds them.

    Returns
    -------
    bool
        True for "drop".

    Raises
    ------
    UnknownNameError
        If it is another word.

    Examples
    --------
    >>> drops_dead("keep")
    False
    """
    if dead not in _DEAD:
        raise UnknownNameError("treatment of dead operations", dead, _DEAD)
    return dead == "drop"


def check_halves_twice(space: str, data: Dataset) -> None:
    """Raise UnsupportedError unless the side of the images is a multiple of 4.

    Parameters
    ----------
    space
        Name of the space, for the message.
    data
        The data set.
    """
    if data.size % 4:
        raise UnsupportedError(
            f"{space} halves the images twice, and their side is {data.size}; use a side that is a multiple of 4"
        )


def one_changed(values: Sequence[T], allowed: Sequence[T]) -> Iterator[tuple[T, ...]]:
    """Return all sequences that differ in exactly one position.

    Parameters
    ----------
    values
        The sequence.
    allowed
        Values that may stand at any position.

    Yields
    ------
    tuple
        A changed sequence.

    Examples
    --------
    >>> list(one_changed(["a", "b"], ["a", "b", "c"]))
    [('b', 'b'), ('c', 'b'), ('a', 'a'), ('a', 'c')]
    """
    for position, value in enumerate(values):
        for other in allowed:
            if other != value:
                yield (*values[:position], other, *values[position + 1 :])


def with_gaps_anywhere(values: Sequence[T], gap: T, rng: np.random.Generator) -> list[T]:
    """Return the values with the gaps at random positions between the others, which keep their order.

    Parameters
    ----------
    values
        The sequence.
    gap
        Values that equal it are the gaps.
    rng
        Source of randomness.

    Returns
    -------
    list
        The same values in another order.

    Examples
    --------
    >>> import numpy as np
    >>> "".join(with_gaps_anywhere("ab--", "-", np.random.default_rng(0)))
    'a-b-'
    """
    others = [value for value in values if value != gap]
    filled = set(rng.permutation(len(values))[: len(others)].tolist())
    following = iter(others)
    return [next(following) if position in filled else gap for position in range(len(values))]


@dataclass(frozen=True, slots=True)
class SampledSpace(Space):
    """Base of search spaces too large to list: `draw` gives one random architecture string.

    Isomorphism classes are drawn with a probability that grows with their number of strings.
    """

    @override
    def draw(self, rng: np.random.Generator) -> str:
        raise self._lacks("random architectures")

    @override
    def sample(self, n: int, rng: np.random.Generator) -> list[str]:
        if n < 0:
            raise BenchsuiteError(f"cannot draw {n} architectures of {self.name}; choose 0 or more")
        found: dict[str, None] = {}
        repeats = 0
        while len(found) < n:
            known = len(found)
            found.setdefault(self.canonical(self.draw(rng)))
            repeats = 0 if len(found) > known else repeats + 1
            if repeats > _REPEATS:
                raise BenchsuiteError(f"found only {known} distinct architectures in {self.name}; requested {n}")
        return list(found)
