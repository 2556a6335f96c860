"""What the probe fastens to a network for one pass: recorders of ReLU codes and layer outputs, bypasses."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.batchnorm import _BatchNorm

from benchsuite.core.errors import UnsupportedError
from benchsuite.estimators.torchtools.preserve import seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Activation:
    """One call of a convolution or linear layer: the layer's weight, its output and the loss's gradient to it.

    `output` and `gradient` have channels as their second dimension.
    """

    weight: Tensor
    output: Tensor
    gradient: Tensor

    @classmethod
    def of(cls, layer: nn.Module, output: Tensor, gradient: Tensor) -> Self:
        """The call of a layer; Linear layers have their channels last and are turned."""
        if isinstance(layer, nn.Linear):
            output, gradient = output.movedim(-1, 1), gradient.movedim(-1, 1)
        weight: Tensor = layer.get_parameter("weight").detach()
        return cls(weight, output, gradient)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Notes, while attached, the codes of ReLU modules or the outputs of convolution and linear layers.

    Codes are read before the ReLU, which may work in place. Where it, or what else follows a layer, does, layers must
    hand a copy of their output on.
    """

    records_codes: bool
    records_outputs: bool
    copies_outputs: bool
    codes: list[Tensor] = field(default_factory=list)
    outputs: list[tuple[nn.Module, Tensor]] = field(default_factory=list)
    _versions: list[int] = field(default_factory=list)

    @property
    def overwritten(self) -> bool:
        """Whether something in place came after a layer: outputs are no longer what the layers gave."""
        now = [output._version for _, output in self.outputs]  # noqa: SLF001 - torch's only count of changes
        return now != self._versions

    @contextmanager
    def attached(self, network: nn.Module) -> Iterator[None]:
        """Record what the network computes inside."""
        handles = []
        if self.records_codes:
            relus = [module for module in network.modules() if isinstance(module, nn.ReLU)]
            handles += [module.register_forward_pre_hook(self._note_code) for module in relus]
        if self.records_outputs:
            handles += [layer.register_forward_hook(self._note_output) for layer, _ in weighted_layers(network)]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _note_code(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self.codes.append(inputs[0] > 0)

    def _note_output(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor | None:
        self.outputs.append((module, output))
        self._versions.append(output._version)  # noqa: SLF001 - torch's only count of changes
        return output.clone() if self.copies_outputs else None


def weighted_layers(network: nn.Module) -> list[tuple[nn.Module, nn.Parameter]]:
    """Conv2d and Linear layers with their weights.

    What nn.MultiheadAttention holds as `in_proj_weight` is no layer's; the Linear layer that ends it is one, though it
    computes by a function and never is called.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    named = [(layer, dict(layer.named_parameters(recurse=False)).get("weight")) for layer in layers]
    return [(layer, weight) for layer, weight in named if weight is not None]


def weights_of(network: nn.Module) -> list[nn.Parameter]:
    """Weights of the Conv2d and Linear layers; one that layers share is there once."""
    return list({id(weight): weight for _, weight in weighted_layers(network)}.values())


def works_in_place(network: nn.Module) -> bool:
    """Whether a module says that it changes its input; functions that do say nothing."""
    return any(getattr(module, "inplace", False) for module in network.modules())


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    """Layers of batch normalisation, of any number of dimensions."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def normal_like(like: Tensor, rng: torch.Generator) -> Tensor:
    """Normal values of a tensor's shape, the same on every device."""
    return torch.randn(like.shape, generator=rng, dtype=like.dtype).to(like.device)


def draw_weights(network: nn.Module, rng: torch.Generator, deviation: Callable[[Tensor], float]) -> None:
    """Draw weights of Conv2d and Linear layers from normal distributions; zero biases and reset normalisations.

    `deviation` gives a weight's standard deviation. All goes through .data, as graphs that others hold must not notice.
    """
    for layer, weight in weighted_layers(network):
        weight.data.copy_(normal_like(weight, rng) * deviation(weight))
        if isinstance(layer.bias, nn.Parameter):
            layer.bias.data.zero_()
    for module in network.modules():
        if isinstance(module, _BatchNorm | nn.GroupNorm) and isinstance(module.weight, nn.Parameter):
            module.weight.data.fill_(1)
            module.bias.data.zero_()


@contextmanager
def repeatable(seed: int, device: torch.device) -> Iterator[None]:
    """Let the same forward pass draw the same numbers (dropout) inside, and be differentiable twice.

    Attention is computed by its plain formula: fused kernels have no second derivative.
    """
    with seeded(seed, device), sdpa_kernel(SDPBackend.MATH):
        yield


class SingleValueError(UnsupportedError):
    """Batch normalisation that sees one value per channel, whose variance is not defined."""


@contextmanager
def single_values_refused(network: nn.Module) -> Iterator[None]:
    """Raise SingleValueError where batch normalisation sees one value per channel inside."""

    def check(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if layer.training and inputs[0].numel() == inputs[0].shape[1]:
            raise SingleValueError(
                f"{type(layer).__name__} sees one value per channel; give more images or larger ones"
            )

    handles = [layer.register_forward_pre_hook(check) for layer in batch_norms(network)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def without_batch_norm(network: nn.Module) -> Iterator[None]:
    """Let batch normalisation hand its input on inside."""
    layers = batch_norms(network)
    own: list[Callable[..., Any] | None] = [vars(layer).get("forward") for layer in layers]
    try:
        for layer in layers:
            vars(layer)["forward"] = lambda features: features
        yield
    finally:
        for layer, forward in zip(layers, own, strict=True):
            del vars(layer)["forward"]
            if forward is not None:
                vars(layer)["forward"] = forward
