"""Networks that are chains of blocks, and their supernets, where every layer has all blocks and runs one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from typing_extensions import override

from benchsuite.core.supernet import Step, Supernet
from benchsuite.spaces.supernet import checked_substitutes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.supernet import Substitute
    from benchsuite.spaces.costs import Layer

    Make = Callable[[str, Layer], nn.Module | None]  # operation, layer -> its module, None for the identity


class InvertedResidual(nn.Module):
    """Block of MobileNetV2: wide 1x1, depthwise and narrow 1x1 convolution; its input is added if it is residual.

    Features (batch, inputs, height, width) become (batch, outputs, height / stride, width / stride).

    Parameters
    ----------
    convolutions
        The path.
    residual
        Whether the input is added.
    """

    def __init__(self, convolutions: nn.Module, *, residual: bool) -> None:
        super().__init__()
        self.convolutions = convolutions
        self.residual = residual

    @override
    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.convolutions(features)
        return features + result if self.residual else result


class ChainNetwork(nn.Module):
    """Stem, layers one after the other, the last convolution, global average, classifier.

    It takes images (batch, channels, height, width) to logits (batch, classes).

    Parameters
    ----------
    stem, layers, last, classifier
        The modules.
    """

    def __init__(self, stem: nn.Module, layers: Iterable[nn.Module], last: nn.Module, classifier: nn.Linear) -> None:
        super().__init__()
        self.stem = stem
        self.layers = nn.Sequential(*layers)
        self.last = last
        self.classifier = classifier

    def feature_blocks(self) -> list[nn.Module]:
        """Return the stem and each block that computes something, in the order of the forward pass."""
        return [self.stem, *self.layers]

    @override
    def forward(self, images: Tensor) -> Tensor:
        return self.classify(self.layers(self.stem(images)))

    def classify(self, features: Tensor) -> Tensor:
        """Compute logits from the features of the last layer.

        Parameters
        ----------
        features
            Shape (batch, channels, height, width).

        Returns
        -------
        Tensor
            Logits, shape (batch, classes).
        """
        logits: Tensor = self.classifier(self.last(features).mean((2, 3)))
        return logits


def chain(operations: Iterable[str], layers: Iterable[Layer], make: Make) -> list[nn.Module]:
    """Make the blocks that compute something, so that equal architectures give equal networks.

    Parameters
    ----------
    operations
        One for each layer.
    layers
        Their shapes.
    make
        Makes the module of an operation.

    Returns
    -------
    list
        The modules; none for an identity.
    """
    blocks = [make(name, layer) for name, layer in zip(operations, layers, strict=True)]
    return [block for block in blocks if block is not None]


class LayerChoice(nn.ModuleDict):
    """A layer: modules by operation, of which the chosen one is run.

    Parameters
    ----------
    modules
        By operation; the first one is chosen until `chosen` is set.
    """

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        super().__init__(modules)
        self.chosen = next(iter(modules))

    @override
    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self[self.chosen](features)
        return result


class ChainSupernet(Supernet, nn.Module):
    """A chain whose layers are choices.

    Parameters
    ----------
    network
        Its layers are `LayerChoice`s.
    operations
        Gives the operation of each layer of an architecture.
    """

    def __init__(self, network: ChainNetwork, operations: Callable[[str], Sequence[str]]) -> None:
        super().__init__()
        self.network = network
        self.choices = [layer for layer in network.layers if isinstance(layer, LayerChoice)]
        self._operations = operations

    @override
    def activate(self, architecture: str) -> None:
        for choice, operation in zip(self.choices, self._operations(architecture), strict=True):
            choice.chosen = operation

    @override
    def active_choices(self) -> list[nn.Module]:
        return [choice[choice.chosen] for choice in self.choices]

    @override
    def alternatives(self) -> dict[str, dict[str, nn.Module]]:
        return {f"layers.{number}": dict(choice.items()) for number, choice in enumerate(self.choices)}

    @override
    def steps(self) -> list[Step]:
        """Return the stem, each layer, and all that follows."""
        layers = [Step(choice.chosen, choice[choice.chosen]) for choice in self.choices]
        return [Step("stem", self.network.stem), *layers, Step("rest", self.network.classify)]


def choices(
    allowed: Sequence[Sequence[str]], layers: Iterable[Layer], make: Make, substitute: Mapping[str, Substitute] | None
) -> list[LayerChoice]:
    """Make all blocks of each layer.

    Parameters
    ----------
    allowed
        The operations of each layer.
    layers
        Their shapes.
    make
        Makes the module of an operation.
    substitute
        Makes other modules for some operations, in layers that keep the shape.

    Returns
    -------
    list
        One choice for each layer.
    """
    known = checked_substitutes(substitute, sorted({name for names in allowed for name in names}))

    def module(name: str, layer: Layer) -> nn.Module:
        replaced = name in known and layer.keeps_shape
        made = known[name](layer.outputs) if replaced else make(name, layer)
        return nn.Identity() if made is None else made

    return [
        LayerChoice({name: module(name, layer) for name in names}) for names, layer in zip(allowed, layers, strict=True)
    ]
