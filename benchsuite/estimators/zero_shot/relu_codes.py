"""Estimators from the binary codes that ReLUs give to the images of a minibatch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import torch
from annotated_types import Gt
from typing_extensions import override

from benchsuite.core.errors import SuiteError, UnsupportedError
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from benchsuite.estimators.zero_shot.probe import Probe


@dataclass(frozen=True, slots=True)
class NWOT(ZeroShotEstimator):
    """How well ReLU codes distinguish images: log abs det K, Mellor et al. ("... without training", ICML 2021).

    K_ij is the number of ReLU inputs that are positive for both images i and j or for neither. Undefined where K is
    singular, for example if two images have the same code. Only ReLUs that are nn.ReLU modules are seen.
    """

    name: ClassVar[str] = "nwot"
    needs: ClassVar[tuple[str, ...]] = ("relu_codes",)

    @override
    def score(self, probe: Probe) -> float:
        n = len(probe.inputs)
        kernel = torch.zeros(n, n, dtype=torch.float64)
        for code in rows_of_images(self.name, probe.relu_codes, n):
            kernel += agreements(code).cpu()
        if int(torch.linalg.matrix_rank(kernel, hermitian=True)) < n:
            return math.nan
        return float(torch.linalg.slogdet(kernel).logabsdet)  # log abs det K


def agreements(code: Tensor) -> Tensor:
    """Return the number of units in which two rows of a binary code agree, for all pairs.

    Parameters
    ----------
    code
        Booleans x, shape (n, units).

    Returns
    -------
    Tensor
        x x' + (1 - x)(1 - x)', float64, shape (n, n).

    Examples
    --------
    >>> agreements(torch.tensor([[True, True, False], [True, False, True]])).tolist()
    [[3.0, 1.0], [1.0, 3.0]]
    """
    total = torch.zeros(len(code), len(code), dtype=torch.float64, device=code.device)
    for part in torch.split(code, 1 << 24, dim=1):  # beyond, sums of ones are no longer exact in float32
        positive = part.float()
        both = (positive @ positive.T).double()  # x x', the one product of matrices that is needed
        either = both.diagonal()[:, None] + both.diagonal()[None, :] - both
        total += both + part.shape[1] - either  # units that both have, plus units that neither has
    return total


@dataclass(frozen=True, slots=True)
class SWAP(ZeroShotEstimator):
    """Number of different patterns that ReLUs on feature maps form over the images, Peng et al. (ICLR 2024).

    A unit's pattern says for which images it is positive. Only ReLUs that are nn.ReLU modules on maps (4-D) are seen.
    The number is bounded by 2 to the number of images and by the number of units: a small minibatch, such as the
    published one of 16, counts patterns; a large one counts units.

    Attributes
    ----------
    mu, sigma
        Of the regularised form, the number times exp(-(params - mu)^2 / sigma), where params is the network's number of
        parameters; None: not regularised. Published code counts params in thousands: its mu = 40, sigma = 40 are 4e4
        and 4e7.
    """

    mu: float | None = None
    sigma: Annotated[float, Gt(0)] | None = None
    name: ClassVar[str] = "swap"
    needs: ClassVar[tuple[str, ...]] = ("relu_codes",)

    @override
    def check(self) -> None:
        if (self.mu is None) != (self.sigma is None):
            raise SuiteError(f"mu = {self.mu}, sigma = {self.sigma}; give both, or neither")

    @override
    def score(self, probe: Probe) -> float:
        factor = self._factor(sum(parameter.numel() for parameter in probe.network.parameters()))
        codes = [code for code in probe.relu_codes if code.dim() == 4]
        return distinct_columns(rows_of_images("swap", codes, len(probe.inputs))) * factor

    def _factor(self, params: int) -> float:
        if self.mu is None and self.sigma is None:
            return 1.0
        if self.mu is None or self.sigma is None or not self.sigma > 0:
            raise SuiteError(f"swap: mu = {self.mu!r}, sigma = {self.sigma!r}; give both, sigma above 0, or neither")
        return math.exp(-((params - self.mu) ** 2) / self.sigma)


def distinct_columns(codes: Sequence[Tensor]) -> int:
    """Return the number of different columns of a binary matrix.

    Parameters
    ----------
    codes
        Its parts, booleans of shape (n, units).

    Returns
    -------
    int
        0 if there are no columns.

    Examples
    --------
    >>> distinct_columns([torch.tensor([[True, True, False], [True, True, True]])])
    2
    """
    # Columns are packed into words of 64 bits, which are sorted.
    words = torch.cat([_packed(code) for code in codes], dim=1)
    labels = words[0]
    for word in words[1:]:  # numbers of the different pairs so far, which stay below units squared
        first, second = (torch.unique(each, return_inverse=True)[1] for each in (labels, word))
        labels = first * len(word) + second
    ordered = np.sort(labels.cpu().numpy())  # several times faster than torch's, which keeps positions
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + min(len(ordered), 1)


def _packed(code: Tensor) -> Tensor:
    """Return the columns of a binary matrix (n, units) as integers: int64 (words, units), a word for 64 rows."""
    n, units = code.shape
    bits = torch.zeros(-(-n // 64) * 64, units, dtype=torch.uint8, device=code.device)
    bits[:n] = code
    bits = bits.view(-1, 8, 8, units)
    octets = bits[:, :, 0].clone()
    for position in range(1, 8):
        octets.mul_(2).add_(bits[:, :, position])
    return octets.movedim(1, -1).flatten().view(torch.int64).view(len(bits), units)


def rows_of_images(name: str, codes: Sequence[Tensor], n: int) -> list[Tensor]:
    """Return codes as matrices with a row for each image.

    Parameters
    ----------
    name
        Name of the estimator, for the message.
    codes
        Booleans, shape (n, ...).
    n
        Number of images.

    Returns
    -------
    list
        Booleans, shape (n, units).

    Raises
    ------
    UnsupportedError
        If there are no codes, or one has other rows than images.
    """
    if not codes:
        raise UnsupportedError(f"{name} needs nn.ReLU modules, and the network has none; use modules, not functions")
    for code in codes:
        if code.dim() == 0 or len(code) != n:
            shape = tuple(code.shape)
            raise UnsupportedError(
                f"{name}: the inputs of a ReLU have shape {shape} for {n} images; rows must be images"
            )
    return [code.reshape(n, -1) for code in codes]
