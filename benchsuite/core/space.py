"""The base of search spaces: what a space can be asked, and the refusals where it cannot answer."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from benchsuite.core.errors import BenchsuiteError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from torch import nn

    from benchsuite.core.drawing import ArchitectureDrawing
    from benchsuite.core.supernet import MixedSupernet, Supernet
    from benchsuite.core.types import Complexity, Dataset


@dataclass(frozen=True, slots=True)
class Space:
    """Base of search spaces; the fields of a derived class are the sizes of its macro network.

    A space defines `canonical` and whatever else it can do; everything else raises UnsupportedError. A space too large
    to list derives from `benchsuite.spaces.base.SampledSpace`.

    Attributes
    ----------
    name
        Name under which the space is registered.
    datasets
        Data sets for which benchmarks of this space exist.
    skips
        Operations that are the identity wherever the shape is kept.
    """

    registered_as: ClassVar[str] = "space"
    name: ClassVar[str]
    datasets: ClassVar[tuple[str, ...]] = ()
    skips: ClassVar[tuple[str, ...]] = ()

    @property
    def sizes(self) -> Mapping[str, int]:
        """Sizes of the macro network by name (such as channels and cells), part of a score's recipe."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def architectures(self) -> Sequence[str]:
        """Return all canonical architectures; UnsupportedError in a space too large to list."""
        raise self._lacks("a list of its architectures")

    def every_string(self) -> Sequence[str]:
        """Return all architecture strings, isomorphic ones included; UnsupportedError in a space too large to list."""
        raise self._lacks("a list of its architecture strings")

    def sample(self, n: int, rng: np.random.Generator) -> list[str]:
        """Draw different canonical architectures uniformly.

        Parameters
        ----------
        n
            How many; a smaller number with the same seed gives a prefix.
        rng
            Source of randomness.

        Returns
        -------
        list
            Canonical architecture strings.

        Raises
        ------
        BenchsuiteError
            If the space has fewer than `n`.
        """
        architectures = self.architectures()
        if not 0 <= n <= len(architectures):
            raise BenchsuiteError(f"cannot draw {n} architectures of {self.name}; choose 0 to {len(architectures)}")
        return [architectures[position] for position in rng.permutation(len(architectures))[:n]]

    def canonical(self, architecture: str) -> str:
        """Return the canonical architecture of a string's isomorphism class.

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        str
            The one string that stands for the class.

        Raises
        ------
        InvalidArchitectureError
            If the string is not an architecture of the space.
        """
        raise self._lacks("canonical architectures")

    def validate(self, architecture: str) -> None:
        """Raise InvalidArchitectureError unless the string is an architecture of the space.

        Parameters
        ----------
        architecture
            Any string.
        """
        self.canonical(architecture)

    def mutate(self, architecture: str, rng: np.random.Generator) -> str:
        """Return a random neighbour.

        Parameters
        ----------
        architecture
            A string of the space.
        rng
            Source of randomness.

        Returns
        -------
        str
            One of `neighbours(architecture)`.
        """
        neighbours = self.neighbours(architecture)
        return neighbours[rng.integers(len(neighbours))]

    def members(self, architecture: str) -> Sequence[str]:
        """Return all strings of an architecture's isomorphism class.

        Parameters
        ----------
        architecture
            A string of the space.

        Returns
        -------
        Sequence
            The strings, the given one among them.

        Raises
        ------
        UnsupportedError
            In a space that does not list its strings.
        """
        return _classes(self)[self.canonical(architecture)]

    def equivalent(self, architecture: str, rng: np.random.Generator) -> str:
        """Return a random string of an architecture's isomorphism class.

        Checks need it that all strings of a class have one canonical architecture.

        Parameters
        ----------
        architecture
            A string of the space.
        rng
            Source of randomness.

        Returns
        -------
        str
            A string with the same canonical architecture.
        """
        raise self._lacks("several strings for one architecture")

    def neighbours(self, architecture: str) -> list[str]:
        """Return all architectures that differ in one choice.

        Parameters
        ----------
        architecture
            A string of the space.

        Returns
        -------
        list
            Strings, each once, not necessarily canonical.
        """
        raise self._lacks("neighbours")

    def operations(self, architecture: str) -> tuple[str, ...]:
        """Return the operation at each position.

        Parameters
        ----------
        architecture
            A string of the space.

        Returns
        -------
        tuple
            Names of operations.
        """
        raise self._lacks("operations at positions")

    def draw(self, rng: np.random.Generator) -> str:
        """Draw a random architecture string, all with the same probability.

        Parameters
        ----------
        rng
            Source of randomness.

        Returns
        -------
        str
            A string of the space, not necessarily canonical.
        """
        strings = self.every_string()
        return strings[int(rng.integers(len(strings)))]

    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        """Return the operations that are allowed at each position of `operations`."""
        raise self._lacks("a table of choices with the same positions in all architectures")

    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        """Return the architecture with other operations at its positions, edges as they are.

        Parameters
        ----------
        architecture
            A string of the space.
        operations
            One name for each position of `operations(architecture)`.

        Returns
        -------
        str
            An architecture string, not necessarily canonical.
        """
        raise self._lacks("a table of choices with the same positions in all architectures")

    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        """Build the untrained network, initialised from torch's current random state.

        Parameters
        ----------
        architecture
            A string of the space.
        dataset
            Name or description of the data set.
        dead
            "drop" leaves out operations that the logits do not depend on; "keep" builds them as the official network
            does. Both compute the same function while untrained, and their modules have the same names.

        Returns
        -------
        Module
            Takes images (batch, channels, height, width) to logits (batch, classes).

        Raises
        ------
        UnsupportedError
            If the network cannot be built at the space's sizes or for the data set's images.
        """
        raise self._lacks("networks")

    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        """Build the network that shares weights among all architectures.

        It is initialised from torch's current random state.

        Parameters
        ----------
        dataset
            Name or description of the data set.
        substitute
            Modules that take the place of operations, by the operation's name; each is made from the number of
            channels.

        Returns
        -------
        Supernet
            None of its architectures is active yet.

        Raises
        ------
        UnsupportedError
            If the network cannot be built at the space's sizes or for the data set's images.
        UnknownNameError
            If the space lacks an operation to substitute.
        """
        raise self._lacks("a supernet")

    def mixed(self, dataset: str | Dataset, *, operations: str = "all", partial: int = 1) -> MixedSupernet:
        """Build the supernet that mixes operations by weights, initialised from torch's current random state.

        Parameters
        ----------
        dataset
            Name or description of the data set.
        operations
            "all", or the name of an operation set of the space.
        partial
            Operations see 1 / `partial` of the channels (PC-DARTS).

        Returns
        -------
        MixedSupernet
            It neither mixes nor has an active architecture yet.

        Raises
        ------
        SuiteError
            If the channels are not a multiple of `partial`.
        UnknownNameError
            If the space lacks the operation set.
        """
        raise self._lacks("a mixed supernet: not all its architectures choose from one table of edges and operations")

    def pools(self) -> Mapping[str, Callable[[], nn.Module]]:
        """Return how each pooling without weights is made, by operation, for positions that keep the shape."""
        return {}

    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Count parameters and MACs in closed form; nothing is built.

        Parameters
        ----------
        architecture
            A string of the space.
        dataset
            Name or description of the data set.

        Returns
        -------
        Complexity
            As the benchmark counts them, and of the network that `build` makes.

        Raises
        ------
        UnsupportedError
            If the space's sizes or the data set's images are not allowed.
        """
        raise self._lacks("a closed form of complexity")

    def drawing(self, architecture: str) -> ArchitectureDrawing:
        """Describe a picture of the architecture, from which reports draw it.

        A space of your own offers one by returning a `CellDrawing` or a `ChainDrawing` of `benchsuite.core.drawing`:
        it says what is there, and the report decides about colours and places. Without one, reports show the string.

        Parameters
        ----------
        architecture
            A string of the space; it is drawn as it is written.

        Returns
        -------
        ArchitectureDrawing
            Cells as graphs, or a chain of blocks.

        Raises
        ------
        UnsupportedError
            If the space does not offer drawings.

        Examples
        --------
        >>> from benchsuite.core.drawing import CellDrawing, DrawnCell, DrawnEdge, DrawnOperation
        >>> class Mine(Space):
        ...     name = "mine"
        ...
        ...     def drawing(self, architecture):
        ...         operation = DrawnOperation(architecture, "convolution 3x3")
        ...         return CellDrawing((DrawnCell((None, None), (DrawnEdge(0, 1, operation),)),))
        >>> Mine().drawing("conv3x3").cells[0].edges[0].operation.name
        'conv3x3'
        """
        raise self._lacks("drawings of its architectures")

    def _lacks(self, ability: str) -> UnsupportedError:
        return UnsupportedError(f"the space {self.name!r} does not offer {ability}")


@lru_cache(maxsize=4)
def _classes(space: Space) -> dict[str, list[str]]:
    """Return the strings of each isomorphism class by canonical architecture."""
    found: dict[str, list[str]] = defaultdict(list)
    for architecture in space.every_string():
        found[space.canonical(architecture)].append(architecture)
    return dict(found)
