"""NAS-Bench-Macro (Su et al., CVPR 2021): a chain of eight layers with three blocks each to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.space import Space
from benchsuite.core.types import Complexity, Dataset
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.base import drops_dead, one_changed, with_gaps_anywhere
from benchsuite.spaces.costs import Cost, Layer, row_cost
from benchsuite.spaces.macro.drawing import drawing
from benchsuite.spaces.macro.layers import convolutions, frame
from benchsuite.spaces.macro.strings import (
    DIGITS,
    LAYERS,
    OPERATIONS,
    canonical_digits,
    operations_of,
    parse,
    stages,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from torch import nn

    from benchsuite.core.drawing import ChainDrawing
    from benchsuite.core.supernet import Supernet
    from benchsuite.spaces.costs import ChainFrame

_DIGIT_OF = dict(zip(OPERATIONS, DIGITS, strict=True))


@dataclass(frozen=True, slots=True)
class Macro(Space):
    """The 6,561 architectures of NAS-Bench-Macro: `channels` after the stem, `head` features before the classifier.

    An identity in a layer that opens a stage is a 1x1 convolution with stride 2; in any other layer it is nothing at
    all. Strings that differ only in where the identities stand between the other blocks of a stage are therefore the
    same network: 3,969 isomorphism classes (9 x 21 x 21 in the three stages). The canonical architecture has its
    identities last. The published table repeats the three trainings of a class for each of its strings.

    Attributes
    ----------
    channels
        Channels after the stem.
    head
        Features before the classifier.

    Examples
    --------
    >>> space = Macro()
    >>> len(space.every_string()), len(space.architectures())
    (6561, 3969)
    >>> space.canonical("20200201")
    '20200210'
    """

    channels: int = 32
    head: int = 1280
    name: ClassVar[str] = "macro"
    datasets: ClassVar[tuple[str, ...]] = ("cifar10", "digits")
    skips: ClassVar[tuple[str, ...]] = ("identity",)

    @override
    def architectures(self) -> Sequence[str]:
        """Return the canonical architectures of the 3,969 classes, in the order of their digits."""
        return _canonical()

    @override
    def every_string(self) -> Sequence[str]:
        """Return all 6,561 strings in the order of their digits."""
        return _strings()

    @override
    def canonical(self, architecture: str) -> str:
        return canonical_digits(parse(architecture))

    @override
    def equivalent(self, architecture: str, rng: np.random.Generator) -> str:
        by_stage = stages(parse(architecture))
        return "".join(digit for stage in by_stage for digit in (stage[0], *with_gaps_anywhere(stage[1:], "0", rng)))

    @override
    def neighbours(self, architecture: str) -> list[str]:
        return ["".join(other) for other in one_changed(parse(architecture), DIGITS)]

    @override
    def operations(self, architecture: str) -> tuple[str, ...]:
        return operations_of(architecture)

    @override
    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        return (OPERATIONS,) * LAYERS

    @override
    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        parse(architecture)
        return parse("".join(_DIGIT_OF.get(operation, operation) for operation in operations))

    @override
    def drawing(self, architecture: str) -> ChainDrawing:
        return drawing(operations_of(architecture))

    @override
    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.macro.network import network  # noqa: PLC0415

        operations, data = operations_of(architecture), describe(dataset)
        drops_dead(dead)  # another word is refused; a chain has no dead operations
        return network(self.frame(data), operations, data)

    @override
    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.macro.network import supernet  # noqa: PLC0415

        data = describe(dataset)
        return supernet(self.frame(data), data, substitute)

    @override
    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Count parameters, and MACs of convolutions and classifier without its bias, as in the official table.

        Parameters
        ----------
        architecture
            Any string of the space.
        dataset
            Name or description of the data set.

        Returns
        -------
        Complexity
            Nothing is ever dead: both counts are equal.

        Examples
        --------
        >>> Macro().complexity("22212220", "cifar10")
        Complexity(params=1985514, macs=85164544, live_params=1985514, live_macs=85164544)
        """
        operations, data = operations_of(architecture), describe(dataset)
        frame_cost, layer_costs = _costs(self, data)
        total = sum((costs[name] for costs, name in zip(layer_costs, operations, strict=True)), frame_cost)
        return Complexity(total.params, total.macs, total.params, total.macs)

    def frame(self, data: Dataset) -> ChainFrame:
        """Return what all networks of the space have in common.

        Parameters
        ----------
        data
            Images and classes.

        Returns
        -------
        ChainFrame
            Stem, layers and last convolution.

        Raises
        ------
        UnsupportedError
            If a size of the network is below 1.
        """
        if min(self.channels, self.head) < 1:
            raise UnsupportedError(f"{self}: channels and head must be at least 1")
        return frame(self.channels, self.head, data)


@lru_cache
def _costs(space: Macro, data: Dataset) -> tuple[Cost, tuple[dict[str, Cost], ...]]:
    """Return the cost of stem and head, and at each layer that of each block."""
    common = space.frame(data)
    return common.cost(data), common.layer_costs(data, OPERATIONS, _block_cost)


def _block_cost(name: str, layer: Layer, side: int) -> Cost:
    return row_cost(convolutions(name, layer), side)


@lru_cache
def _strings() -> tuple[str, ...]:
    return tuple(map("".join, product(DIGITS, repeat=LAYERS)))


@lru_cache
def _canonical() -> tuple[str, ...]:
    return tuple(digits for digits in _strings() if canonical_digits(digits) == digits)
