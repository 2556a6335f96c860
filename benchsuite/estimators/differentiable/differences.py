"""Mixed second derivatives from gradients at two points: what DARTS and Lambda-DARTS need without a second backward."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    GradientsAt = Callable[[Sequence[Tensor]], Sequence[Tensor]]  # point -> gradients


def along(
    gradients: GradientsAt, point: Sequence[Tensor], direction: Sequence[Tensor], distance: float
) -> list[Tensor]:
    """Return the derivative of gradients along a direction, by a central finite difference.

    Parameters
    ----------
    gradients
        Returns gradients of a loss at a point, with respect to any variables.
    point, direction
        Tensors of the same shapes.
    distance
        Euclidean distance from the point at which gradients are taken, on both sides.

    Returns
    -------
    list
        (gradients(point + e direction) - gradients(point - e direction)) / 2 e with e = distance / |direction|; zeros
        if the direction is zero.

    Examples
    --------
    >>> [slope] = along(lambda at: [at[0] ** 2], [torch.tensor([3.0])], [torch.tensor([2.0])], 0.25)
    >>> slope.tolist()
    [12.0]
    """
    length = float(torch.stack([part.norm() for part in direction]).norm())
    if not length > 0:
        return [torch.zeros_like(part) for part in gradients(point)]
    step = distance / length
    ahead = gradients([at + step * towards for at, towards in zip(point, direction, strict=True)])
    behind = gradients([at - step * towards for at, towards in zip(point, direction, strict=True)])
    return [(one - other) / (2 * step) for one, other in zip(ahead, behind, strict=True)]


@contextmanager
def standing_in(parameters: Sequence[Tensor], values: Sequence[Tensor]) -> Iterator[None]:
    """Give parameters other values inside a `with`; afterwards they have their own again, bit by bit.

    Parameters
    ----------
    parameters
        Tensors.
    values
        One of the same shape for each.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> with standing_in([weight], [torch.zeros(1)]):
    ...     inside = weight.item()
    >>> inside, weight.item()
    (0.0, 1.0)
    """
    own = [parameter.data for parameter in parameters]
    try:
        for parameter, value in zip(parameters, values, strict=True):
            parameter.data = value
        yield
    finally:
        for parameter, value in zip(parameters, own, strict=True):
            parameter.data = value
