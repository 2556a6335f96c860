"""Estimators from gradients of the loss: grad_norm, plain, snip, grasp, fisher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from benchsuite.core import SuiteError
from benchsuite.estimators.base import ZeroShotEstimator

if TYPE_CHECKING:
    from benchsuite.estimators.zero_shot.probe import Probe


@dataclass(frozen=True, slots=True)
class GradientNorm(ZeroShotEstimator):
    """Sum over layers of the L2 norm of dL/dw (Abdelfattah et al., ICLR 2021)."""

    name: ClassVar[str] = "grad_norm"
    needs: ClassVar[tuple[str, ...]] = ("weight_gradients",)

    def score(self, probe: Probe) -> float:
        """Sum of the layers' gradient norms."""
        return sum(float(gradient.norm()) for gradient in probe.weight_gradients)


@dataclass(frozen=True, slots=True)
class Plain(ZeroShotEstimator):
    """Sum over all weights of w dL/dw (Abdelfattah et al., ICLR 2021).

    Under batch normalisation the terms of a layer cancel, apart from rounding and the layers behind the last one.
    """

    name: ClassVar[str] = "plain"
    needs: ClassVar[tuple[str, ...]] = ("weight_gradients",)

    def score(self, probe: Probe) -> float:
        """Sum of w dL/dw."""
        return sum(float((w * g).sum()) for w, g in zip(probe.weights, probe.weight_gradients, strict=True))


@dataclass(frozen=True, slots=True)
class Snip(ZeroShotEstimator):
    """Sum over all weights of abs(w dL/dw) (Lee et al., ICLR 2019)."""

    name: ClassVar[str] = "snip"
    needs: ClassVar[tuple[str, ...]] = ("weight_gradients",)

    def score(self, probe: Probe) -> float:
        """Sum of abs(w dL/dw)."""
        return sum(float((w * g).abs().sum()) for w, g in zip(probe.weights, probe.weight_gradients, strict=True))


@dataclass(frozen=True, slots=True)
class Grasp(ZeroShotEstimator):
    """Sum over all weights of -w (H g), H and g Hessian and gradient of the loss (Wang et al., ICLR 2020)."""

    name: ClassVar[str] = "grasp"
    needs: ClassVar[tuple[str, ...]] = ("hessian_gradient",)

    def score(self, probe: Probe) -> float:
        """Sum of -w (H g)."""
        return sum(float((-w * h).sum()) for w, h in zip(probe.weights, probe.hessian_gradient, strict=True))


@dataclass(frozen=True, slots=True)
class Fisher(ZeroShotEstimator):
    """Sum over channels c of D_c = 1/2 mean_n (sum_hw z dL/dz)^2 (Turner et al., ICLR 2020).

    z is the output of each Conv2d and Linear layer, before normalisation.

    Parameters
    ----------
    aggregate
        "broadcast" counts D_c once for each weight of channel c, as public code does; "channel" counts it once.
    """

    aggregate: str = "broadcast"
    name: ClassVar[str] = "fisher"
    needs: ClassVar[tuple[str, ...]] = ("activation_gradients",)

    def score(self, probe: Probe) -> float:
        """Sum of D_c over channels, times the weights of a channel if broadcast."""
        if self.aggregate not in {"broadcast", "channel"}:
            raise SuiteError(f"fisher: aggregate = {self.aggregate!r}; choose 'broadcast' or 'channel'")
        total = 0.0
        for activation in probe.activation_gradients:
            products = activation.output * activation.gradient
            saliency = products.flatten(2).sum(2) if products.dim() > 2 else products
            weights = activation.weight[0].numel() if self.aggregate == "broadcast" else 1
            total += weights * float(saliency.square().mean(0).sum()) / 2
        return total
