"""Synaptic flow: how much a network passes from input to output, independent of data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from benchsuite.estimators.zero_shot.family import ZeroShotEstimator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from benchsuite.estimators.zero_shot.probe import Probe


@dataclass(frozen=True, slots=True)
class SynFlow(ZeroShotEstimator):
    """Sum over all weights of abs(w dR/dw), R the sum of logits of the linearised network, Tanaka et al. (2020).

    The network's parameters (biases too) are replaced by their absolute values, batch normalisation is bypassed, and
    the input is one image of ones; float64, as values reach 1e80 in deep networks. It depends neither on data nor on a
    loss. Large networks are preferred; beyond 1e308 the score is undefined. Other kinds of normalisation stay.

    Attributes
    ----------
    log
        False: the sum as published. True: LogSynflow (Cavagnero et al., WACV 2023), the sum of abs(w) log(1 + dR/dw),
        which keeps large gradients from outweighing all others.
    """

    log: bool = False
    name: ClassVar[str] = "synflow"
    batched: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("absolute_gradients",)

    @override
    def score(self, probe: Probe) -> float:
        gradients = probe.absolute_gradients
        return _flow(probe.weights, [gradient.abs().log1p() for gradient in gradients] if self.log else gradients)


@dataclass(frozen=True, slots=True)
class SynFlowWithNorm(ZeroShotEstimator):
    """Sum over all weights of abs(w dR/dw) with batch normalisation, R and the rest as in synflow.

    The second form in public code (Abdelfattah et al., ICLR 2021). Batch normalisation, in training mode, normalises
    the one image of ones: of a map that is almost constant, only rounding is left. Undefined where a map has one pixel.
    In a network without batch normalisation it equals synflow.
    """

    name: ClassVar[str] = "synflow_bn"
    batched: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("absolute_gradients_with_norm",)

    @override
    def score(self, probe: Probe) -> float:
        return _flow(probe.weights, probe.absolute_gradients_with_norm)


def _flow(weights: Sequence[Tensor], gradients: Sequence[Tensor]) -> float:
    """Return the sum of abs(w g)."""
    return sum(float((w.double() * g).abs().sum()) for w, g in zip(weights, gradients, strict=True))
