"""Supernets of the NDS design spaces: stages of full depth and width, of which architectures use the first part."""

from __future__ import annotations

from itertools import chain, product
from typing import TYPE_CHECKING

from torch import nn

from benchsuite.core.supernet import Step, Supernet
from benchsuite.spaces.costs import Convolution
from benchsuite.spaces.nds.network import StageBlock, StageNetwork
from benchsuite.spaces.nds.space import STRIDES, Block, Stage
from benchsuite.spaces.slices import SlicedConvolution, sliced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nds.space import NDS


class SuperBlock(StageBlock):
    """A block that can be any narrower one, of any groups."""

    def __init__(self, block: Block) -> None:
        super().__init__(block)
        self.active = block

    def become(self, block: Block) -> None:
        """Use the first channels, as many as the convolutions of a block have."""
        self.active = block
        _choose(self.path, block.path)
        if block.projection is not None:
            _choose(self.projection, [block.projection])

    def shortcut(self, features: Tensor) -> Tensor:
        """What the shortcut brings: the identity where the active block has no projection."""
        return features if self.active.projection is None else super().shortcut(features)


def _choose(row: nn.Sequential, convolutions: Sequence[Convolution]) -> None:
    modules = (module for module in row if isinstance(module, SlicedConvolution))
    for module, convolution in zip(modules, convolutions, strict=True):
        module.choose(convolution.outputs, convolution.groups)


class NDSSupernet(Supernet, nn.Module):
    """The frame of NDS networks with the largest depth and widths in each stage.

    An architecture uses the first blocks of each stage, and of their weights the first rows and columns ("ordinal"
    sharing), see `slices`; grouped convolutions use the kernels of one group between the channels of the same group.
    Projections are there in the first block of a stage alone. Normalisations learn a scale and a shift, sliced too,
    as in networks that are trained alone: these are chains, where the choices are not summed up with others.
    """

    def __init__(self, space: NDS, dataset: Dataset) -> None:
        super().__init__()
        self.space = space
        stages = _largest(space)
        self.network = StageNetwork(list(chain.from_iterable(stages)), space.channels, dataset, make_block=SuperBlock)
        sliced(self.network)
        self.blocks = [block for block in self.network.blocks if isinstance(block, SuperBlock)]
        self.depth = len(stages[0])
        self.numbers: list[int] = []  # of the blocks that are run

    def activate(self, architecture: str) -> None:
        """Make an architecture the active one: its blocks are run at its widths."""
        stages = self.space.stages(architecture)
        self.numbers = [stage * self.depth + place for stage, row in enumerate(stages) for place in range(len(row))]
        for number, block in zip(self.numbers, chain.from_iterable(stages), strict=True):
            self.blocks[number].become(block)

    def active_choices(self) -> list[nn.Module]:
        """The blocks that are run."""
        return [self.blocks[number] for number in self.numbers]

    def steps(self) -> list[Step]:
        """The stem, each block, the classifier."""
        blocks = [Step((number, self.blocks[number].active), self.blocks[number]) for number in self.numbers]
        return [Step("stem", self.network.stem), *blocks, Step("classifier", self.network.classify)]


def _largest(space: NDS) -> list[list[Block]]:
    """The blocks of each stage at full depth, each as wide as any that may stand in its place."""
    _, *others = (choice.values for choice in space.choices)
    deepest = max(space.choices[0].values)
    every = [space.stages(space.render([Stage(deepest, *chosen)] * len(STRIDES))) for chosen in product(*others)]
    return [[_cover(blocks) for blocks in zip(*stages, strict=True)] for stages in zip(*every, strict=True)]


def _cover(blocks: Sequence[Block]) -> Block:
    """The block with as many channels in each convolution as any of some blocks, with a projection if any has one."""
    path = tuple(_widest(convolutions) for convolutions in zip(*(block.path for block in blocks), strict=True))
    projections = [block.projection for block in blocks if block.projection is not None]
    return Block(path, blocks[0].residual, _widest(projections) if projections else None)


def _widest(convolutions: Sequence[Convolution]) -> Convolution:
    """The convolution of one group with as many channels as any of some that are else alike."""
    one = convolutions[0]
    inputs, outputs = max(each.inputs for each in convolutions), max(each.outputs for each in convolutions)
    return Convolution(inputs, outputs, one.kernel, one.stride)
