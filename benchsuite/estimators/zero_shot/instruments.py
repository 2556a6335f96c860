"""What the probe fastens to a network for one pass: recorders of ReLU codes and layer outputs, bypasses."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

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

    Codes are read before the ReLU, which may work in place; layers hand a copy of their output on, so that what
    follows may too.
    """

    records_codes: bool
    records_outputs: bool
    codes: list[Tensor] = field(default_factory=list)
    outputs: list[tuple[nn.Module, Tensor]] = field(default_factory=list)

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
        self.codes.append((inputs[0] > 0).flatten(1))

    def _note_output(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        self.outputs.append((module, output))
        return output.clone()


def weighted_layers(network: nn.Module) -> list[tuple[nn.Module, nn.Parameter]]:
    """Conv2d and Linear layers with their weights."""
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    named = [(layer, dict(layer.named_parameters(recurse=False)).get("weight")) for layer in layers]
    return [(layer, weight) for layer, weight in named if weight is not None]


@contextmanager
def without_batch_norm(network: nn.Module) -> Iterator[None]:
    """Let batch normalisation hand its input on inside."""
    layers = [module for module in network.modules() if isinstance(module, _BatchNorm)]
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


# Operations whose gradient torch computes by the same formula whether or not a graph of it is built. Others (layer and
# group normalisation, GELU, SiLU) have a second, differentiable formula with other rounding.
_SAME_FORMULA = frozenset(
    {
        "AccumulateGrad", "AdaptiveAvgPool2DBackward", "AddBackward", "AddmmBackward", "AvgPool2DBackward",
        "CatBackward", "CloneBackward", "ConstantPadNdBackward", "ConvolutionBackward", "CudnnBatchNormBackward",
        "CudnnConvolutionBackward", "ExpandBackward", "HardtanhBackward", "LogSoftmaxBackward",
        "MaxPool2DWithIndicesBackward", "MeanBackward", "MulBackward", "NativeBatchNormBackward", "NllLossBackward",
        "ReluBackward", "ReshapeAliasBackward", "SliceBackward", "SubBackward", "SumBackward", "TBackward",
        "UnsafeViewBackward", "ViewBackward",
    }
)  # fmt: skip


def same_first_order(scalar: Tensor) -> bool:
    """Whether gradients of the scalar have the same bits with and without a graph of the gradients."""
    waiting, seen = [scalar.grad_fn], {None, scalar.grad_fn}
    while waiting:
        node = waiting.pop()
        if node is None:
            continue
        if type(node).__name__.rstrip("0123456789") not in _SAME_FORMULA:
            return False
        following = {function for function, _ in node.next_functions} - seen
        seen |= following
        waiting += following
    return True
