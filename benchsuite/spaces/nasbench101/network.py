"""The networks of NAS-Bench-101: stem, stacks of equal cells with max-pooling between, classifier."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import nn
from typing_extensions import override

from benchsuite.spaces.costs import Convolution
from benchsuite.spaces.layers import conv_bn
from benchsuite.spaces.nasbench101.graphs import widths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from benchsuite.core.types import Dataset
    from benchsuite.spaces.cells import Edge

_CUT = 0.87962566103423978  # standard deviation of a standard normal distribution cut at -2 and 2


class ConvBNReLU(nn.Sequential):
    """Convolution without bias that keeps the size, batch normalisation, ReLU.

    Weights start as in the benchmark: normal with variance 1 / fan-in, cut at two standard deviations.

    Parameters
    ----------
    inputs, outputs
        Channels that go in and come out.
    kernel
        Side of the kernel.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        convolution, normalisation = conv_bn(Convolution(inputs, outputs, kernel))
        deviation = 1 / math.sqrt(inputs * kernel**2) / _CUT
        nn.init.trunc_normal_(convolution.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
        super().__init__(convolution, normalisation, nn.ReLU())


def make_operation(name: str, width: int) -> nn.Module:
    """Make the module of an operation of NAS-Bench-101.

    Parameters
    ----------
    name
        One of the space's operations.
    width
        Channels that go in and come out.

    Returns
    -------
    Module
        It keeps the shape.
    """
    makers: dict[str, Callable[[], nn.Module]] = {
        "conv3x3": lambda: ConvBNReLU(width, width, 3),
        "conv1x1": lambda: ConvBNReLU(width, width, 1),
        "maxpool3x3": lambda: nn.MaxPool2d(3, stride=1, padding=1),
    }
    return makers[name]()


class ModuleCell(nn.Module):
    """Base of cells that compute a pruned module of the benchmark.

    An inner vertex applies its operation to the sum of its edges: the input, projected to the vertex's width, and
    other vertices, cut to it. The output concatenates the vertices with an edge to it and adds the input, projected,
    if that has one too. Features (batch, inputs, height, width) become (batch, outputs, height, width).
    """

    def connect(self, edges: tuple[Edge, ...], outputs: int) -> None:
        """Compute a module from now on.

        Parameters
        ----------
        edges
            Edges of the pruned module.
        outputs
            Channels of its output.
        """
        self.widths = widths(edges, outputs)
        self.last = len(self.widths) - 1
        ends = range(self.last + 1)
        self.sources = [tuple(source for source, end in edges if end == vertex and source > 0) for vertex in ends]
        self.projected = [(0, vertex) in edges for vertex in ends]

    @abstractmethod
    def operation(self, vertex: int) -> nn.Module:
        """Return the operation of an inner vertex.

        Parameters
        ----------
        vertex
            Its number.

        Returns
        -------
        Module
            What computes it.
        """

    @abstractmethod
    def projection(self, vertex: int) -> nn.Module:
        """Return the projection of the input to the width of a vertex.

        Parameters
        ----------
        vertex
            Its number, that of the output included.

        Returns
        -------
        Module
            What computes it.
        """

    @override
    def forward(self, features: Tensor) -> Tensor:
        values = [features]
        for vertex in range(1, self.last):
            values = self.extend(values, vertex)
        return self.output(values)

    def extend(self, values: list[Tensor], vertex: int) -> list[Tensor]:
        """Compute one more inner vertex.

        Parameters
        ----------
        values
            Features of the vertices before it, the input first.
        vertex
            Its number.

        Returns
        -------
        list
            The values, and its own.
        """
        terms = [self._cut(values[source], self.widths[vertex]) for source in self.sources[vertex]]
        return [*values, self.operation(vertex)(self._with_input(terms, vertex, values[0]))]

    def output(self, values: list[Tensor]) -> Tensor:
        """Compute the module's output.

        Parameters
        ----------
        values
            Features of all vertices before the output.

        Returns
        -------
        Tensor
            Shape (batch, outputs, height, width).
        """
        feeding = [values[source] for source in self.sources[self.last]]
        return self._with_input([torch.cat(feeding, 1)] if feeding else [], self.last, values[0])

    def _with_input(self, terms: list[Tensor], vertex: int, features: Tensor) -> Tensor:
        """Return the sum of the terms and, where an edge leads there, of the module's projected input."""
        if self.projected[vertex]:
            terms = [*terms, self.projection(vertex)(features)]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total

    @staticmethod
    def _cut(value: Tensor, width: int) -> Tensor:
        return value if value.shape[1] == width else value[:, :width]


class NASBench101Cell(ModuleCell):
    """A module of the benchmark; its children are named after the vertex that they belong to.

    Parameters
    ----------
    edges
        Edges of the pruned module.
    operations
        Names of the operations of its inner vertices.
    inputs, outputs
        Channels that go in and come out.
    """

    def __init__(self, edges: tuple[Edge, ...], operations: Sequence[str], inputs: int, outputs: int) -> None:
        super().__init__()
        self.connect(edges, outputs)
        projected = [target for source, target in edges if source == 0]
        self.projections = nn.ModuleDict({str(it): ConvBNReLU(inputs, self.widths[it], 1) for it in projected})
        self.operations = nn.ModuleList(
            make_operation(name, self.widths[vertex]) for vertex, name in enumerate(operations, start=1)
        )

    @override
    def operation(self, vertex: int) -> nn.Module:
        return self.operations[vertex - 1]

    @override
    def projection(self, vertex: int) -> nn.Module:
        return self.projections[str(vertex)]


class NASBench101Network(nn.Module):
    """Stem, stacks of cells with max-pooling between, global average, classifier.

    Differs from the benchmark's in one point: batch normalisation has torch's momentum of 0.1 instead of 0.003
    (TensorFlow's decay of 0.997), so that its statistics also follow trainings of a hundred steps. The network takes
    images (batch, channels, height, width) to logits (batch, classes).

    Parameters
    ----------
    make_cell
        Makes a cell from the channels of its input and output.
    layout
        For each stack the input and output channels of its cells.
    dataset
        Images and classes.
    """

    def __init__(
        self, make_cell: Callable[[int, int], ModuleCell], layout: Sequence[Sequence[tuple[int, int]]], dataset: Dataset
    ) -> None:
        super().__init__()
        self.stem = ConvBNReLU(dataset.channels, layout[0][0][0], 3)
        layers: list[nn.Module] = []
        for stack in layout:
            if layers:
                layers.append(nn.MaxPool2d(2, ceil_mode=True))
            layers.extend(make_cell(inputs, outputs) for inputs, outputs in stack)
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Linear(layout[-1][-1][1], dataset.classes)
        nn.init.xavier_uniform_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def feature_blocks(self) -> list[nn.Module]:
        """Return the stem and each cell, in the order of the forward pass."""
        return [self.stem, *(layer for layer in self.layers if isinstance(layer, ModuleCell))]

    @override
    def forward(self, images: Tensor) -> Tensor:
        return self.classify(self.layers(self.stem(images)))

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
