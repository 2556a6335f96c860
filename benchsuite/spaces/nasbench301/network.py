"""The networks of the DARTS space: stem, cells that read the two cells before them, classifier."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import torch
from torch import nn

from benchsuite.spaces.costs import Convolution
from benchsuite.spaces.layers import (
    FactorizedReduction,
    ReLUConvBN,
    SameAveragePool,
    SeparableConvBN,
    SummingCell,
    Zero,
    convolution_row,
)
from benchsuite.spaces.nasbench301.layout import NODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nasbench301.layout import Part, Place, Plan


def make_operation(name: str, channels: int, stride: int) -> nn.Module | None:
    """The module of an operation of the DARTS space; the identity needs none."""
    makers: dict[str, Callable[[], nn.Module | None]] = {
        "none": lambda: Zero(stride),
        "max_pool_3x3": lambda: nn.MaxPool2d(3, stride, padding=1),
        "avg_pool_3x3": lambda: SameAveragePool(stride),
        "skip_connect": lambda: None if stride == 1 else FactorizedReduction(channels, channels),
        "sep_conv_3x3": lambda: _twice(channels, 3, stride),
        "sep_conv_5x5": lambda: _twice(channels, 5, stride),
        "dil_conv_3x3": lambda: SeparableConvBN(channels, 3, stride, dilation=2),
        "dil_conv_5x5": lambda: SeparableConvBN(channels, 5, stride, dilation=2),
    }
    return makers[name]()


def _twice(channels: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(SeparableConvBN(channels, kernel, stride), SeparableConvBN(channels, kernel))


class Cell(SummingCell):
    """Inputs brought to one size and width, nodes that sum what their edges bring, all nodes side by side.

    A node without edges is zeros.
    """

    def __init__(self, place: Place, part: Part) -> None:
        super().__init__()
        self.inputs = part.inputs
        for number in part.inputs:
            shrinks = number == 0 and place.after_reduction
            module = FactorizedReduction if shrinks else _pointwise
            self.add_module(f"input_{number}", module(place.inputs[number], place.width))
        for source, target, operation in part.edges:
            self.connect(source, target, make_operation(operation, place.width, place.stride(source)))

    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        """The nodes of the cell side by side, shape (batch, 4 * width, height, width)."""
        states = (older, newer)
        nodes = self.sums({number: self._modules[f"input_{number}"](states[number]) for number in self.inputs})  # type: ignore[misc]  # children are typed as optional modules
        some = nodes[self.edges[-1][1]]
        return torch.cat([nodes[node] if node in nodes else some * 0 for node in range(2, 2 + NODES)], dim=1)


def _pointwise(inputs: int, outputs: int) -> ReLUConvBN:
    return ReLUConvBN(inputs, outputs, 1)


class CellNetwork(nn.Module):
    """Stem, cells, global average, classifier; `heads` is the number of auxiliary classifiers, 0 or 1."""

    def __init__(
        self,
        cells: Plan,
        dataset: Dataset,
        *,
        heads: int = 0,
        make_cell: Callable[[Place, Part], nn.Module] = Cell,
    ) -> None:
        super().__init__()
        stem, features = cells[0][0].inputs[0], NODES * cells[-1][0].width
        self.stem = convolution_row([Convolution(dataset.channels, stem, 3)])
        built = {str(number): make_cell(place, part) for number, (place, part) in enumerate(cells) if part is not None}
        self.cells = nn.ModuleDict(built)
        self.classifier = nn.Linear(features, dataset.classes)
        self._names = [str(number) for number in range(len(cells))]
        self._branch = max(number for number, (place, _) in enumerate(cells) if place.reduction)
        if heads:
            self.auxiliary = auxiliary_head(NODES * cells[self._branch][0].width, dataset.classes)

    def feature_blocks(self) -> list[nn.Module]:
        """The stem and each cell, in the order of the forward pass."""
        return [self.stem, *self.cells.values()]

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, classes), of images of shape (batch, channels, height, width)."""
        return self.classify(deque(self._outputs(images), maxlen=1).pop())  # the others are let go at once

    def classify(self, features: Tensor) -> Tensor:
        """Logits, shape (batch, classes), of the last cell's features."""
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits

    def both_logits(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the classifier and of the auxiliary one, in a network that has it: the loss adds 0.4 of its own."""
        outputs = list(self._outputs(images))
        return self.classify(outputs[-1]), self.auxiliary(outputs[self._branch])

    def _outputs(self, images: Tensor) -> Iterator[Tensor]:
        """What each cell gives; a cell that nothing reads is not there, and its place gives its input."""
        older = newer = self.stem(images)
        for name in self._names:
            output = self.cells[name](older, newer) if name in self.cells else newer
            yield output
            older, newer = newer, output


def auxiliary_head(features: int, classes: int) -> nn.Sequential:
    """The auxiliary classifier of DARTS for features of side 8 to 10."""
    return nn.Sequential(
        nn.ReLU(),
        nn.AvgPool2d(5, stride=3),
        nn.Conv2d(features, 128, 1, bias=False),
        nn.BatchNorm2d(128),
        nn.ReLU(),
        nn.Conv2d(128, 768, 2, bias=False),
        nn.BatchNorm2d(768),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(768, classes),
    )
