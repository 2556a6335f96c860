"""Estimators from the Jacobian of the logits to the inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from typing_extensions import override

from benchsuite.core.errors import UnsupportedError
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator

if TYPE_CHECKING:
    from torch import Tensor

    from benchsuite.estimators.zero_shot.probe import Probe

_SHIFT = 1e-5  # the published constant that keeps logarithms of zero finite
_FEW_CLASSES = 100  # up to which epe_nas is a sum over classes; beyond, over pairs of them


@dataclass(frozen=True, slots=True)
class JacobianCovariance(ZeroShotEstimator):
    """How differently the network responds to different images, Mellor et al. (2020, first version).

    With J the gradient of the sum of logits to each image and v the eigenvalues of the correlation matrix of its rows:
    -sum [log(v + 1e-5) + 1 / (v + 1e-5)]. Undefined if an image's gradient is constant, as in a network without a path
    from input to logits.
    """

    name: ClassVar[str] = "jacob_cov"
    needs: ClassVar[tuple[str, ...]] = ("input_jacobian",)

    @override
    def score(self, probe: Probe) -> float:
        correlation = torch.corrcoef(probe.input_jacobian.flatten(1).cpu().double())  # (images, images)
        if not bool(correlation.isfinite().all()):
            return math.nan
        shifted = torch.linalg.eigvalsh(correlation) + _SHIFT  # v + 1e-5
        return -float((shifted.log() + 1 / shifted).sum())


@dataclass(frozen=True, slots=True)
class EPENAS(ZeroShotEstimator):
    """How similar the network's responses to images of one class are, Lopes et al. (ICANN 2021).

    With C_c the correlation matrix of the gradients of the sum of logits to the images of class c, and s_c the sum of
    log(abs(C_c) + 1e-5) over its elements: the sum over classes of abs(s_c). For a network of more than 100 classes
    (logits), s_c is divided by the class's number of images, and the score is the sum over ordered pairs of classes of
    abs(s_c - s_d), divided by the number of classes in the minibatch. The one image of a class correlates with itself.

    It grows with the number of images per class: compare only scores of the same minibatch. Undefined if an image's
    gradient is constant, as in a network without a path from input to logits.
    """

    name: ClassVar[str] = "epe_nas"
    needs: ClassVar[tuple[str, ...]] = ("logits", "input_jacobian")

    @override
    def score(self, probe: Probe) -> float:
        if probe.targets.shape != probe.inputs.shape[:1]:
            raise UnsupportedError(f"epe_nas: targets of shape {tuple(probe.targets.shape)}; give one class per image")
        rows, classes = probe.input_jacobian.flatten(1).cpu().double(), probe.targets.cpu()
        if not bool((rows != rows[:, :1]).any(1).all()):
            return math.nan
        groups = [rows[classes == each] for each in torch.unique(classes)]
        sums = torch.stack([_log_correlations(group) for group in groups])  # s_c
        if probe.logits.shape[1] <= _FEW_CLASSES:
            return float(sums.abs().sum())  # sum_c abs(s_c)
        means = sums / torch.tensor([len(group) for group in groups])
        return float((means[:, None] - means[None, :]).abs().sum() / len(groups))  # sum_cd abs(s_c - s_d) / classes


def _log_correlations(rows: Tensor) -> Tensor:
    """Return s_c: the sum over all ordered pairs of rows, equal ones included, of log(abs(correlation) + 1e-5)."""
    correlation = torch.corrcoef(rows) if len(rows) > 1 else torch.ones(1, 1, dtype=rows.dtype)
    return (correlation.abs() + _SHIFT).log().sum()
