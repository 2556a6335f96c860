"""Gradients and products with the Hessian, zero where nothing depends on anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from benchsuite.core.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

# Operations whose gradient torch computes by the same formula whether or not a graph of it is built. Others (layer and
# group normalisation, GELU, SiLU) have a second, differentiable formula with other rounding.
_SAME_FORMULA = frozenset(
    {
        "AccumulateGrad", "AdaptiveAvgPool2DBackward", "AddBackward", "AddmmBackward", "AvgPool2DBackward",
        "CatBackward", "CloneBackward", "ConstantPadNdBackward", "ConvolutionBackward", "CudnnBatchNormBackward",
        "CudnnConvolutionBackward", "DivBackward", "ExpandBackward", "HardtanhBackward", "LogSoftmaxBackward",
        "MaxPool2DWithIndicesBackward", "MeanBackward", "MulBackward", "NativeBatchNormBackward", "NllLossBackward",
        "ReluBackward", "ReshapeAliasBackward", "SliceBackward", "SubBackward", "SumBackward", "TBackward",
        "UnsafeViewBackward", "ViewBackward", "_BatchNormBackward", "_NeighbourSumBackward",
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


def gradients_of(
    scalar: Tensor, sources: Sequence[Tensor], *, retain_graph: bool = False, create_graph: bool = False
) -> tuple[Tensor, ...]:
    """Gradients of a scalar; zeros to what it does not depend on."""
    if not scalar.requires_grad or not sources:
        return tuple(torch.zeros_like(source) for source in sources)
    return torch.autograd.grad(
        scalar, sources, retain_graph=retain_graph or create_graph, create_graph=create_graph, materialize_grads=True
    )


def hessian_product(
    loss: Tensor, weights: Sequence[Tensor], gradients: Sequence[Tensor] | None = None, *, retain_graph: bool = False
) -> tuple[Tensor, ...]:
    """H g for each weight: the Hessian of the loss to all weights times its gradient, by a double backward pass.

    Parameters
    ----------
    gradients
        Those of the loss, with their graph, if they are known.

    Raises
    ------
    UnsupportedError
        If the network computes something whose second derivative torch lacks.
    """
    try:
        if gradients is None:
            gradients = gradients_of(loss, weights, create_graph=True)
        product = sum(((gradient.detach() * gradient).sum() for gradient in gradients), start=torch.zeros_like(loss))
        return gradients_of(product, weights, retain_graph=retain_graph)
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        if "derivative for" not in reason:
            raise
    raise UnsupportedError(f"the network has no second derivative in this version of torch: {reason}")


def depends(logits: Tensor, leaf: Tensor) -> bool:
    """Whether a path joins inputs and logits; where none does, gradients are zero by definition."""
    if bool((logits != logits[:1]).any()):
        return True
    return bool(gradients_of(logits.sum(), [leaf], retain_graph=True)[0].any())
