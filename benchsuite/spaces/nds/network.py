"""The networks of the NDS design spaces: stem, blocks one after the other, global average, classifier."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import nn
from typing_extensions import override

from benchsuite.spaces.costs import Convolution
from benchsuite.spaces.layers import conv_bn, convolution_row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nds.blocks import BlockConvolutions


class StageBlock(nn.Module):
    """Convolutions with ReLUs between, plus the shortcut, and a ReLU after the sum.

    Features (batch, inputs, height, width) become (batch, outputs, height / stride, width / stride).

    Parameters
    ----------
    block
        Its convolutions.
    """

    def __init__(self, block: BlockConvolutions) -> None:
        super().__init__()
        self.path = convolution_row(block.path)
        self.residual = block.residual
        if block.projection is not None:
            self.projection = convolution_row([block.projection])
        elif block.residual:
            self.projection = nn.Sequential()  # the identity
        self.activation = nn.ReLU()

    @override
    def forward(self, features: Tensor) -> Tensor:
        total: Tensor = self.path(features)
        if self.residual:
            total = total + self.shortcut(features)
        activated: Tensor = self.activation(total)
        return activated

    def shortcut(self, features: Tensor) -> Tensor:
        """Compute what a residual block adds to the result of its path.

        Parameters
        ----------
        features
            What goes into the block.

        Returns
        -------
        Tensor
            Shape (batch, outputs, height / stride, width / stride).
        """
        projected: Tensor = self.projection(features)
        return projected


class NDSNetwork(nn.Module):
    """Stem of a 3x3 convolution, blocks, global average, linear classifier.

    It takes images (batch, channels, height, width) to logits (batch, classes).

    Parameters
    ----------
    blocks
        Convolutions of all blocks.
    channels
        Channels after the stem.
    dataset
        Images and classes.
    make_block
        Makes a block.
    """

    def __init__(
        self,
        blocks: Sequence[BlockConvolutions],
        channels: int,
        dataset: Dataset,
        *,
        make_block: Callable[[BlockConvolutions], nn.Module] = StageBlock,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv_bn(Convolution(dataset.channels, channels, 3)), nn.ReLU())
        self.blocks = nn.Sequential(*(make_block(block) for block in blocks))
        self.classifier = nn.Linear(blocks[-1].path[-1].outputs, dataset.classes)
        for module in self.modules():
            initialise(module)

    def feature_blocks(self) -> list[nn.Module]:
        """Return the stem and each block, in the order of the forward pass."""
        return [self.stem, *self.blocks]

    @override
    def forward(self, images: Tensor) -> Tensor:
        return self.classify(self.blocks(self.stem(images)))

    def classify(self, features: Tensor) -> Tensor:
        """Compute logits from the features of the last block.

        Parameters
        ----------
        features
            Shape (batch, channels, height, width).

        Returns
        -------
        Tensor
            Logits, shape (batch, classes).
        """
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits


def initialise(module: nn.Module) -> None:
    """Initialise a module as pycls does (`init_weights`): normal weights, by the fan out in convolutions; biases 0.

    The fan out ignores groups. Batch normalisation keeps its scale of 1, also at the end of a residual path.

    Parameters
    ----------
    module
        Nothing happens unless it is a convolution or a linear layer.
    """
    if isinstance(module, nn.Conv2d):
        fan_out = math.prod(module.kernel_size) * module.out_channels
        nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)
