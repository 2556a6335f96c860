"""Condition number of the neural tangent kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from annotated_types import Ge
from typing_extensions import override

from benchsuite.core.errors import SuiteError
from benchsuite.estimators.torchtools.instruments import SingleValueError, single_values_refused, weights_of
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator

if TYPE_CHECKING:
    from torch import Tensor

    from benchsuite.estimators.zero_shot.probe import Probe

_BLOCK = 1 << 18  # columns that are taken to double precision at once


@dataclass(frozen=True, slots=True)
class NTKCondition(ZeroShotEstimator):
    """Minus the condition number of the empirical neural tangent kernel, Chen et al. (TE-NAS, ICLR 2021).

    With row i of G the gradient of image i's sum of logits to all weights, all images in one batch: minus the largest
    eigenvalue of G G', divided by the smallest. Undefined if the smallest is not positive up to rounding, which happens
    if images have equal gradients, for example two equal images or a network without a path.

    The authors measure networks of 3 channels and 1 cell per stage (`sizes = {channels = 3, cells = 1}` in a suite
    gives NAS-Bench-201 this size). Each image takes a backward pass of the whole batch: tens of seconds at full size.
    It varies strongly between minibatches and initialisations: average several.

    Attributes
    ----------
    images
        Number of images, the first ones of the minibatch.
    """

    images: Annotated[int, Ge(1)] = 16
    name: ClassVar[str] = "ntk_cond"

    @override
    def score(self, probe: Probe) -> float:
        if self.images < 1:
            raise SuiteError(f"ntk_cond: images = {self.images}; must be at least 1")
        try:
            with single_values_refused(probe.network), torch.enable_grad():
                return -_condition(self._gradients(probe))
        except SingleValueError:
            return math.nan

    def _gradients(self, probe: Probe) -> Tensor:
        """Return G, the gradient of each image's sum of logits to all weights, shape (images, weights)."""
        probe.network.requires_grad_(False)
        weights = [weight.requires_grad_() for weight in weights_of(probe.network)]
        sums = probe.run(probe.inputs[: self.images]).sum(1)
        n = len(sums)
        rows = sums.new_zeros(n, sum(weight.numel() for weight in weights))
        for i in range(n if sums.requires_grad else 0):
            gradients = torch.autograd.grad(sums[i], weights, retain_graph=i + 1 < n, materialize_grads=True)
            torch.cat([gradient.flatten() for gradient in gradients], out=rows[i])
        return rows


def _condition(gradients: Tensor) -> float:
    """Return the condition number of G G'; NaN where the smallest eigenvalue may be rounding."""
    n = len(gradients)
    kernel = torch.zeros(n, n, dtype=torch.float64, device=gradients.device)
    for block in torch.split(gradients, _BLOCK, dim=1):
        columns = block.double()
        kernel += columns @ columns.T  # G G', a block of weights at a time
    if not bool(kernel.isfinite().all()):
        return math.nan
    eigenvalues = torch.linalg.eigvalsh(kernel.cpu())
    smallest, largest = float(eigenvalues[0]), float(eigenvalues[-1])
    rounding = max((n * torch.finfo(gradients.dtype).eps) ** 2, n * torch.finfo(torch.float64).eps)
    return largest / smallest if smallest > rounding * largest else math.nan
