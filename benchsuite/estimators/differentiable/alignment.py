"""Layer alignment: how far the cells that share one table of choices agree on how its probabilities should change.

Movahedi et al., "Lambda-DARTS: Mitigating Performance Collapse by Harmonizing Operation Selection among Cells",
ICLR 2023. With g_l the gradient of the loss with respect to the probabilities as only cell l uses them, L cells:

    Lambda = 2 / (L (L - 1)) sum_{l < j} s(g_l, g_j),    s = cos(g_l, g_j), or <g_l, g_j> / <|g_l|, |g_j|> (signcorr)

A row of `gradients` is one g_l.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

MEASURES = ("corr", "signcorr")
_FLAT = 1e-10  # a derivative, times the norm of its row, that is only rounding


def alignment(gradients: Tensor, measure: str = "corr") -> float:
    """Return Lambda, the mean similarity of two different rows.

    Parameters
    ----------
    gradients
        Shape (cells, probabilities).
    measure
        "corr", the cosine; or "signcorr", which divides the product of two rows by that of their absolute values.

    Returns
    -------
    float
        From -1 to 1; NaN for fewer than two rows. The similarity to a row of zeros is 0.

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
    return float(similar.sum() - similar.diagonal().sum()) / (number * (number - 1))  # both l < j and j < l


def alignment_slope(gradients: Tensor, measure: str = "corr") -> Tensor:
    """Return the derivative of Lambda with respect to the rows.

    Parameters
    ----------
    gradients
        Shape (cells, probabilities).
    measure
        "corr" or "signcorr", as of `alignment`.

    Returns
    -------
    Tensor
        Of the rows' shape and type; zeros if the derivative is only rounding.

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
    slope *= 2 / (number * (number - 1))  # g_l occurs in the pairs (l, j) and (j, l)
    flat = (slope.norm(dim=1) * rows.norm(dim=1)).max() < _FLAT
    return torch.zeros_like(gradients) if flat else slope.to(gradients.dtype)


def _sizes(rows: Tensor, measure: str) -> Tensor:
    """Return what products of two rows are divided by, shape (cells, cells)."""
    if measure == "corr":
        norms = rows.norm(dim=1)
        return torch.outer(norms, norms)
    absolute = rows.abs()
    sizes: Tensor = absolute @ absolute.T
    return sizes


def _corr_slope(rows: Tensor) -> Tensor:
    """Return the sum over j of d cos(g_l, g_j) / d g_l = (u_j - u_l <u_l, u_j>) / |g_l|, with u_l = g_l / |g_l|.

    The term of j = l is 0, so that the sum may run over all j.
    """
    norms = rows.norm(dim=1, keepdim=True)
    directions = torch.where(norms > 0, rows / norms, 0.0)  # u_l
    total = directions.sum(0)  # sum_j u_j
    across = total - directions * (directions @ total)[:, None]
    return torch.where(norms > 0, across / norms, 0.0)


def _signcorr_slope(rows: Tensor) -> Tensor:
    """Return the sum over j != l of g_j / D - N sign(g_l) |g_j| / D^2, with N = <g_l, g_j> and D = <|g_l|, |g_j|>."""
    sizes = _sizes(rows, "signcorr").fill_diagonal_(0)
    first = torch.where(sizes > 0, 1 / sizes, 0.0)  # 1 / D
    second = torch.where(sizes > 0, (rows @ rows.T) / sizes**2, 0.0)  # N / D^2
    return first @ rows - rows.sign() * (second @ rows.abs())
