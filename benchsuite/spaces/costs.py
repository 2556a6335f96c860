"""What convolutions cost, counted without building them: parameters and multiply-adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters, and multiply-adds for one image.

    Examples
    --------
    >>> sum([Cost(1, 2), Cost(3, 4)], Cost())
    Cost(params=4, macs=6)
    """

    params: int = 0
    macs: int = 0

    def __add__(self, other: Cost) -> Cost:
        """Cost of both together."""
        return Cost(self.params + other.params, self.macs + other.macs)

    def __mul__(self, number: int) -> Cost:
        """Cost of a number of the same."""
        return Cost(self.params * number, self.macs * number)


class Convolution(NamedTuple):
    """A convolution without bias that keeps the size (divided by the stride), followed by batch normalisation."""

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
        """Cost at output features of so many pixels a side; the normalisation has parameters and no multiply-adds.

        Examples
        --------
        >>> Convolution(3, 16, 3).cost(32)
        Cost(params=464, macs=442368)
        """
        weights = self.weights
        return Cost(weights + 2 * self.outputs, weights * side**2)


class Layer(NamedTuple):
    """Channels that go in and out, and stride, of a layer."""

    inputs: int
    outputs: int
    stride: int

    @property
    def keeps_shape(self) -> bool:
        """Whether features come out as they go in."""
        return self.stride == 1 and self.inputs == self.outputs


def row_cost(convolutions: Iterable[Convolution], side: int) -> Cost:
    """Cost of convolutions one after the other, the first on features of so many pixels a side.

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
