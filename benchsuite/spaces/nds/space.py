"""Network design spaces of NDS (Radosavovic et al., ICCV 2019): three stages of blocks, each with its own choices.

Sources. Table 2 of the paper (arXiv 1905.13214) gives, per choice, the first and last value and how many values lie
between, "spaced about evenly in log space"; the ranges of ResNeXt-B, that Vanilla has ResNet's, and the totals are
quoted from memory of that table. What speaks for ResNeXt-B: with widths from 64 up, and only then, every bottleneck can
be divided into up to 16 groups. Blocks, stem, head and initialisation are those of pycls, in which the authors trained
the networks (`UniNet` with `double_plain_block`, `res_basic_block` and `res_bottleneck_block`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, product
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.types import Complexity, Dataset
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.base import SampledSpace, drops_dead
from benchsuite.spaces.costs import Convolution, Cost
from benchsuite.spaces.nds.blocks import BlockConvolutions, basic, block_cost, bottleneck, plain
from benchsuite.spaces.nds.drawing import drawing
from benchsuite.spaces.nds.strings import STAGES, Stage, StageChoice, parse, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from torch import nn

    from benchsuite.core.drawing import ChainDrawing
    from benchsuite.core.supernet import Supernet

_STRIDES = (1, 2, 2)  # of the first block of each stage


@dataclass(frozen=True, slots=True)
class NDS(SampledSpace):
    """Base of the design spaces: a stem of `channels` channels, three stages, global average, linear classifier.

    Strings give the choices of each stage (`d1-w16/d4-w32/d2-w64`), and each string is a network of its own. Divisors
    of width and depth above 1 give smaller networks to train oneself: widths are rounded to the nearest whole number
    (a divisor of 8 keeps all of them distinct), depths are rounded up, which merges small ones.

    Attributes
    ----------
    channels
        Channels after the stem.
    width_divisor
        Divides the widths.
    depth_divisor
        Divides the depths.
    """

    channels: int = 16
    width_divisor: int = 1
    depth_divisor: int = 1
    datasets: ClassVar[tuple[str, ...]] = ("cifar10", "digits")
    choices: ClassVar[tuple[StageChoice, ...]]
    block: ClassVar[Callable[[int, Stage, int], BlockConvolutions]]

    def parse(self, architecture: str) -> tuple[Stage, ...]:
        """Return the chosen values of each stage.

        Parameters
        ----------
        architecture
            A string; white space does not matter, nor how a number is written.

        Returns
        -------
        tuple
            Three stages.

        Raises
        ------
        InvalidArchitectureError
            If the string has another form or a value is not among the choices.

        Examples
        --------
        >>> NDSResNet().parse("d1-w16/d4-w32/d2-w64")[1]
        Stage(depth=4, width=32, multiplier=1.0, groups=1)
        """
        return parse(architecture, self.name, self.choices)

    def render(self, stages: Sequence[Stage]) -> str:
        """Return the string of some stages.

        Parameters
        ----------
        stages
            Chosen values.

        Returns
        -------
        str
            The architecture string.

        Examples
        --------
        >>> NDSResNeXtA().render(3 * [Stage(1, 16, 0.25, 4)])
        'd1-w16-b0.25-g4/d1-w16-b0.25-g4/d1-w16-b0.25-g4'
        """
        return render(stages, self.choices)

    @override
    def canonical(self, architecture: str) -> str:
        """Return the architecture's string in its usual form.

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        str
            Without white space, numbers written shortly.

        Examples
        --------
        >>> NDSResNeXtA().canonical("d1-w16-b.25-g4 / d2-w16-b1.0-g4 / d04-w16-b1-g4")
        'd1-w16-b0.25-g4/d2-w16-b1-g4/d4-w16-b1-g4'
        """
        return self.render(self.parse(architecture))

    @override
    def draw(self, rng: np.random.Generator) -> str:
        values = [[choice.values[rng.integers(len(choice.values))] for choice in self.choices] for _ in range(STAGES)]
        return self.render([Stage(*chosen) for chosen in values])

    @override
    def neighbours(self, architecture: str) -> list[str]:
        stages = self.parse(architecture)
        return [
            self.render((*stages[:position], stage._replace(**{field: value}), *stages[position + 1 :]))
            for position, stage in enumerate(stages)
            for field, choice in zip(Stage._fields, self.choices, strict=False)
            for value in choice.values
            if value != getattr(stage, field)
        ]

    @override
    def operations(self, architecture: str) -> tuple[str, ...]:
        """Return the choices of the first stage, then those of the second and third.

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        tuple
            Words and values.

        Examples
        --------
        >>> NDSResNet().operations("d1-w16/d4-w32/d2-w64")
        ('depth 1', 'width 16', 'depth 4', 'width 32', 'depth 2', 'width 64')
        """
        words = [choice.word for choice in self.choices]
        return tuple(
            f"{word} {value:g}" for stage in self.parse(architecture) for word, value in zip(words, stage, strict=False)
        )

    @override
    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        raise self._without_operations()

    @override
    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        raise self._without_operations()

    def _without_operations(self) -> UnsupportedError:
        return self._lacks("operations to choose or replace: its depths and widths share blocks and channels")

    @override
    def drawing(self, architecture: str) -> ChainDrawing:
        return drawing(self.parse(architecture), bottlenecks=len(self.choices) > 2)

    def stages(self, architecture: str) -> list[list[BlockConvolutions]]:
        """Return the blocks of each stage of the network at its sizes, from the stem to the classifier.

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        list
            For each stage its blocks.

        Raises
        ------
        UnsupportedError
            If a size of the network is below 1.
        """
        if min(self.sizes.values()) < 1:
            raise UnsupportedError(f"{self}: all sizes must be at least 1")
        stages, inputs, block = [], self.channels, type(self).block
        for stage, stride in zip(self.parse(architecture), _STRIDES, strict=True):
            depth = -(-stage.depth // self.depth_divisor)
            reduced = stage._replace(width=max(1, round(stage.width / self.width_divisor)))
            stages.append([block(inputs, reduced, stride), *(depth - 1) * [block(reduced.width, reduced, 1)]])
            inputs = reduced.width
        return stages

    def blocks(self, architecture: str) -> list[BlockConvolutions]:
        """Return the blocks of the network at its sizes, from the stem to the classifier.

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        list
            The blocks of all stages.
        """
        return list(chain.from_iterable(self.stages(architecture)))

    @override
    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.nds.network import NDSNetwork  # noqa: PLC0415

        drops_dead(dead)  # another word is refused; nothing in these networks is ever dead
        return NDSNetwork(self.blocks(architecture), self.channels, describe(dataset))

    @override
    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.nds.supernet import NDSSupernet  # noqa: PLC0415

        if substitute:
            raise self._without_operations()
        depths, *others = (choice.values for choice in self.choices)
        deepest = (self.stages(self.render([Stage(max(depths), *chosen)] * STAGES)) for chosen in product(*others))
        return NDSSupernet(self.stages, deepest, self.channels, describe(dataset))

    @override
    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Count parameters, and MACs of convolutions and classifier with its bias, as pycls does.

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
        The published 20-layer network for CIFAR-10, with projections:

        >>> NDSResNet().complexity("d3-w16/d3-w32/d3-w64", "cifar10")
        Complexity(params=272474, macs=40813194, live_params=272474, live_macs=40813194)
        """
        data, blocks = describe(dataset), self.blocks(architecture)
        classifier, side = (blocks[-1].path[-1].outputs + 1) * data.classes, data.size
        total = Convolution(data.channels, self.channels, 3).cost(side) + Cost(classifier, classifier)
        for block in blocks:
            total += block_cost(block, side)
            side = -(-side // block.stride)
        return Complexity(total.params, total.macs, total.params, total.macs)


_DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
_WIDTHS = (16, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256)
_STEPS = (StageChoice("d", "depth", _DEPTHS), StageChoice("w", "width", _WIDTHS))
_DOUBLED = StageChoice("d", "depth", (1, 2, 4, 8, 16))
_MULTIPLIER = StageChoice("b", "bottleneck", (0.25, 0.5, 1.0))


@dataclass(frozen=True, slots=True)
class NDSVanilla(NDS):
    """Stages of two 3x3 convolutions without shortcuts: (9 * 12)^3 = 1,259,712 architectures."""

    name: ClassVar[str] = "nds_vanilla"
    choices: ClassVar[tuple[StageChoice, ...]] = _STEPS
    block: ClassVar[Callable[[int, Stage, int], BlockConvolutions]] = plain


@dataclass(frozen=True, slots=True)
class NDSResNet(NDS):
    """Stages of residual blocks of two 3x3 convolutions: (9 * 12)^3 = 1,259,712 architectures."""

    name: ClassVar[str] = "nds_resnet"
    choices: ClassVar[tuple[StageChoice, ...]] = _STEPS
    block: ClassVar[Callable[[int, Stage, int], BlockConvolutions]] = basic


@dataclass(frozen=True, slots=True)
class NDSResNeXtA(NDS):
    """Stages of residual bottlenecks with few groups: (5 * 5 * 3 * 3)^3 = 11,390,625 architectures.

    Divided widths merge some of them, because narrow bottlenecks cannot be divided into four groups: of the 45 kinds
    of block, a divisor of 4 leaves 41 and one of 8 leaves 36.
    """

    name: ClassVar[str] = "nds_resnext_a"
    choices: ClassVar[tuple[StageChoice, ...]] = (
        _DOUBLED,
        StageChoice("w", "width", (16, 32, 64, 128, 256)),
        _MULTIPLIER,
        StageChoice("g", "groups", (1, 2, 4)),
    )
    block: ClassVar[Callable[[int, Stage, int], BlockConvolutions]] = bottleneck


@dataclass(frozen=True, slots=True)
class NDSResNeXtB(NDS):
    """Stages of wide residual bottlenecks with up to 16 groups: (5 * 5 * 3 * 5)^3 = 52,734,375 architectures."""

    name: ClassVar[str] = "nds_resnext_b"
    choices: ClassVar[tuple[StageChoice, ...]] = (
        _DOUBLED,
        StageChoice("w", "width", (64, 128, 256, 512, 1024)),
        _MULTIPLIER,
        StageChoice("g", "groups", (1, 2, 4, 8, 16)),
    )
    block: ClassVar[Callable[[int, Stage, int], BlockConvolutions]] = bottleneck
