"""What is attached to a network for one pass: recorders of ReLU codes and layer outputs, bypasses."""

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
    """One call of a convolution or linear layer.

    Attributes
    ----------
    weight
        The layer's weight.
    output, gradient
        Its output, and the gradient of the loss to it; channels are the second dimension.
    """

    weight: Tensor
    output: Tensor
    gradient: Tensor

    @classmethod
    def of(cls, layer: nn.Module, output: Tensor, gradient: Tensor) -> Self:
        """Make the record of a call; the channels of Linear layers, which come last, are moved.

        Parameters
        ----------
        layer
            A Conv2d or Linear layer.
        output, gradient
            What it returned, and the gradient of the loss to it.

        Returns
        -------
        Activation
            Without graph.
        """
        if isinstance(layer, nn.Linear):
            output, gradient = output.movedim(-1, 1), gradient.movedim(-1, 1)
        weight: Tensor = layer.get_parameter("weight").detach()
        return cls(weight, output, gradient)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records, while attached, the codes of ReLU modules and the outputs of convolution and linear layers.

    Codes are read before the ReLU, which may work in place.

    Attributes
    ----------
    records_codes, records_outputs
        What is recorded.
    copies_outputs
        Whether layers pass on a copy of their output; they must if what follows them works in place.
    codes
        For each call of a ReLU module, whether its inputs are positive.
    outputs
        For each call of a layer, the layer and its output.
    """

    records_codes: bool
    records_outputs: bool
    copies_outputs: bool
    codes: list[Tensor] = field(default_factory=list)
    outputs: list[tuple[nn.Module, Tensor]] = field(default_factory=list)
    _versions: list[int] = field(default_factory=list)

    @property
    def overwritten(self) -> bool:
        """Whether something worked in place after a layer, so that an output is no longer what the layer returned."""
        now = [output._version for _, output in self.outputs]  # noqa: SLF001 - torch's only count of changes
        return now != self._versions

    @contextmanager
    def attached(self, network: nn.Module) -> Iterator[None]:
        """Record what a network computes inside a `with`.

        Parameters
        ----------
        network
            Its ReLU modules and layers get hooks, which are removed at the end.
        """
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
    """Return the Conv2d and Linear layers with their weights.

    The `in_proj_weight` of nn.MultiheadAttention does not belong to a layer; the Linear layer that ends it counts,
    though it is never called, as a function reads its weight.

    Parameters
    ----------
    network
        Any module.

    Returns
    -------
    list
        Pairs of layer and weight, in the order of the modules.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    named = [(layer, dict(layer.named_parameters(recurse=False)).get("weight")) for layer in layers]
    return [(layer, weight) for layer, weight in named if weight is not None]


def weights_of(network: nn.Module) -> list[nn.Parameter]:
    """Return the weights of the Conv2d and Linear layers.

    Parameters
    ----------
    network
        Any module.

    Returns
    -------
    list
        Each weight once, also if layers share it.
    """
    return list({id(weight): weight for _, weight in weighted_layers(network)}.values())


def works_in_place(network: nn.Module) -> bool:
    """Return whether a module declares that it changes its input; functions that do cannot be seen.

    Parameters
    ----------
    network
        Any module.

    Returns
    -------
    bool
        True if a module has a true attribute `inplace`.
    """
    return any(getattr(module, "inplace", False) for module in network.modules())


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    """Return the layers of batch normalisation, of any number of dimensions.

    Parameters
    ----------
    network
        Any module.

    Returns
    -------
    list
        In the order of the modules.
    """
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def normal_like(like: Tensor, rng: torch.Generator) -> Tensor:
    """Draw values of the standard normal distribution, the same on every device.

    Parameters
    ----------
    like
        Tensor whose shape, dtype and device the values have.
    rng
        Generator on the CPU.

    Returns
    -------
    Tensor
        A new tensor.
    """
    return torch.randn(like.shape, generator=rng, dtype=like.dtype).to(like.device)


def draw_weights(network: nn.Module, rng: torch.Generator, deviation: Callable[[Tensor], float]) -> None:
    """Reinitialise a network: weights of Conv2d and Linear layers normal, biases 0, normalisations 1 and 0.

    Everything goes through .data, so that graphs that others hold do not take it for a change.

    Parameters
    ----------
    network
        Changed in place.
    rng
        Generator on the CPU.
    deviation
        Returns the standard deviation of a weight.
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
    """Let a forward pass inside a `with` draw reproducible numbers (dropout), and be differentiable twice.

    Attention is computed by its plain formula, as fused kernels lack a second derivative.

    Parameters
    ----------
    seed
        Of torch's random state.
    device
        Where the network runs.
    """
    with seeded(seed, device), sdpa_kernel(SDPBackend.MATH):
        yield


class SingleValueError(UnsupportedError):
    """Raised where batch normalisation sees one value per channel, whose variance is undefined."""


@contextmanager
def single_values_refused(network: nn.Module) -> Iterator[None]:
    """Raise SingleValueError where batch normalisation sees one value per channel inside a `with`.

    Parameters
    ----------
    network
        Its batch normalisations get hooks, which are removed at the end.
    """

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
    """Let batch normalisation return its input unchanged inside a `with`.

    Parameters
    ----------
    network
        Its batch normalisations are restored at the end.
    """
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
