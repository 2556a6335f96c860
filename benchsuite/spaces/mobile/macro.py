"""NAS-Bench-Macro (Su et al., CVPR 2021): a chain of eight layers with three blocks each to choose from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, ClassVar

from benchsuite.core.errors import InvalidArchitectureError, UnsupportedError
from benchsuite.core.space import Space
from benchsuite.core.types import Complexity, Dataset
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.base import drops_dead, one_changed, with_gaps_anywhere
from benchsuite.spaces.costs import Convolution, Cost, Layer, row_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from torch import nn

    from benchsuite.core.supernet import Supernet

OPERATIONS = ("identity", "MB3_K3", "MB6_K5")  # by the digit that stands for each
STAGES = (2, 3, 3)  # layers in each stage; the first one halves the size and doubles the channels
_LAYERS = sum(STAGES)
_OPENING = (0, 2, 5)  # positions of the first layers of the stages
_DIGITS = "012"
_DIGIT_OF = dict(zip(OPERATIONS, _DIGITS, strict=True))
_INVERTED = {"MB3_K3": (3, 3), "MB6_K5": (6, 5)}  # expansion and depthwise kernel of the inverted residuals


def parse(architecture: str) -> str:
    """The eight digits, without white space around them; InvalidArchitectureError for another string.

    Examples
    --------
    >>> parse(" 22212220 ")
    '22212220'
    """
    digits = str(architecture).strip()
    if re.fullmatch(rf"[{_DIGITS}]{{{_LAYERS}}}", digits, re.ASCII) is None:
        meaning = ", ".join(f"{digit} {name}" for digit, name in enumerate(OPERATIONS))
        raise InvalidArchitectureError(
            f"{str(architecture)[:120]!r} is no NAS-Bench-Macro architecture; write {_LAYERS} digits: {meaning}"
        )
    return digits


def layers(channels: int) -> tuple[Layer, ...]:
    """The eight layers after a stem of so many channels.

    Examples
    --------
    >>> [(layer.inputs, layer.outputs, layer.stride) for layer in layers(32)[:3]]
    [(32, 64, 2), (64, 64, 1), (64, 128, 2)]
    """
    found = []
    for stage, number in enumerate(STAGES):
        wide = channels * 2 ** (stage + 1)
        found += [Layer(wide // 2, wide, 2), *[Layer(wide, wide, 1)] * (number - 1)]
    return tuple(found)


def block(name: str, layer: Layer) -> tuple[Convolution, ...]:
    """The convolutions of a block one after the other; none for an identity that keeps the shape.

    Examples
    --------
    >>> [(each.outputs, each.kernel) for each in block("MB6_K5", Layer(32, 64, 2))]
    [(192, 1), (192, 5), (64, 1)]
    """
    inputs, outputs, stride = layer
    if name in _INVERTED:
        expansion, kernel = _INVERTED[name]
        hidden = expansion * inputs
        depthwise = Convolution(hidden, hidden, kernel, stride, groups=hidden)
        return Convolution(inputs, hidden), depthwise, Convolution(hidden, outputs)
    return (Convolution(inputs, outputs, stride=stride),) if stride > 1 else ()


@lru_cache
def _costs(space: Macro, data: Dataset) -> tuple[Cost, tuple[dict[str, Cost], ...]]:
    """Cost of stem and head, and at each layer that of each block."""
    side, choices = data.size, []
    frame = Convolution(data.channels, space.channels, 3).cost(side)
    for layer in layers(space.channels):
        choices.append({name: row_cost(block(name, layer), side) for name in OPERATIONS})
        side = -(-side // layer.stride)
    frame += Convolution(layer.outputs, space.head).cost(side)
    frame += Cost((space.head + 1) * data.classes, space.head * data.classes)
    return frame, tuple(choices)


@dataclass(frozen=True, slots=True)
class Macro(Space):
    """The 6,561 architectures of NAS-Bench-Macro: `channels` after the stem, `head` features before the classifier.

    An identity in a layer that opens a stage is a 1x1 convolution with stride 2; in any other layer it is nothing at
    all. Strings that differ only in where the identities stand between the other blocks of a stage are therefore the
    same network: 3,969 classes (9 x 21 x 21 in the three stages). The representative has its identities last. The
    published table repeats the three trainings of a class for each of its strings.

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

    def architectures(self) -> Sequence[str]:
        """The representatives of the 3,969 classes, in the order of their digits."""
        return _representatives()

    def every_string(self) -> Sequence[str]:
        """All 6,561 strings in the order of their digits."""
        return _strings()

    def canonical(self, architecture: str) -> str:
        """The representative of the architecture's class; InvalidArchitectureError for a foreign string."""
        return _canonical(parse(architecture))

    def equivalent(self, architecture: str, rng: np.random.Generator) -> str:
        """A random string of the architecture's class: its identities are elsewhere in their stages."""
        stages = _stages(parse(architecture))
        return "".join(digit for stage in stages for digit in (stage[0], *with_gaps_anywhere(stage[1:], "0", rng)))

    def neighbours(self, architecture: str) -> list[str]:
        """The 16 architectures that differ in the block of one layer."""
        return ["".join(other) for other in one_changed(parse(architecture), _DIGITS)]

    def operations(self, architecture: str) -> tuple[str, ...]:
        """The block of each layer."""
        return tuple(OPERATIONS[int(digit)] for digit in parse(architecture))

    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        """The three blocks, for each layer."""
        return (OPERATIONS,) * _LAYERS

    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        """The string of the blocks; nothing of the architecture stays."""
        parse(architecture)
        return parse("".join(_DIGIT_OF.get(operation, operation) for operation in operations))

    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        """The untrained network, initialised from torch's current random state.

        Parameters
        ----------
        dead
            "drop" or "keep", which are the same here: a chain has no dead operation.

        Raises
        ------
        UnsupportedError
            If a size of the network is below 1.
        """
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.mobile.macro_network import network  # noqa: PLC0415

        operations, data = self.operations(architecture), describe(dataset)
        drops_dead(dead)  # another word is refused
        self._check_sizes()
        return network(self, operations, data)

    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        """The supernet, initialised from torch's current random state.

        Parameters
        ----------
        substitute
            Modules in the place of blocks, made from the number of channels; in layers that keep the shape alone.
        """
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.mobile.macro_network import supernet  # noqa: PLC0415

        self._check_sizes()
        return supernet(self, describe(dataset), substitute)

    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Parameters and multiply-adds of convolutions and classifier, without its bias, as in the official table.

        Examples
        --------
        >>> Macro().complexity("22212220", "cifar10")
        Complexity(params=1985514, macs=85164544, live_params=1985514, live_macs=85164544)
        """
        operations, data = self.operations(architecture), describe(dataset)
        self._check_sizes()
        frame, choices = _costs(self, data)
        total = sum((costs[name] for costs, name in zip(choices, operations, strict=True)), frame)
        return Complexity(total.params, total.macs, total.params, total.macs)

    def _check_sizes(self) -> None:
        if min(self.channels, self.head) < 1:
            raise UnsupportedError(f"NAS-Bench-Macro needs channels and head of at least 1, not {dict(self.sizes)}")


def _stages(digits: str) -> list[str]:
    """The digits of each stage."""
    return [digits[first : first + number] for first, number in zip(_OPENING, STAGES, strict=True)]


def _canonical(digits: str) -> str:
    """The digits with the identities of each stage last, but for the layer that opens it."""
    return "".join(stage[0] + stage[1:].replace("0", "").ljust(len(stage) - 1, "0") for stage in _stages(digits))


@lru_cache
def _strings() -> tuple[str, ...]:
    return tuple(map("".join, product(_DIGITS, repeat=_LAYERS)))


@lru_cache
def _representatives() -> tuple[str, ...]:
    return tuple(digits for digits in _strings() if _canonical(digits) == digits)
