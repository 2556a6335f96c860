"""The part that all search spaces share: drawing samples, checking strings, refusing abilities that a space lacks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from benchsuite.core.errors import BenchsuiteError, UnknownNameError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np
    from torch import nn

    from benchsuite.core.sequences import T
    from benchsuite.core.types import Complexity, Dataset
    from benchsuite.spaces.mixed import MixedSupernet
    from benchsuite.spaces.supernet import Supernet

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
class SearchSpace:
    """Base of search spaces; the fields of a derived class are the sizes of its macro network.

    A space defines `canonical` and whatever else it can do; the rest raises UnsupportedError. A space too large to
    list derives from SampledSpace.
    """

    name: ClassVar[str]
    datasets: ClassVar[tuple[str, ...]] = ()
    skips: ClassVar[tuple[str, ...]] = ()  # operations that are the identity wherever the shape is kept

    @property
    def sizes(self) -> Mapping[str, int]:
        """Sizes of the macro network by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def architectures(self) -> Sequence[str]:
        """All canonical representatives."""
        raise self._lacks("list of its architectures")

    def every_string(self) -> Sequence[str]:
        """All architecture strings, isomorphic ones included."""
        raise self._lacks("list of its architecture strings")

    def sample(self, n: int, rng: np.random.Generator) -> list[str]:
        """n different canonical architectures, drawn uniformly; a smaller n with the same seed gives a prefix."""
        architectures = self.architectures()
        if not 0 <= n <= len(architectures):
            raise BenchsuiteError(f"cannot draw {n} architectures of {self.name}; choose 0 to {len(architectures)}")
        return [architectures[position] for position in rng.permutation(len(architectures))[:n]]

    def canonical(self, architecture: str) -> str:
        """The representative of the architecture's class; InvalidArchitectureError for a foreign string."""
        raise self._lacks("canonical architectures")

    def validate(self, architecture: str) -> None:
        """Return nothing for an architecture of the space, raise InvalidArchitectureError otherwise."""
        self.canonical(architecture)

    def mutate(self, architecture: str, rng: np.random.Generator) -> str:
        """A random neighbour."""
        neighbours = self.neighbours(architecture)
        return neighbours[rng.integers(len(neighbours))]

    def members(self, architecture: str) -> Sequence[str]:
        """All strings of the architecture's class; UnsupportedError in a space that does not list its strings."""
        return _classes(self)[self.canonical(architecture)]

    def equivalent(self, architecture: str, rng: np.random.Generator) -> str:
        """A random string of the architecture's class, for checks that all of them have one representative."""
        raise self._lacks("several strings for one architecture")

    def neighbours(self, architecture: str) -> list[str]:
        """All architectures that differ in one choice."""
        raise self._lacks("neighbours")

    def operations(self, architecture: str) -> tuple[str, ...]:
        """The operation at each position."""
        raise self._lacks("operations at positions")

    def draw(self, rng: np.random.Generator) -> str:
        """A random architecture string, all alike in probability."""
        strings = self.every_string()
        return strings[int(rng.integers(len(strings)))]

    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        """The operations that are allowed at each position of `operations`."""
        raise self._lacks("table of choices, the same positions in all architectures")

    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        """The architecture with other operations at its positions, edges as they are."""
        raise self._lacks("table of choices, the same positions in all architectures")

    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        """The untrained network, initialised from torch's current random state."""
        raise self._lacks("networks")

    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        """The network that shares weights among all architectures, initialised from torch's current random state."""
        raise self._lacks("supernet")

    def mixed(self, dataset: str | Dataset, *, operations: str = "all", partial: int = 1) -> MixedSupernet:
        """The supernet that mixes operations by weights, initialised from torch's current random state.

        Parameters
        ----------
        operations
            "all", or the name of a set that the space has.
        partial
            Operations see 1 / `partial` of the channels (PC-DARTS).
        """
        raise self._lacks("mixed supernet: not all its architectures choose from one table of edges and operations")

    def pools(self) -> Mapping[str, Callable[[], nn.Module]]:
        """How the pooling of each operation that has no weights is made, for places that keep the shape."""
        return {}

    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Parameters and multiply-adds in closed form."""
        raise self._lacks("closed form of complexity")

    def _lacks(self, ability: str) -> UnsupportedError:
        return UnsupportedError(f"the space {self.name!r} has no {ability}")


@lru_cache(maxsize=4)
def _classes(space: SearchSpace) -> dict[str, list[str]]:
    """The strings of each class, by its representative."""
    found: dict[str, list[str]] = defaultdict(list)
    for architecture in space.every_string():
        found[space.canonical(architecture)].append(architecture)
    return dict(found)


@dataclass(frozen=True, slots=True)
class SampledSpace(SearchSpace):
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
