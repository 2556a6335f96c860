"""The networks of the NDS design spaces: stem, blocks one after the other, global average, classifier."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import nn

from benchsuite.spaces.costs import Convolution
from benchsuite.spaces.layers import conv_bn, convolution_row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nds.space import Block


class StageBlock(nn.Module):
    """Convolutions with ReLUs between, what the shortcut brings, and a ReLU after the sum."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.path = convolution_row(block.path)
        self.residual = block.residual
        if block.projection is not None:
            self.projection = convolution_row([block.projection])
        elif block.residual:
            self.projection = nn.Sequential()  # the identity
        self.activation = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """Features, shape (batch, outputs, height / stride, width / stride)."""
        total: Tensor = self.path(features)
        if self.residual:
            total = total + self.shortcut(features)
        activated: Tensor = self.activation(total)
        return activated

    def shortcut(self, features: Tensor) -> Tensor:
        """What a residual block adds to the result of its path."""
        projected: Tensor = self.projection(features)
        return projected


class StageNetwork(nn.Module):
    """Stem of a 3x3 convolution, blocks, global average, linear classifier."""

    def __init__(
        self,
        blocks: Sequence[Block],
        channels: int,
        dataset: Dataset,
        *,
        make_block: Callable[[Block], nn.Module] = StageBlock,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv_bn(Convolution(dataset.channels, channels, 3)), nn.ReLU())
        self.blocks = nn.Sequential(*(make_block(block) for block in blocks))
        self.classifier = nn.Linear(blocks[-1].path[-1].outputs, dataset.classes)
        for module in self.modules():
            initialise(module)

    def feature_blocks(self) -> list[nn.Module]:
        """The stem and each block, in the order of the forward pass."""
        return [self.stem, *self.blocks]

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, classes), of images of shape (batch, channels, height, width)."""
        return self.classify(self.blocks(self.stem(images)))

    def classify(self, features: Tensor) -> Tensor:
        """Logits, shape (batch, classes), of the last block's features."""
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits


def initialise(module: nn.Module) -> None:
    """Initialise as pycls does (`init_weights`): normal weights, by the fan out in convolutions; biases 0.

    The fan out does not know of groups. Batch normalisation keeps its scale of 1, also at the end of a residual path.
    """
    if isinstance(module, nn.Conv2d):
        fan_out = math.prod(module.kernel_size) * module.out_channels
        nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)
