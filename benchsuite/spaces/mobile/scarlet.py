"""The space S1 of SCARLET-NAS (Chu et al., 2019): 19 layers with 12 mobile blocks, or nothing, to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from benchsuite.core.errors import InvalidArchitectureError, UnsupportedError
from benchsuite.core.types import Complexity, Dataset
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.base import SampledSpace, drops_dead, one_changed, with_gaps_anywhere
from benchsuite.spaces.costs import Convolution, Cost, Layer, row_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from torch import nn

    from benchsuite.core.supernet import Supernet

IDENTITY = "identity"
STAGES = ((32, 2), (40, 4), (80, 4), (96, 4), (192, 4), (320, 1))  # channels, layers
_OPENING = (0, 2, 6, 10, 14, 18)  # first layers of the stages, which change the channels
_LAYERS = 19
_HALVING = (-1, 0, 2, 6, 14)  # layers with stride 2; the stem is -1
_STEM, _SEPARABLE, _LAST = 32, 16, 1280
_REDUCTION = 4


class Block(NamedTuple):
    """An inverted residual: hidden channels by those that go in, depthwise kernel, whether it has squeeze-excite."""

    expansion: int
    kernel: int
    excited: bool


BLOCKS = {
    f"MB{expansion}_K{kernel}{'_SE' * excited}": Block(expansion, kernel, excited)
    for expansion in (3, 6)
    for kernel in (3, 5, 7)
    for excited in (False, True)
}
OPERATIONS = (*BLOCKS, IDENTITY)
_CODES = {name: f"{block.expansion}{block.kernel}{'s' * block.excited}" for name, block in BLOCKS.items()}
_CODES[IDENTITY] = "id"
_NAMES = {code: name for name, code in _CODES.items()}


def parse(architecture: str) -> tuple[str, ...]:
    """The operation of each layer.

    Raises
    ------
    InvalidArchitectureError
        If it is not 19 codes joined by '-', or a layer that changes the channels is an identity; white space around
        the string does not matter.

    Examples
    --------
    >>> parse("37-65-35-37s-63s-35s-63s-33-37s-37-35-37s-33-37s-63s-65s-33s-63s-67s")[2:5]
    ('MB3_K5', 'MB3_K7_SE', 'MB6_K3_SE')
    """
    codes = str(architecture).strip().split("-")
    if len(codes) != _LAYERS or not set(codes) <= set(_NAMES):
        raise InvalidArchitectureError(
            f"{str(architecture)[:120]!r} is no SCARLET architecture; join {_LAYERS} of {', '.join(_NAMES)} by '-'"
        )
    operations = tuple(_NAMES[code] for code in codes)
    if not _keeps_openings(operations):
        raise InvalidArchitectureError(f"{architecture}: layers {_OPENING} change the channels and cannot be 'id'")
    return operations


def render(operations: Sequence[str]) -> str:
    """The string of 19 operations: expansion, kernel, s with squeeze-excite; id for the identity.

    Examples
    --------
    >>> render(["MB3_K7", *["MB6_K5_SE"] * 18])[:11]
    '37-65s-65s-'
    """
    return "-".join(_CODES.get(operation, operation) for operation in operations)


def hidden(block: Block, layer: Layer) -> int:
    """Channels inside a block."""
    return block.expansion * layer.inputs


def squeezed(channels: int) -> int:
    """Channels in the middle of a squeeze-excite.

    Examples
    --------
    >>> squeezed(96), squeezed(3)
    (24, 1)
    """
    return max(1, channels // _REDUCTION)


def convolutions(block: Block, layer: Layer) -> tuple[Convolution, Convolution, Convolution]:
    """The three convolutions of a block: wide, depthwise, narrow.

    Examples
    --------
    >>> [(each.outputs, each.kernel) for each in convolutions(Block(6, 5, False), Layer(32, 40, 2))]
    [(192, 1), (192, 5), (40, 1)]
    """
    wide = hidden(block, layer)
    depthwise = Convolution(wide, wide, block.kernel, layer.stride, groups=wide)
    return Convolution(layer.inputs, wide), depthwise, Convolution(wide, layer.outputs)


def stem(space: Scarlet, data: Dataset) -> tuple[Convolution, Convolution, Convolution]:
    """The convolutions before the layers: 3x3, then a separable one."""
    wide, narrow = space.width(_STEM), space.width(_SEPARABLE)
    first = Convolution(data.channels, wide, 3, space.stride(-1))
    return first, Convolution(wide, wide, 3, groups=wide), Convolution(wide, narrow)


def layers(space: Scarlet) -> tuple[Layer, ...]:
    """The 19 layers.

    Examples
    --------
    >>> [(layer.inputs, layer.outputs, layer.stride) for layer in layers(Scarlet())[:3]]
    [(16, 32, 2), (32, 32, 1), (32, 40, 2)]
    """
    widths = [space.width(outputs) for outputs, number in STAGES for _ in range(number)]
    inputs = [space.width(_SEPARABLE), *widths[:-1]]
    return tuple(Layer(*pair, space.stride(place)) for place, pair in enumerate(zip(inputs, widths, strict=True)))


def last(space: Scarlet) -> Convolution:
    """The convolution before the global average."""
    return Convolution(space.width(STAGES[-1][0]), space.width(_LAST))


def _keeps_openings(operations: Sequence[str]) -> bool:
    return all(operations[place] != IDENTITY for place in _OPENING)


def _stages(operations: Sequence[str]) -> list[tuple[str, ...]]:
    """The operations of each stage."""
    return [tuple(operations[first : first + number]) for first, (_, number) in zip(_OPENING, STAGES, strict=True)]


def _block_cost(name: str, layer: Layer, side: int) -> Cost:
    if name == IDENTITY:
        return Cost()
    block = BLOCKS[name]
    wide = hidden(block, layer)
    weights = 2 * wide * squeezed(wide)
    excite = Cost(weights + wide + squeezed(wide), weights) if block.excited else Cost()
    return row_cost(convolutions(block, layer), side) + excite


@lru_cache
def _costs(space: Scarlet, data: Dataset) -> tuple[Cost, tuple[dict[str, Cost], ...]]:
    """Cost of stem and head, and at each layer that of each operation."""
    before, head = stem(space, data), last(space)
    frame, side, choices = row_cost(before, data.size), -(-data.size // before[0].stride), []
    for layer in layers(space):
        choices.append({name: _block_cost(name, layer, side) for name in OPERATIONS})
        side = -(-side // layer.stride)
    classifier = Cost((head.outputs + 1) * data.classes, head.outputs * data.classes)
    return frame + head.cost(side) + classifier, tuple(choices)


@dataclass(frozen=True, slots=True)
class Scarlet(SampledSpace):
    """The 12^6 * 13^13, about 9.0e20, architectures of SCARLET's space S1.

    A layer is an inverted residual with h-swish, of expansion 3 or 6, kernel 3, 5 or 7, with squeeze-excite or
    without it; a layer that keeps the channels may also be the identity. Strings that differ only in where the
    identities stand between the other blocks of a stage are the same network: the representative has them last.

    Defaults are the networks for ImageNet (images of side 224).

    Parameters
    ----------
    width_divisor
        Divides all widths, rounded to the nearest whole number of at least 1.
    halvings
        How many of the five places with stride 2 (the stem, layers 0, 2, 6 and 14) keep it, the last ones: 3 suit
        images of side 32, 2 those of side 8.

    Examples
    --------
    >>> small = Scarlet(width_divisor=4, halvings=3)
    >>> a = "37-65-35-37s-63s-35s-63s-33-37s-37-35-37s-33-37s-63s-65s-33s-63s-67s"
    >>> Scarlet().complexity(a, Dataset("imagenet", 1000, size=224)).params, small.complexity(a, "cifar10").params
    (6707720, 386713)
    """

    width_divisor: int = 1
    halvings: int = 5
    name: ClassVar[str] = "scarlet"
    skips: ClassVar[tuple[str, ...]] = (IDENTITY,)

    def width(self, channels: int) -> int:
        """Channels in the networks of this size, by those of the full size."""
        return max(1, round(channels / self.width_divisor))

    def stride(self, layer: int) -> int:
        """Stride of a layer; the stem is -1."""
        return 2 if layer in _HALVING[len(_HALVING) - self.halvings :] else 1

    def canonical(self, architecture: str) -> str:
        """The string with the identities of each stage last; InvalidArchitectureError for a foreign string."""
        stages = _stages(parse(architecture))
        return render([name for stage in stages for name in sorted(stage, key=lambda name: name == IDENTITY)])

    def equivalent(self, architecture: str, rng: np.random.Generator) -> str:
        """A random string of the architecture's class: its identities are elsewhere in their stages."""
        stages = _stages(parse(architecture))
        return render([name for first, *rest in stages for name in (first, *with_gaps_anywhere(rest, IDENTITY, rng))])

    def draw(self, rng: np.random.Generator) -> str:
        """A random string, all alike in probability."""
        return render([names[int(rng.integers(len(names)))] for names in self.operation_choices()])

    def neighbours(self, architecture: str) -> list[str]:
        """The 222 architectures that differ in the operation of one layer."""
        others = one_changed(parse(architecture), OPERATIONS)
        return [render(other) for other in others if _keeps_openings(other)]

    def operations(self, architecture: str) -> tuple[str, ...]:
        """The operation of each layer."""
        return parse(architecture)

    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        """The operations of each layer: 13, without the identity 12 where the channels change."""
        return tuple(tuple(BLOCKS) if place in _OPENING else OPERATIONS for place in range(_LAYERS))

    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        """The string of the operations; nothing of the architecture stays."""
        parse(architecture)
        return render(parse(render(operations)))

    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        """The untrained network, initialised from torch's current random state.

        Parameters
        ----------
        dead
            "drop" or "keep", which are the same here: a chain has no dead operation.

        Raises
        ------
        UnsupportedError
            If a size of the network is not allowed.
        """
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.mobile.scarlet_network import network  # noqa: PLC0415

        operations, data = parse(architecture), describe(dataset)
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
            Modules in the place of operations, made from the number of channels; in layers that keep the shape alone.
        """
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.mobile.scarlet_network import supernet  # noqa: PLC0415

        self._check_sizes()
        return supernet(self, describe(dataset), substitute)

    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Parameters, and multiply-adds of convolutions and classifier without biases, those of squeeze-excite too."""
        operations, data = parse(architecture), describe(dataset)
        self._check_sizes()
        frame, choices = _costs(self, data)
        total = sum((costs[name] for costs, name in zip(choices, operations, strict=True)), frame)
        return Complexity(total.params, total.macs, total.params, total.macs)

    def _check_sizes(self) -> None:
        if self.width_divisor < 1 or not 0 <= self.halvings <= len(_HALVING):
            raise UnsupportedError(
                f"SCARLET needs a width_divisor of at least 1 and 0 to {len(_HALVING)} halvings, not {dict(self.sizes)}"
            )
