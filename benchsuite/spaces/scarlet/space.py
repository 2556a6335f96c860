"""The space S1 of SCARLET-NAS (Chu et al., 2019): 19 layers with 12 mobile blocks, or nothing, to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.types import Complexity, Dataset
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.base import SampledSpace, drops_dead, one_changed, with_gaps_anywhere
from benchsuite.spaces.scarlet.drawing import drawing
from benchsuite.spaces.scarlet.layers import HALVING, frame, operation_cost
from benchsuite.spaces.scarlet.strings import (
    ALLOWED,
    IDENTITY,
    OPERATIONS,
    keeps_openings,
    parse,
    render,
    stages,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from torch import nn

    from benchsuite.core.drawing import ChainDrawing
    from benchsuite.core.supernet import Supernet
    from benchsuite.spaces.costs import ChainFrame, Cost


@dataclass(frozen=True, slots=True)
class ScarletS1(SampledSpace):
    """The 12^6 * 13^13, about 9.0e20, architectures of SCARLET's space S1.

    A layer is an inverted residual with h-swish, of expansion 3 or 6, kernel 3, 5 or 7, with squeeze-excite or
    without it; a layer that keeps the channels may also be the identity. Strings that differ only in where the
    identities stand between the other blocks of a stage are the same network: the canonical one has them last.

    Defaults are the networks for ImageNet (images of side 224).

    Attributes
    ----------
    width_divisor
        Divides all widths, rounded to the nearest whole number of at least 1.
    halvings
        How many of the five strides of 2 (at the stem and layers 0, 2, 6 and 14) are kept, the last ones: 3 suit
        images of side 32, 2 those of side 8.

    Examples
    --------
    >>> small = ScarletS1(width_divisor=4, halvings=3)
    >>> a = "37-65-35-37s-63s-35s-63s-33-37s-37-35-37s-33-37s-63s-65s-33s-63s-67s"
    >>> ScarletS1().complexity(a, Dataset("imagenet", 1000, size=224)).params, small.complexity(a, "cifar10").params
    (6707720, 386713)
    """

    width_divisor: int = 1
    halvings: int = 5
    name: ClassVar[str] = "scarlet"
    skips: ClassVar[tuple[str, ...]] = (IDENTITY,)

    @override
    def canonical(self, architecture: str) -> str:
        by_stage = stages(parse(architecture))
        return render([name for stage in by_stage for name in sorted(stage, key=lambda name: name == IDENTITY)])

    @override
    def equivalent(self, architecture: str, rng: np.random.Generator) -> str:
        by_stage = stages(parse(architecture))
        return render([name for first, *rest in by_stage for name in (first, *with_gaps_anywhere(rest, IDENTITY, rng))])

    @override
    def draw(self, rng: np.random.Generator) -> str:
        return render([names[int(rng.integers(len(names)))] for names in ALLOWED])

    @override
    def neighbours(self, architecture: str) -> list[str]:
        others = one_changed(parse(architecture), OPERATIONS)
        return [render(other) for other in others if keeps_openings(other)]

    @override
    def operations(self, architecture: str) -> tuple[str, ...]:
        return parse(architecture)

    @override
    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        """Return the operations of each layer: 13, without the identity 12 where the channels change."""
        return ALLOWED

    @override
    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        parse(architecture)
        return render(parse(render(operations)))

    @override
    def drawing(self, architecture: str) -> ChainDrawing:
        return drawing(parse(architecture))

    @override
    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.scarlet.network import network  # noqa: PLC0415

        operations, data = parse(architecture), describe(dataset)
        drops_dead(dead)  # another word is refused; a chain has no dead operations
        return network(self.frame(data), operations, data)

    @override
    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.scarlet.network import supernet  # noqa: PLC0415

        data = describe(dataset)
        return supernet(self.frame(data), data, substitute)

    @override
    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Count parameters, and MACs of convolutions and classifier without biases, those of squeeze-excite too.

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
        """
        operations, data = parse(architecture), describe(dataset)
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
            If a size of the network is not allowed.
        """
        if self.width_divisor < 1 or not 0 <= self.halvings <= len(HALVING):
            raise UnsupportedError(f"{self}: width_divisor must be at least 1, halvings 0 to {len(HALVING)}")
        return frame(self.width_divisor, self.halvings, data)


@lru_cache
def _costs(space: ScarletS1, data: Dataset) -> tuple[Cost, tuple[dict[str, Cost], ...]]:
    """Return the cost of stem and head, and at each layer that of each operation."""
    common = space.frame(data)
    return common.cost(data), common.layer_costs(data, OPERATIONS, operation_cost)
