"""Synaptic flow: how much a network passes from input to output, whatever the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from benchsuite.estimators.base import ZeroShotEstimator

if TYPE_CHECKING:
    from benchsuite.estimators.zero_shot.probe import Probe


@dataclass(frozen=True, slots=True)
class SynFlow(ZeroShotEstimator):
    """Sum over all weights of abs(w dR/dw), R the sum of logits of the linearised network (Tanaka et al., 2020).

    The network's parameters (biases too) are replaced by their absolute values, batch normalisation is bypassed, the
    input is one image of ones; float64, as values reach 1e80 in deep networks. It knows neither data nor loss.

    Parameters
    ----------
    log
        False: the sum as published. True: the sum of abs(w) log(1 + dR/dw), LogSynflow (Cavagnero et al., WACV 2023),
        which keeps large gradients from outweighing all others.
    """

    log: bool = False
    name: ClassVar[str] = "synflow"
    batched: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("absolute_gradients",)

    def score(self, probe: Probe) -> float:
        """Sum of abs(w dR/dw), or its logarithmic form."""
        total = 0.0
        for weight, gradient in zip(probe.weights, probe.absolute_gradients, strict=True):
            flow = gradient.log1p() if self.log else gradient
            total += float((weight.double() * flow).abs().sum())
        return total
