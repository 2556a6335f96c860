"""Estimators from the binary codes that ReLUs give to the images of a minibatch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from benchsuite.core import UnsupportedError
from benchsuite.estimators.base import ZeroShotEstimator

if TYPE_CHECKING:
    from torch import Tensor

    from benchsuite.estimators.zero_shot.probe import Probe


@dataclass(frozen=True, slots=True)
class NWOT(ZeroShotEstimator):
    """How well ReLU codes tell images apart: log abs det K (Mellor et al., ICML 2021, "without training").

    K_ij is the number of ReLU inputs that are positive for both images i and j or for neither. Undefined if two images
    have the same code, or K is singular otherwise. ReLUs are seen where they are nn.ReLU modules.
    """

    name: ClassVar[str] = "nwot"
    needs: ClassVar[tuple[str, ...]] = ("relu_codes",)

    def score(self, probe: Probe) -> float:
        """Logarithm of the determinant of the matrix of agreements."""
        n = len(probe.inputs)
        kernel = torch.zeros(n, n, dtype=torch.float64)
        for code in probe.relu_codes:
            if len(code) != n:
                raise UnsupportedError(f"nwot: a ReLU sees {len(code)} rows for {n} images; rows must be images")
            kernel += agreements(code).cpu()
        if not probe.relu_codes:
            raise UnsupportedError("nwot: the network has no nn.ReLU module, only such are seen; use modules for ReLUs")
        if int(torch.linalg.matrix_rank(kernel, hermitian=True)) < n:
            return math.nan
        return float(torch.linalg.slogdet(kernel).logabsdet)


def agreements(code: Tensor) -> Tensor:
    """Number of units in which two rows of a binary code agree, for all pairs; float64 (n, n).

    With x the code: x x' + (1 - x)(1 - x)', of which one product of matrices is enough.

    Examples
    --------
    >>> agreements(torch.tensor([[True, True, False], [True, False, True]])).tolist()
    [[3.0, 1.0], [1.0, 3.0]]
    """
    total = torch.zeros(len(code), len(code), dtype=torch.float64, device=code.device)
    for part in torch.split(code, 1 << 24, dim=1):  # beyond, sums of ones are no longer exact in float32
        positive = part.float()
        both = (positive @ positive.T).double()
        either = both.diagonal()[:, None] + both.diagonal()[None, :] - both
        total += both + part.shape[1] - either
    return total
