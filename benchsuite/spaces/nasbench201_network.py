"""The networks of NAS-Bench-201: stem, three stages of equal cells with residual reductions between, classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from benchsuite.spaces.layers import ReLUConvBN, ResidualReduction, Zero, same_average_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from benchsuite.core import Dataset
    from benchsuite.spaces.cells import Edge


def make_operation(name: str, channels: int) -> nn.Module:
    """The module of an operation of NAS-Bench-201."""
    makers: dict[str, Callable[[], nn.Module]] = {
        "none": Zero,
        "skip_connect": nn.Identity,
        "nor_conv_1x1": lambda: ReLUConvBN(channels, channels, 1),
        "nor_conv_3x3": lambda: ReLUConvBN(channels, channels, 3),
        "avg_pool_3x3": same_average_pool,
    }
    return makers[name]()


class Cell(nn.Module):
    """A graph whose nodes sum what its edges bring; child modules are named after their edge.

    A cell without edges outputs zeros.
    """

    def __init__(self, edges: Sequence[tuple[Edge, str]], channels: int) -> None:
        super().__init__()
        self.plan: list[tuple[int, int, str | None]] = []
        for (source, target), operation in edges:
            free = operation == "skip_connect"
            self.plan.append((source, target, None if free else f"edge_{target}_{source}"))
            if not free:
                self.add_module(f"edge_{target}_{source}", make_operation(operation, channels))

    def forward(self, features: Tensor) -> Tensor:
        """Sum at the output node, shape of the input."""
        if not self.plan:
            return features * 0
        nodes = {0: features}
        children = self._modules
        for source, target, name in self.plan:
            value = nodes[source]
            if name is not None:
                value = children[name](value)  # type: ignore[misc]  # children are typed as optional modules
            nodes[target] = nodes[target] + value if target in nodes else value
        return nodes[self.plan[-1][1]]


class CellNetwork(nn.Module):
    """Stem, three stages of cells at C, 2C and 4C channels, batch normalisation, ReLU, global average, classifier."""

    def __init__(self, make_cell: Callable[[int], nn.Module], channels: int, cells: int, dataset: Dataset) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(dataset.channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )
        layers: list[nn.Module] = [make_cell(channels) for _ in range(cells)]
        for width in (2 * channels, 4 * channels):
            layers.append(ResidualReduction(width // 2, width))
            layers.extend(make_cell(width) for _ in range(cells))
        self.layers = nn.Sequential(*layers)
        self.last = nn.Sequential(nn.BatchNorm2d(4 * channels), nn.ReLU())
        self.classifier = nn.Linear(4 * channels, dataset.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, classes), of images of shape (batch, channels, height, width)."""
        features: Tensor = self.last(self.layers(self.stem(images)))
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits
