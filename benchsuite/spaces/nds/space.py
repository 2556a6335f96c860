"""Network design spaces of NDS (Radosavovic et al., ICCV 2019): three stages of blocks, each with its own choices.

Sources. Table 2 of the paper (arXiv 1905.13214) gives, per choice, the first and last value and how many values lie
between, "spaced about evenly in log space"; the ranges of ResNeXt-B, that Vanilla has ResNet's, and the totals are
quoted from memory of that table. What speaks for ResNeXt-B: with widths from 64 up, and only then, every bottleneck can
be divided into up to 16 groups. Blocks, stem, head and initialisation are those of pycls, in which the authors trained
the networks (`UniNet` with `double_plain_block`, `res_basic_block` and `res_bottleneck_block`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from benchsuite.core.errors import InvalidArchitectureError, UnsupportedError
from benchsuite.core.types import Complexity, Dataset
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.base import SampledSpace, drops_dead
from benchsuite.spaces.costs import Convolution, Cost, row_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from torch import nn

    from benchsuite.core.supernet import Supernet

STRIDES = (1, 2, 2)  # of the first block of each stage


class Choice(NamedTuple):
    """What is chosen for each stage: the letter before its value in strings, its word, and the allowed values."""

    letter: str
    word: str
    values: tuple[Any, ...]  # whole numbers, but for multipliers


class Stage(NamedTuple):
    """The chosen values of one stage, in the order of the choices."""

    depth: int
    width: int
    multiplier: float = 1.0
    groups: int = 1


class Block(NamedTuple):
    """Convolutions in a row and, beside them in a residual block, a 1x1 convolution or the identity, if there is none.

    The identity costs nothing.
    """

    path: tuple[Convolution, ...]
    residual: bool
    projection: Convolution | None = None

    @property
    def stride(self) -> int:
        """By what the block divides the size."""
        return max(convolution.stride for convolution in self.path)


@lru_cache(maxsize=1 << 12)
def _block_cost(block: Block, side: int) -> Cost:
    """Cost of a block on features of so many pixels a side."""
    beside = [] if block.projection is None else [block.projection]
    return row_cost(block.path, side) + row_cost(beside, side)


def plain(inputs: int, stage: Stage, stride: int) -> Block:
    """Two 3x3 convolutions without shortcut."""
    first, second = Convolution(inputs, stage.width, 3, stride), Convolution(stage.width, stage.width, 3)
    return Block((first, second), residual=False)


def basic(inputs: int, stage: Stage, stride: int) -> Block:
    """Two 3x3 convolutions and a shortcut (He et al., CVPR 2016)."""
    return _with_shortcut(plain(inputs, stage, stride).path)


def bottleneck(inputs: int, stage: Stage, stride: int) -> Block:
    """A 1x1, a grouped 3x3 and a 1x1 convolution and a shortcut (Xie et al., CVPR 2017).

    The width inside is the multiple of the groups nearest to the product of width and multiplier, at least one per
    group. In the official spaces that is the product itself; only networks of divided widths need the rounding.
    """
    inside = stage.groups * max(1, round(stage.width * stage.multiplier / stage.groups))
    path = (
        Convolution(inputs, inside, 1),
        Convolution(inside, inside, 3, stride, stage.groups),
        Convolution(inside, stage.width, 1),
    )
    return _with_shortcut(path)


def _with_shortcut(path: tuple[Convolution, ...]) -> Block:
    """The residual block; it has a projection if it changes the size or the number of channels."""
    block, inputs, outputs = Block(path, residual=True), path[0].inputs, path[-1].outputs
    if (inputs, block.stride) == (outputs, 1):
        return block
    return block._replace(projection=Convolution(inputs, outputs, 1, block.stride))


@dataclass(frozen=True, slots=True)
class NDS(SampledSpace):
    """Base of the design spaces: a stem of `channels` channels, three stages, global average, linear classifier.

    Strings give the choices of each stage (`d1-w16/d4-w32/d2-w64`), and each string is a network of its own. Divisors
    of width and depth above 1 give smaller networks to train oneself: widths are rounded to the nearest whole number
    (a divisor of 8 keeps all of them distinct), depths are rounded up, which merges small ones.
    """

    channels: int = 16
    width_divisor: int = 1
    depth_divisor: int = 1
    datasets: ClassVar[tuple[str, ...]] = ("cifar10", "digits")
    choices: ClassVar[tuple[Choice, ...]]
    block: ClassVar[Callable[[int, Stage, int], Block]]

    def parse(self, architecture: str) -> tuple[Stage, ...]:
        """The chosen values of each stage; white space does not matter, nor how a number is written.

        Raises
        ------
        InvalidArchitectureError
            If the string has another form or a value is not among the choices.

        Examples
        --------
        >>> NDSResNet().parse("d1-w16/d4-w32/d2-w64")[1]
        Stage(depth=4, width=32, multiplier=1.0, groups=1)
        """
        parts = "".join(str(architecture).split()).split("/")
        form = "-".join(rf"{choice.letter}(\d+\.?\d*|\.\d+)" for choice in self.choices)
        matches = [re.fullmatch(form, part, re.ASCII) for part in parts]
        if len(parts) != len(STRIDES) or None in matches:
            example = self.render([Stage(*(choice.values[0] for choice in self.choices))] * len(STRIDES))
            raise InvalidArchitectureError(
                f"{str(architecture)[:120]!r} is no architecture of {self.name}; write three stages as in {example}"
            )
        return tuple(self._stage(match.groups()) for match in matches if match is not None)

    def _stage(self, texts: Sequence[str]) -> Stage:
        chosen = []
        for choice, text in zip(self.choices, texts, strict=True):
            known = {float(value): value for value in choice.values}
            if float(text) not in known:
                allowed = ", ".join(f"{value:g}" for value in choice.values)
                raise InvalidArchitectureError(f"{self.name} has no {choice.word} {text[:40]}; allowed: {allowed}")
            chosen.append(known[float(text)])
        return Stage(*chosen)

    def render(self, stages: Sequence[Stage]) -> str:
        """The string of some stages.

        Examples
        --------
        >>> NDSResNeXtA().render(3 * [Stage(1, 16, 0.25, 4)])
        'd1-w16-b0.25-g4/d1-w16-b0.25-g4/d1-w16-b0.25-g4'
        """
        letters = [choice.letter for choice in self.choices]
        return "/".join(
            "-".join(f"{letter}{value:g}" for letter, value in zip(letters, stage, strict=False)) for stage in stages
        )

    def canonical(self, architecture: str) -> str:
        """The architecture's string in its usual form; InvalidArchitectureError for a foreign string.

        Examples
        --------
        >>> NDSResNeXtA().canonical("d1-w16-b.25-g4 / d2-w16-b1.0-g4 / d04-w16-b1-g4")
        'd1-w16-b0.25-g4/d2-w16-b1-g4/d4-w16-b1-g4'
        """
        return self.render(self.parse(architecture))

    def draw(self, rng: np.random.Generator) -> str:
        """A random architecture, all alike in probability."""
        values = [[choice.values[rng.integers(len(choice.values))] for choice in self.choices] for _ in STRIDES]
        return self.render([Stage(*chosen) for chosen in values])

    def neighbours(self, architecture: str) -> list[str]:
        """The architectures that differ in one choice of one stage."""
        stages = self.parse(architecture)
        return [
            self.render((*stages[:place], stage._replace(**{field: value}), *stages[place + 1 :]))
            for place, stage in enumerate(stages)
            for field, choice in zip(Stage._fields, self.choices, strict=False)
            for value in choice.values
            if value != getattr(stage, field)
        ]

    def operations(self, architecture: str) -> tuple[str, ...]:
        """The choices of the first stage, then those of the second and third.

        Examples
        --------
        >>> NDSResNet().operations("d1-w16/d4-w32/d2-w64")
        ('depth 1', 'width 16', 'depth 4', 'width 32', 'depth 2', 'width 64')
        """
        words = [choice.word for choice in self.choices]
        return tuple(
            f"{word} {value:g}" for stage in self.parse(architecture) for word, value in zip(words, stage, strict=False)
        )

    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        """Nothing: UnsupportedError, because depths and widths are no operations."""
        raise self._without_operations()

    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        """Nothing: UnsupportedError, because depths and widths are no operations."""
        raise self._without_operations()

    def _without_operations(self) -> UnsupportedError:
        return self._lacks("operations with weights of their own: its depths and widths share blocks and channels")

    def stages(self, architecture: str) -> list[list[Block]]:
        """The blocks of each stage of the network at its sizes, from the stem to the classifier."""
        if min(self.sizes.values()) < 1:
            raise UnsupportedError(f"{self.name} needs sizes of at least 1, not {dict(self.sizes)}")
        stages, inputs, block = [], self.channels, type(self).block
        for stage, stride in zip(self.parse(architecture), STRIDES, strict=True):
            depth = -(-stage.depth // self.depth_divisor)
            reduced = stage._replace(width=max(1, round(stage.width / self.width_divisor)))
            stages.append([block(inputs, reduced, stride), *(depth - 1) * [block(reduced.width, reduced, 1)]])
            inputs = reduced.width
        return stages

    def blocks(self, architecture: str) -> list[Block]:
        """The blocks of the network at its sizes, from the stem to the classifier."""
        return list(chain.from_iterable(self.stages(architecture)))

    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        """The untrained network, initialised from torch's current random state; nothing in it is ever dead."""
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.nds.network import StageNetwork  # noqa: PLC0415

        drops_dead(dead)  # another word is refused
        return StageNetwork(self.blocks(architecture), self.channels, describe(dataset))

    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        """The supernet, initialised from torch's current random state; UnsupportedError for substitutes."""
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.nds.supernet import NDSSupernet  # noqa: PLC0415

        if substitute:
            raise self._without_operations()
        return NDSSupernet(self, describe(dataset))

    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Parameters, and multiply-adds of convolutions and classifier, its bias included, as pycls counts them.

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
            total += _block_cost(block, side)
            side = -(-side // block.stride)
        return Complexity(total.params, total.macs, total.params, total.macs)


_DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
_WIDTHS = (16, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256)
_STEPS = (Choice("d", "depth", _DEPTHS), Choice("w", "width", _WIDTHS))
_DOUBLED = Choice("d", "depth", (1, 2, 4, 8, 16))
_MULTIPLIER = Choice("b", "bottleneck", (0.25, 0.5, 1.0))


@dataclass(frozen=True, slots=True)
class NDSVanilla(NDS):
    """Stages of two 3x3 convolutions without shortcuts: (9 * 12)^3 = 1,259,712 architectures."""

    name: ClassVar[str] = "nds_vanilla"
    choices: ClassVar[tuple[Choice, ...]] = _STEPS
    block: ClassVar[Callable[[int, Stage, int], Block]] = plain


@dataclass(frozen=True, slots=True)
class NDSResNet(NDS):
    """Stages of residual blocks of two 3x3 convolutions: (9 * 12)^3 = 1,259,712 architectures."""

    name: ClassVar[str] = "nds_resnet"
    choices: ClassVar[tuple[Choice, ...]] = _STEPS
    block: ClassVar[Callable[[int, Stage, int], Block]] = basic


@dataclass(frozen=True, slots=True)
class NDSResNeXtA(NDS):
    """Stages of residual bottlenecks with few groups: (5 * 5 * 3 * 3)^3 = 11,390,625 architectures.

    Divided widths merge some of them, because narrow bottlenecks cannot be divided into four groups: of the 45 kinds
    of block, a divisor of 4 leaves 41 and one of 8 leaves 36.
    """

    name: ClassVar[str] = "nds_resnext_a"
    choices: ClassVar[tuple[Choice, ...]] = (
        _DOUBLED,
        Choice("w", "width", (16, 32, 64, 128, 256)),
        _MULTIPLIER,
        Choice("g", "groups", (1, 2, 4)),
    )
    block: ClassVar[Callable[[int, Stage, int], Block]] = bottleneck


@dataclass(frozen=True, slots=True)
class NDSResNeXtB(NDS):
    """Stages of wide residual bottlenecks with up to 16 groups: (5 * 5 * 3 * 5)^3 = 52,734,375 architectures."""

    name: ClassVar[str] = "nds_resnext_b"
    choices: ClassVar[tuple[Choice, ...]] = (
        _DOUBLED,
        Choice("w", "width", (64, 128, 256, 512, 1024)),
        _MULTIPLIER,
        Choice("g", "groups", (1, 2, 4, 8, 16)),
    )
    block: ClassVar[Callable[[int, Stage, int], Block]] = bottleneck
