"""Networks that are chains of blocks, and their supernets, where every layer has all blocks and runs one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from benchsuite.core.supernet import Step, Supernet
from benchsuite.spaces.supernet import checked_substitutes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.space import Space
    from benchsuite.core.supernet import Substitute
    from benchsuite.spaces.costs import Layer

    Make = Callable[[str, Layer], nn.Module | None]  # operation, layer -> its module, None for the identity


class InvertedResidual(nn.Module):
    """Block of MobileNetV2: wide 1x1, depthwise and narrow 1x1 convolution; its input is added if it is residual."""

    def __init__(self, convolutions: nn.Module, *, residual: bool) -> None:
        super().__init__()
        self.convolutions = convolutions
        self.residual = residual

    def forward(self, features: Tensor) -> Tensor:
        """Features of the layer's output channels, their size divided by its stride."""
        result: Tensor = self.convolutions(features)
        return features + result if self.residual else result


class ChainNetwork(nn.Module):
    """Stem, layers one after the other, the last convolution, global average, classifier."""

    def __init__(self, stem: nn.Module, layers: Iterable[nn.Module], last: nn.Module, classifier: nn.Linear) -> None:
        super().__init__()
        self.stem = stem
        self.layers = nn.Sequential(*layers)
        self.last = last
        self.classifier = classifier

    def feature_blocks(self) -> list[nn.Module]:
        """The stem and each block that computes something, in the order of the forward pass."""
        return [self.stem, *self.layers]

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, classes), of images of shape (batch, channels, height, width)."""
        return self.classify(self.layers(self.stem(images)))

    def classify(self, features: Tensor) -> Tensor:
        """Logits, shape (batch, classes), of the last layer's features."""
        logits: Tensor = self.classifier(self.last(features).mean((2, 3)))
        return logits


def chain(operations: Iterable[str], layers: Iterable[Layer], make: Make) -> list[nn.Module]:
    """The blocks that compute something, so that equal architectures give equal networks."""
    blocks = [make(name, layer) for name, layer in zip(operations, layers, strict=True)]
    return [block for block in blocks if block is not None]


class Choice(nn.ModuleDict):
    """A layer: modules by operation, of which the chosen one is run."""

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        super().__init__(modules)
        self.chosen = next(iter(modules))

    def forward(self, features: Tensor) -> Tensor:
        """What the chosen module gives."""
        result: Tensor = self[self.chosen](features)
        return result


class ChainSupernet(Supernet, nn.Module):
    """A chain whose layers are choices; `operations` gives the operation of each for an architecture string."""

    def __init__(self, network: ChainNetwork, operations: Callable[[str], Sequence[str]]) -> None:
        super().__init__()
        self.network = network
        self.choices = [layer for layer in network.layers if isinstance(layer, Choice)]
        self._operations = operations

    def activate(self, architecture: str) -> None:
        """Make an architecture the active one; nothing is copied. InvalidArchitectureError for a foreign string."""
        for choice, operation in zip(self.choices, self._operations(architecture), strict=True):
            choice.chosen = operation

    def active_choices(self) -> list[nn.Module]:
        """The module of each layer that is run."""
        return [choice[choice.chosen] for choice in self.choices]

    def alternatives(self) -> dict[str, dict[str, nn.Module]]:
        """The modules to choose from, by operation, in each layer, by its name."""
        return {f"layers.{number}": dict(choice.items()) for number, choice in enumerate(self.choices)}

    def steps(self) -> list[Step]:
        """The stem, each layer, all that follows."""
        layers = [Step(choice.chosen, choice[choice.chosen]) for choice in self.choices]
        return [Step("stem", self.network.stem), *layers, Step("rest", self.network.classify)]


def choices(
    space: Space, layers: Iterable[Layer], make: Make, substitute: Mapping[str, Substitute] | None
) -> list[Choice]:
    """All blocks of each layer, those with a substitute replaced in layers that keep the shape."""
    allowed = space.operation_choices()
    known = checked_substitutes(substitute, sorted({name for names in allowed for name in names}))

    def module(name: str, layer: Layer) -> nn.Module:
        replaced = name in known and layer.keeps_shape
        made = known[name](layer.outputs) if replaced else make(name, layer)
        return nn.Identity() if made is None else made

    return [Choice({name: module(name, layer) for name in names}) for names, layer in zip(allowed, layers, strict=True)]
