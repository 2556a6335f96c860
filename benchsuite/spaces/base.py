"""What several search spaces share: samples of a space too large to list, and small pieces of strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """Whether a network leaves out dead operations ("drop") or has them ("keep").

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


def check_halves_twice(title: str, data: Dataset) -> None:
    """Return nothing if the side of the images is a multiple of 4, raise UnsupportedError otherwise.

    Parameters
    ----------
    title
        How the message names the space.
    """
    if data.size % 4:
        raise UnsupportedError(f"{title} halves images twice and {data.size} is no multiple of 4; resize them")


def one_changed(values: Sequence[T], allowed: Sequence[T]) -> Iterator[tuple[T, ...]]:
    """All sequences that differ from `values` in exactly one place.

    Examples
    --------
    >>> list(one_changed(["a", "b"], ["a", "b", "c"]))
    [('b', 'b'), ('c', 'b'), ('a', 'a'), ('a', 'c')]
    """
    for place, value in enumerate(values):
        for other in allowed:
            if other != value:
                yield (*values[:place], other, *values[place + 1 :])


def with_gaps_anywhere(values: Sequence[T], gap: T, rng: np.random.Generator) -> list[T]:
    """The values with those that equal `gap` at random places between the others, which keep their order.

    Examples
    --------
    >>> import numpy as np
    >>> "".join(with_gaps_anywhere("ab--", "-", np.random.default_rng(0)))
    'a-b-'
    """
    others = [value for value in values if value != gap]
    places = set(rng.permutation(len(values))[: len(others)].tolist())
    following = iter(others)
    return [next(following) if place in places else gap for place in range(len(values))]


@dataclass(frozen=True, slots=True)
class SampledSpace(Space):
    """Base of search spaces too large to list: `draw` gives one random architecture string.

    Classes of isomorphic architectures come with a probability that grows with their number of strings.
    """

    def draw(self, rng: np.random.Generator) -> str:
        """A random architecture string, not necessarily canonical."""
        raise self._lacks("random architectures")

    def sample(self, n: int, rng: np.random.Generator) -> list[str]:
        """n different canonical architectures; a smaller n with the same seed gives a prefix."""
        if n < 0:
            raise BenchsuiteError(f"cannot draw {n} architectures of {self.name}; choose 0 or more")
        found: dict[str, None] = {}
        repeats = 0
        while len(found) < n:
            known = len(found)
            found.setdefault(self.canonical(self.draw(rng)))
            repeats = 0 if len(found) > known else repeats + 1
            if repeats > _REPEATS:
                raise BenchsuiteError(f"{self.name} has hardly more than {known} architectures; draw fewer than {n}")
        return list(found)
