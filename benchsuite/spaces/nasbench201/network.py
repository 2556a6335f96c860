"""The networks of NAS-Bench-201: stem, three stages of equal cells with residual reductions between, classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from typing_extensions import override

from benchsuite.spaces.costs import Convolution
from benchsuite.spaces.layers import (
    ReLUConvBN,
    ResidualReduction,
    SameAveragePool,
    SummingCell,
    Zero,
    convolution_row,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from benchsuite.core.types import Dataset
    from benchsuite.spaces.cells import Edge


def make_operation(name: str, channels: int) -> nn.Module | None:
    """Make the module of an operation of NAS-Bench-201.

    Parameters
    ----------
    name
        One of the space's operations.
    channels
        Channels that go in and come out.

    Returns
    -------
    Module or None
        None for the identity, which needs no module.
    """
    makers: dict[str, Callable[[], nn.Module | None]] = {
        "none": Zero,
        "skip_connect": lambda: None,
        "nor_conv_1x1": lambda: ReLUConvBN(channels, channels, 1),
        "nor_conv_3x3": lambda: ReLUConvBN(channels, channels, 3),
        "avg_pool_3x3": SameAveragePool,
    }
    return makers[name]()


class NASBench201Cell(SummingCell):
    """A graph whose nodes sum their edges; its output, the last node, has the shape of its input.

    A cell without edges outputs zeros.

    Parameters
    ----------
    edges
        Edges and their operations, each after all that lead to its source.
    channels
        Channels of every node.
    """

    def __init__(self, edges: Sequence[tuple[Edge, str]], channels: int) -> None:
        super().__init__()
        for (source, target), operation in edges:
            self.connect(source, target, make_operation(operation, channels))

    @override
    def forward(self, features: Tensor) -> Tensor:
        if not self.edges:
            return features * 0
        return self.sums({0: features})[self.edges[-1][1]]


def narrow_cell(edges: Sequence[tuple[Edge, str]]) -> nn.Module:
    """Make one cell of one channel, batch normalisation and ReLU, without a stem.

    Parameters
    ----------
    edges
        Edges and their operations, each after all that lead to its source.

    Returns
    -------
    Module
        Takes images of one channel and any size to features of the same shape.
    """
    return nn.Sequential(NASBench201Cell(edges, 1), nn.BatchNorm2d(1), nn.ReLU())


class NASBench201Network(nn.Module):
    """Stem, three stages of cells at C, 2C and 4C channels, batch normalisation, ReLU, global average, classifier.

    It takes images (batch, channels, height, width) to logits (batch, classes).

    Parameters
    ----------
    make_cell
        Makes a cell of some channels.
    channels
        C.
    cells
        Cells in each stage.
    dataset
        Images and classes.
    """

    def __init__(self, make_cell: Callable[[int], nn.Module], channels: int, cells: int, dataset: Dataset) -> None:
        super().__init__()
        self.stem = convolution_row([Convolution(dataset.channels, channels, 3)])
        layers: list[nn.Module] = [make_cell(channels) for _ in range(cells)]
        for width in (2 * channels, 4 * channels):
            layers.append(ResidualReduction(width // 2, width))
            layers.extend(make_cell(width) for _ in range(cells))
        self.layers = nn.Sequential(*layers)
        self.last = nn.Sequential(nn.BatchNorm2d(4 * channels), nn.ReLU())
        self.classifier = nn.Linear(4 * channels, dataset.classes)

    def feature_blocks(self) -> list[nn.Module]:
        """Return the stem and each cell or reduction, in the order of the forward pass."""
        return [self.stem, *self.layers]

    @override
    def forward(self, images: Tensor) -> Tensor:
        return self.classify(self.layers(self.stem(images)))

    def classify(self, features: Tensor) -> Tensor:
        """Compute logits from the features of the last cell.

        Parameters
        ----------
        features
            Shape (batch, 4C, height / 4, width / 4).

        Returns
        -------
        Tensor
            Logits, shape (batch, classes).
        """
        logits: Tensor = self.classifier(self.last(features).mean((2, 3)))
        return logits
