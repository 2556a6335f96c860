"""Supernets of the NDS design spaces: stages of full depth and width, of which architectures use the first part."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from torch import nn
from typing_extensions import override

from benchsuite.core.supernet import Step, Supernet
from benchsuite.spaces.costs import Convolution
from benchsuite.spaces.nds.blocks import BlockConvolutions
from benchsuite.spaces.nds.network import NDSNetwork, StageBlock
from benchsuite.spaces.slices import SlicedConvolution, sliced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import Tensor

    from benchsuite.core.types import Dataset

    Stages = Sequence[Sequence[BlockConvolutions]]  # the blocks of each stage


class SuperBlock(StageBlock):
    """A block that can be any narrower one, of any groups.

    Parameters
    ----------
    block
        The convolutions of the widest one.
    """

    def __init__(self, block: BlockConvolutions) -> None:
        super().__init__(block)
        self.active = block

    def become(self, block: BlockConvolutions) -> None:
        """Use only the first channels.

        Parameters
        ----------
        block
            Its convolutions have so many channels.
        """
        self.active = block
        _choose(self.path, block.path)
        if block.projection is not None:
            _choose(self.projection, [block.projection])

    @override
    def shortcut(self, features: Tensor) -> Tensor:
        return features if self.active.projection is None else super().shortcut(features)


def _choose(row: nn.Sequential, convolutions: Sequence[Convolution]) -> None:
    modules = (module for module in row if isinstance(module, SlicedConvolution))
    for module, convolution in zip(modules, convolutions, strict=True):
        module.choose(convolution.outputs, convolution.groups)


class NDSSupernet(Supernet, nn.Module):
    """The frame of NDS networks with the largest depth and widths in each stage.

    An architecture uses the first blocks of each stage, and of their weights the first rows and columns ("ordinal"
    sharing), see `slices`; grouped convolutions use the kernels of one group between the channels of the same group.
    Only the first block of a stage has a projection. Normalisations learn a scale and a shift, sliced too,
    as in the networks of single architectures: these are chains, whose choices are not summed up with others.

    Parameters
    ----------
    stages
        Gives the blocks of each stage of an architecture.
    deepest
        The blocks of architectures of full depth, of all combinations of other values.
    channels
        Channels after the stem.
    dataset
        Images and classes.
    """

    def __init__(
        self, stages: Callable[[str], Stages], deepest: Iterable[Stages], channels: int, dataset: Dataset
    ) -> None:
        super().__init__()
        self.stages = stages
        largest = [[_cover(blocks) for blocks in zip(*rows, strict=True)] for rows in zip(*deepest, strict=True)]
        self.network = NDSNetwork(list(chain.from_iterable(largest)), channels, dataset, make_block=SuperBlock)
        sliced(self.network)
        self.blocks = [block for block in self.network.blocks if isinstance(block, SuperBlock)]
        self.depth = len(largest[0])
        self.numbers: list[int] = []  # of the blocks that are run

    @override
    def activate(self, architecture: str) -> None:
        stages = self.stages(architecture)
        self.numbers = [stage * self.depth + number for stage, row in enumerate(stages) for number in range(len(row))]
        for number, block in zip(self.numbers, chain.from_iterable(stages), strict=True):
            self.blocks[number].become(block)

    @override
    def active_choices(self) -> list[nn.Module]:
        """Return the blocks that are run."""
        return [self.blocks[number] for number in self.numbers]

    @override
    def steps(self) -> list[Step]:
        """Return the stem, each block, and the classifier."""
        blocks = [Step((number, self.blocks[number].active), self.blocks[number]) for number in self.numbers]
        return [Step("stem", self.network.stem), *blocks, Step("classifier", self.network.classify)]


def _cover(blocks: Sequence[BlockConvolutions]) -> BlockConvolutions:
    """Return the block as wide in each convolution as the widest of some, with a projection if any has one."""
    path = tuple(_widest(convolutions) for convolutions in zip(*(block.path for block in blocks), strict=True))
    projections = [block.projection for block in blocks if block.projection is not None]
    return BlockConvolutions(path, blocks[0].residual, _widest(projections) if projections else None)


def _widest(convolutions: Sequence[Convolution]) -> Convolution:
    """Return the convolution of one group with as many channels as any of some of equal kernel and stride."""
    one = convolutions[0]
    inputs, outputs = max(each.inputs for each in convolutions), max(each.outputs for each in convolutions)
    return Convolution(inputs, outputs, one.kernel, one.stride)
