"""Saliency of operations in an untrained mixed supernet: how much architecture parameters influence a loss.

FreeDARTS (Zhang et al., 2021) applies measures of pruning at initialisation, snip (Lee et al., ICLR 2019), grasp (Wang
et al., ICLR 2020) and synflow (Tanaka et al., NeurIPS 2020), to the architecture parameters alpha of a supernet:

    snip = abs(alpha dL/dalpha),    grasp = -alpha (H g),    synflow = abs(alpha dR/dalpha),

with L the loss, g and H its gradient and Hessian with respect to all alpha, and R the sum of logits of the linearised
supernet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy

from benchsuite.core.supernet import NONE
from benchsuite.estimators.torchtools.derivatives import gradients_of, hessian_product
from benchsuite.estimators.torchtools.instruments import without_batch_norm
from benchsuite.estimators.torchtools.preserve import preserved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.supernet import EdgeChoices, MixedSupernet
    from benchsuite.estimators.differentiable.updates import Batch

    Table = dict[str, Tensor]  # a value for each edge and operation, by the name of the table


def snip(supernet: MixedSupernet, alpha: Mapping[str, Tensor], batch: Batch) -> Table:
    """Return abs(alpha dL/dalpha) of each operation.

    Parameters
    ----------
    supernet
        Its normalisations use the batch's statistics.
    alpha
        Architecture parameters by table, which mix operations as they are, without softmax.
    batch
        Images and their classes.

    Returns
    -------
    dict
        Shape (edges, operations), by table; never negative.
    """
    leaves = _leaves(alpha)
    gradients = gradients_of(_loss(supernet, leaves, batch), list(leaves.values()))
    return _products(leaves, gradients, torch.abs)


def grasp(supernet: MixedSupernet, alpha: Mapping[str, Tensor], batch: Batch) -> Table:
    """Return -alpha (H g) of each operation, H and g Hessian and gradient of the loss with respect to all alpha.

    Parameters
    ----------
    supernet
        Its normalisations use the batch's statistics.
    alpha
        Architecture parameters by table, which mix operations as they are, without softmax.
    batch
        Images and their classes.

    Returns
    -------
    dict
        Shape (edges, operations), by table.
    """
    leaves = _leaves(alpha)
    products = hessian_product(_loss(supernet, leaves, batch), list(leaves.values()))
    return _products(leaves, products, torch.neg)


def synflow(supernet: MixedSupernet, alpha: Mapping[str, Tensor], batch: Batch) -> Table:
    """Return abs(alpha dR/dalpha) of each operation, R the sum of logits of the linearised supernet.

    Weights and alpha are replaced by their absolute values and biases by zero, batch normalisation is bypassed, and the
    input is one image of ones of the batch's shape; float64, as values grow with every layer. Where every path from the
    input passes every cell, as in NAS-Bench-201, the values of all edges across a cut of a cell sum to R times the
    number of cells of its table; paths around cells, as in DARTS, make the sum smaller.

    Parameters
    ----------
    supernet
        Restored afterwards.
    alpha
        Architecture parameters by table, which mix operations as they are, without softmax.
    batch
        Images, of which only shape and device are read, and their classes, which are not read.

    Returns
    -------
    dict
        Shape (edges, operations), by table; never negative.
    """
    with preserved(supernet), without_batch_norm(supernet):
        supernet.double()
        for name, weight in supernet.named_parameters():
            weight.data.zero_() if name.endswith("bias") else weight.data.abs_()
        leaves = _leaves({name: values.double().abs() for name, values in alpha.items()})
        _mix(supernet, leaves)
        total = supernet(torch.ones_like(batch[0][:1], dtype=torch.float64)).sum()
        return _products(leaves, gradients_of(total, list(leaves.values())), torch.abs)


SALIENCIES: dict[str, Callable[[MixedSupernet, Mapping[str, Tensor], Batch], Table]] = {
    "snip": snip,
    "grasp": grasp,
    "synflow": synflow,
}


def pruned(tables: Mapping[str, Sequence[EdgeChoices]], measure: Callable[[Table], Table]) -> tuple[Table, Table]:
    """Prune the operation of the lowest saliency, one by one, until each edge has one operation.

    "none", whose saliency is 0, goes first.

    Parameters
    ----------
    tables
        The edges of each kind of cell, with their operations.
    measure
        Returns saliencies from masks: 1 for operations that take part, 0 for others.

    Returns
    -------
    tuple
        Each operation's saliency in the last round in which it took part, and masks of those that are left; both of
        shape (edges, operations), by table.

    Examples
    --------
    >>> from benchsuite.core.supernet import EdgeChoices
    >>> alone = torch.tensor([[0.0, 3.0, 2.0, 1.0]])
    >>> values, left = pruned({"cell": [EdgeChoices(0, 1, ("none", "a", "b", "c"))]}, lambda masks: {
    ...     name: mask * alone * (4 - mask.sum()) for name, mask in masks.items()})
    >>> values["cell"].tolist(), left["cell"].tolist()
    ([[0.0, 9.0, 4.0, 1.0]], [[0.0, 1.0, 0.0, 0.0]])
    """
    left = {
        name: torch.tensor([[float(operation != NONE) for operation in edge.operations] for edge in edges])
        for name, edges in tables.items()
    }
    values = measure(left)
    while any(bool((mask.sum(1) > 1).any()) for mask in left.values()):
        name, edge, operation = _weakest(values, left)
        left[name][edge, operation] = 0
        measured = measure(left)
        values = {name: torch.where(mask > 0, measured[name], values[name]) for name, mask in left.items()}
    return values, left


def rounds(tables: Mapping[str, Sequence[EdgeChoices]]) -> int:
    """Return how often `pruned` measures.

    Parameters
    ----------
    tables
        The edges of each kind of cell, with their operations.

    Returns
    -------
    int
        1 plus the number of operations that are pruned, apart from "none".

    Examples
    --------
    >>> from benchsuite.core.supernet import EdgeChoices
    >>> rounds({"cell": [EdgeChoices(0, 1, ("none", "a", "b", "c"))]})
    3
    """
    return 1 + sum(len(set(edge.operations) - {NONE}) - 1 for edges in tables.values() for edge in edges)


def _weakest(values: Table, left: Table) -> tuple[str, int, int]:
    """Return table, edge and position of the operation of the lowest value that is not the last on its edge."""
    lowest: list[tuple[float, str, int, int]] = []
    for name, mask in left.items():
        open_edges = mask.sum(1, keepdim=True) > 1
        masked = torch.where((mask > 0) & open_edges, values[name], torch.inf)
        position = int(masked.argmin())
        lowest.append((float(masked.flatten()[position]), name, *divmod(position, mask.shape[1])))
    _, name, edge, operation = min(lowest)
    return name, edge, operation


def _leaves(alpha: Mapping[str, Tensor]) -> Table:
    return {name: values.detach().clone().requires_grad_() for name, values in alpha.items()}


def _mix(supernet: MixedSupernet, alpha: Mapping[str, Tensor]) -> None:
    supernet.train()
    supernet.mix([alpha[name] for name in supernet.cells])


def _loss(supernet: MixedSupernet, alpha: Mapping[str, Tensor], batch: Batch) -> Tensor:
    _mix(supernet, alpha)
    inputs, targets = batch
    return cross_entropy(supernet(inputs), targets)


def _products(alpha: Table, gradients: Sequence[Tensor], finish: Callable[[Tensor], Tensor]) -> Table:
    """Return what `finish` makes of alpha times its gradient, float64."""
    return {
        name: finish(values.detach().double() * gradient.double()).cpu()
        for (name, values), gradient in zip(alpha.items(), gradients, strict=True)
    }
