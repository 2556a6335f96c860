"""What convolutions cost, counted without building them: parameters and MACs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchsuite.core.types import Dataset


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters, and MACs for one image.

    Attributes
    ----------
    params
        Number of parameters.
    macs
        Multiply-accumulate operations for one image.

    Examples
    --------
    >>> sum([Cost(1, 2), Cost(3, 4)], Cost())
    Cost(params=4, macs=6)
    """

    params: int = 0
    macs: int = 0

    def __add__(self, other: Cost) -> Cost:
        """Return the cost of both together."""
        return Cost(self.params + other.params, self.macs + other.macs)

    def __mul__(self, number: int) -> Cost:
        """Return the cost of a number of the same."""
        return Cost(self.params * number, self.macs * number)


class Convolution(NamedTuple):
    """A convolution without bias that keeps the size (divided by the stride), followed by batch normalisation.

    Attributes
    ----------
    inputs, outputs
        Channels that go in and come out.
    kernel
        Side of the kernel.
    stride
        By what height and width are divided.
    groups
        Groups of channels.
    """

    inputs: int
    outputs: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1

    @property
    def weights(self) -> int:
        """Number of weights."""
        return self.kernel**2 * (self.inputs // self.groups) * self.outputs

    def cost(self, side: int) -> Cost:
        """Return the cost; the normalisation has parameters and no MACs.

        Parameters
        ----------
        side
            Height and width of the output features, in pixels.

        Returns
        -------
        Cost
            Parameters of both, MACs of the convolution.

        Examples
        --------
        >>> Convolution(3, 16, 3).cost(32)
        Cost(params=464, macs=442368)
        """
        weights = self.weights
        return Cost(weights + 2 * self.outputs, weights * side**2)


class Layer(NamedTuple):
    """The shape of a layer.

    Attributes
    ----------
    inputs, outputs
        Channels that go in and come out.
    stride
        By what height and width are divided.
    """

    inputs: int
    outputs: int
    stride: int

    @property
    def keeps_shape(self) -> bool:
        """Whether features come out as they go in."""
        return self.stride == 1 and self.inputs == self.outputs


def row_cost(convolutions: Iterable[Convolution], side: int) -> Cost:
    """Return the cost of convolutions one after the other.

    Parameters
    ----------
    convolutions
        First to last.
    side
        Height and width of the features that go in, in pixels.

    Returns
    -------
    Cost
        Their sum.

    Examples
    --------
    >>> row_cost([Convolution(1, 1, stride=2), Convolution(1, 1)], 8)
    Cost(params=6, macs=32)
    """
    total = Cost()
    for convolution in convolutions:
        side = -(-side // convolution.stride)
        total += convolution.cost(side)
    return total


@dataclass(frozen=True, slots=True)
class ChainFrame:
    """What all networks of a space of chains have in common.

    Attributes
    ----------
    stem
        Convolutions before the layers; the first has the stem's stride.
    layers
        Shapes of the layers.
    last
        The 1x1 convolution before global average and classifier.
    """

    stem: tuple[Convolution, ...]
    layers: tuple[Layer, ...]
    last: Convolution

    def cost(self, data: Dataset) -> Cost:
        """Return the cost of all but the layers: stem, last convolution, classifier without its bias in the MACs.

        Parameters
        ----------
        data
            Images and classes.

        Returns
        -------
        Cost
            Their sum.
        """
        features = self.last.outputs
        classifier = Cost((features + 1) * data.classes, features * data.classes)
        *_, side = self._sides(data)
        return row_cost(self.stem, data.size) + self.last.cost(side) + classifier

    def layer_costs(
        self, data: Dataset, operations: Sequence[str], cost: Callable[[str, Layer, int], Cost]
    ) -> tuple[dict[str, Cost], ...]:
        """Return the cost of each operation at each layer.

        Parameters
        ----------
        data
            Images and classes.
        operations
            Names of operations.
        cost
            Takes an operation, a layer and the side of its input to the cost.

        Returns
        -------
        tuple
            For each layer costs by operation.
        """
        pairs = zip(self.layers, self._sides(data), strict=False)
        return tuple({name: cost(name, layer, side) for name in operations} for layer, side in pairs)

    def _sides(self, data: Dataset) -> list[int]:
        """Return the side of the input of each layer, and of the last convolution."""
        sides = [-(-data.size // self.stem[0].stride)]
        for layer in self.layers:
            sides.append(-(-sides[-1] // layer.stride))
        return sides
