"""Estimators from the Jacobian of the logits to the inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from benchsuite.estimators.base import ZeroShotEstimator

if TYPE_CHECKING:
    from benchsuite.estimators.zero_shot.probe import Probe

_SHIFT = 1e-5  # the published constant that keeps eigenvalues of zero finite


@dataclass(frozen=True, slots=True)
class JacobianCovariance(ZeroShotEstimator):
    """How differently the network responds to different images (Mellor et al., 2020, first version).

    With J the gradient of the sum of logits to each image and v the eigenvalues of the correlation matrix of its rows:
    -sum [log(v + 1e-5) + 1 / (v + 1e-5)]. Undefined if an image's gradient is constant, as in a network that no path
    joins to its input.
    """

    name: ClassVar[str] = "jacob_cov"
    needs: ClassVar[tuple[str, ...]] = ("input_jacobian",)

    def score(self, probe: Probe) -> float:
        """Minus the sum of log(v + 1e-5) + 1 / (v + 1e-5) over the eigenvalues v."""
        correlation = torch.corrcoef(probe.input_jacobian.flatten(1).cpu().double())
        if not bool(correlation.isfinite().all()):
            return math.nan
        shifted = torch.linalg.eigvalsh(correlation) + _SHIFT
        return -float((shifted.log() + 1 / shifted).sum())
