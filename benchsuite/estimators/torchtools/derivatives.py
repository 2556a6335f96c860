"""Gradients and products with the Hessian, zero where nothing depends on the weights."""

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
    """Return whether gradients have the same bits with and without a graph of the gradients.

    Parameters
    ----------
    scalar
        What is differentiated.

    Returns
    -------
    bool
        False if any operation in its graph is not known to have one formula for both.
    """
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
    """Return the gradients of a scalar; zeros for sources on which it does not depend.

    Parameters
    ----------
    scalar
        What is differentiated.
    sources
        Tensors with respect to which it is differentiated.
    retain_graph
        Whether the graph is kept for another backward pass.
    create_graph
        Whether the gradients can be differentiated in turn.

    Returns
    -------
    tuple
        A tensor of the same shape for each source.
    """
    if not scalar.requires_grad or not sources:
        return tuple(torch.zeros_like(source) for source in sources)
    return torch.autograd.grad(
        scalar, sources, retain_graph=retain_graph or create_graph, create_graph=create_graph, materialize_grads=True
    )


def hessian_product(
    loss: Tensor, weights: Sequence[Tensor], gradients: Sequence[Tensor] | None = None, *, retain_graph: bool = False
) -> tuple[Tensor, ...]:
    """Return H g: the Hessian of the loss with respect to all weights times its gradient, by a double backward pass.

    Parameters
    ----------
    loss
        A scalar.
    weights
        Tensors with respect to which it is differentiated.
    gradients
        Those of the loss, with their graph, if they are known.
    retain_graph
        Whether the graph of the loss is kept for another backward pass.

    Returns
    -------
    tuple
        A tensor of the same shape for each weight.

    Raises
    ------
    UnsupportedError
        If the network computes something whose second derivative torch lacks.
    """
    try:
        if gradients is None:
            gradients = gradients_of(loss, weights, create_graph=True)
        # d/dw (c' g(w)) = H c, with the constant c = g
        product = sum(((gradient.detach() * gradient).sum() for gradient in gradients), start=torch.zeros_like(loss))
        return gradients_of(product, weights, retain_graph=retain_graph)
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        if "derivative for" not in reason:
            raise
    raise UnsupportedError(f"this version of torch cannot differentiate the network twice: {reason}")


def depends(logits: Tensor, leaf: Tensor) -> bool:
    """Return whether logits depend on the inputs; where they do not, gradients are zero by definition.

    Parameters
    ----------
    logits
        Shape (batch, classes), with their graph.
    leaf
        The inputs from which they were computed.

    Returns
    -------
    bool
        True if logits differ between images, or have a gradient that is not zero.
    """
    if bool((logits != logits[:1]).any()):
        return True
    return bool(gradients_of(logits.sum(), [leaf], retain_graph=True)[0].any())
