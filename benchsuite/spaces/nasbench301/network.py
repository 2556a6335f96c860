"""The networks of the DARTS space: stem, cells that read the two cells before them, classifier."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import torch
from torch import nn
from typing_extensions import override

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
from benchsuite.spaces.nasbench301.cells import NODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nasbench301.cells import CellPart
    from benchsuite.spaces.nasbench301.layout import CellShape, NetworkPlan


def make_operation(name: str, channels: int, stride: int) -> nn.Module | None:
    """Make the module of an operation of the DARTS space.

    Parameters
    ----------
    name
        One of the space's operations, or "none".
    channels
        Channels that go in and come out.
    stride
        By what height and width are divided.

    Returns
    -------
    Module or None
        None for the identity, which needs no module.
    """
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


class NASBench301Cell(SummingCell):
    """Inputs brought to one size and width, nodes that sum their edges, all nodes concatenated.

    Takes the outputs of the cell before the last and of the last one to features (batch, 4 * width, height, width). A
    node without edges is zeros.

    Parameters
    ----------
    shape
        Channels and sides.
    part
        What is built.
    """

    def __init__(self, shape: CellShape, part: CellPart) -> None:
        super().__init__()
        self.inputs = part.inputs
        for number in part.inputs:
            shrinks = number == 0 and shape.after_reduction
            module = FactorizedReduction if shrinks else _pointwise
            self.add_module(f"input_{number}", module(shape.inputs[number], shape.width))
        for source, target, operation in part.edges:
            self.connect(source, target, make_operation(operation, shape.width, shape.stride(source)))

    @override
    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        states = (older, newer)
        nodes = self.sums({number: self._modules[f"input_{number}"](states[number]) for number in self.inputs})  # type: ignore[misc]  # children are typed as optional modules
        some = nodes[self.edges[-1][1]]
        return torch.cat([nodes[node] if node in nodes else some * 0 for node in range(2, 2 + NODES)], dim=1)


def _pointwise(inputs: int, outputs: int) -> ReLUConvBN:
    return ReLUConvBN(inputs, outputs, 1)


class NASBench301Network(nn.Module):
    """Stem, cells, global average, classifier: takes images (batch, channels, height, width) to logits.

    Parameters
    ----------
    cells
        Shapes and parts of the cells.
    dataset
        Images and classes.
    heads
        Number of auxiliary classifiers, 0 or 1.
    make_cell
        Makes a cell.
    """

    def __init__(
        self,
        cells: NetworkPlan,
        dataset: Dataset,
        *,
        heads: int = 0,
        make_cell: Callable[[CellShape, CellPart], nn.Module] = NASBench301Cell,
    ) -> None:
        super().__init__()
        stem, features = cells[0][0].inputs[0], NODES * cells[-1][0].width
        self.stem = convolution_row([Convolution(dataset.channels, stem, 3)])
        built = {str(number): make_cell(shape, part) for number, (shape, part) in enumerate(cells) if part is not None}
        self.cells = nn.ModuleDict(built)
        self.classifier = nn.Linear(features, dataset.classes)
        self._names = [str(number) for number in range(len(cells))]
        self._branch = max(number for number, (shape, _) in enumerate(cells) if shape.reduction)
        if heads:
            self.auxiliary = auxiliary_head(NODES * cells[self._branch][0].width, dataset.classes)

    def feature_blocks(self) -> list[nn.Module]:
        """Return the stem and each cell, in the order of the forward pass."""
        return [self.stem, *self.cells.values()]

    @override
    def forward(self, images: Tensor) -> Tensor:
        return self.classify(deque(self._outputs(images), maxlen=1).pop())  # the others are let go at once

    def classify(self, features: Tensor) -> Tensor:
        """Compute logits from the features of the last cell.

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

    def both_logits(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the logits of the classifier and of the auxiliary one, whose loss counts 0.4 in training.

        Parameters
        ----------
        images
            Shape (batch, channels, height, width).

        Returns
        -------
        tuple
            Both of shape (batch, classes).
        """
        outputs = list(self._outputs(images))
        return self.classify(outputs[-1]), self.auxiliary(outputs[self._branch])

    def _outputs(self, images: Tensor) -> Iterator[Tensor]:
        """Return the output of each cell, and its input where a cell that nothing reads was not built."""
        older = newer = self.stem(images)
        for name in self._names:
            output = self.cells[name](older, newer) if name in self.cells else newer
            yield output
            older, newer = newer, output


def auxiliary_head(features: int, classes: int) -> nn.Sequential:
    """Make the auxiliary classifier of DARTS for features of side 8 to 10.

    Parameters
    ----------
    features
        Channels that go in.
    classes
        Number of logits.

    Returns
    -------
    Sequential
        Takes features (batch, features, side, side) to logits (batch, classes).
    """
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
