"""Layer alignment: how far the cells that share one table of choices agree on where its probabilities should go.

Movahedi et al., "Lambda-DARTS: Mitigating Performance Collapse by Harmonizing Operation Selection among Cells",
ICLR 2023. A row of `gradients`, g_l, is the gradient of the loss by the probabilities as cell l alone uses them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

MEASURES = ("corr", "signcorr")
_FLAT = 1e-10  # a derivative, times the norm of its row, that is rounding alone


def alignment(gradients: Tensor, measure: str = "corr") -> float:
    """Mean similarity of two different rows, from -1 to 1; NaN for fewer than two. A row of zeros is similar to none.

    Parameters
    ----------
    gradients
        Shape (cells, probabilities).
    measure
        "corr", the cosine; or "signcorr", which divides the product of two rows by that of their absolute values.

    Examples
    --------
    >>> rows = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    >>> round(alignment(rows), 4), alignment(rows, "signcorr")
    (0.7071, 1.0)
    """
    rows = gradients.double()
    number = len(rows)
    if number < 2:
        return math.nan
    products, sizes = rows @ rows.T, _sizes(rows, measure)
    similar = torch.where(sizes > 0, products / sizes, 0.0)
    return float(similar.sum() - similar.diagonal().sum()) / (number * (number - 1))


def alignment_slope(gradients: Tensor, measure: str = "corr") -> Tensor:
    """Derivative of the alignment by the rows, of their shape and type; zeros where there is none but rounding.

    Examples
    --------
    >>> alignment_slope(torch.tensor([[1.0, 0.0], [0.0, 2.0]])).tolist()
    [[0.0, 1.0], [0.5, 0.0]]
    """
    rows = gradients.double()
    number = len(rows)
    if number < 2:
        return torch.zeros_like(gradients)
    slope = _corr_slope(rows) if measure == "corr" else _signcorr_slope(rows)
    slope *= 2 / (number * (number - 1))
    flat = (slope.norm(dim=1) * rows.norm(dim=1)).max() < _FLAT
    return torch.zeros_like(gradients) if flat else slope.to(gradients.dtype)


def _sizes(rows: Tensor, measure: str) -> Tensor:
    """What products of two rows are divided by, shape (cells, cells)."""
    if measure == "corr":
        norms = rows.norm(dim=1)
        return torch.outer(norms, norms)
    absolute = rows.abs()
    sizes: Tensor = absolute @ absolute.T
    return sizes


def _corr_slope(rows: Tensor) -> Tensor:
    """Sum over all j of d cos(g_l, g_j) / d g_l, which is what is left of the sum of directions across g_l."""
    norms = rows.norm(dim=1, keepdim=True)
    directions = torch.where(norms > 0, rows / norms, 0.0)
    total = directions.sum(0)
    across = total - directions * (directions @ total)[:, None]
    return torch.where(norms > 0, across / norms, 0.0)


def _signcorr_slope(rows: Tensor) -> Tensor:
    """Sum over all j but l of g_j / D - N sign(g_l) |g_j| / D^2, with N the product of two rows and D its size."""
    sizes = _sizes(rows, "signcorr").fill_diagonal_(0)
    first = torch.where(sizes > 0, 1 / sizes, 0.0)
    second = torch.where(sizes > 0, (rows @ rows.T) / sizes**2, 0.0)
    return first @ rows - rows.sign() * (second @ rows.abs())
