"""Estimators from the weights and the gradients of the loss to them: l2_norm, grad_norm, plain, snip, grasp, fisher."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import torch
from annotated_types import Gt
from typing_extensions import override

from benchsuite.core.errors import SuiteError
from benchsuite.estimators.torchtools.derivatives import depends, hessian_product
from benchsuite.estimators.torchtools.instruments import weights_of
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator

if TYPE_CHECKING:
    from torch import Tensor

    from benchsuite.estimators.zero_shot.probe import Probe


@dataclass(frozen=True, slots=True)
class L2Norm(ZeroShotEstimator):
    """Sum over layers of the L2 norm of the weights, Krishnakumar et al. (NeurIPS 2022 Datasets and Benchmarks).

    It depends neither on data nor on the loss. An initialisation all but fixes the norm of a layer by its shape, so
    this estimator counts layers and channels, and prefers large networks.
    """

    name: ClassVar[str] = "l2_norm"
    batched: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("weights",)

    @override
    def score(self, probe: Probe) -> float:
        return sum(float(weight.norm()) for weight in probe.weights)  # sum_l ||w_l||_2


@dataclass(frozen=True, slots=True)
class GradientNorm(ZeroShotEstimator):
    """Sum over layers of the L2 norm of dL/dw, Abdelfattah et al. (ICLR 2021).

    It prefers networks whose gradients explode, such as deep ones without skip connections.
    """

    name: ClassVar[str] = "grad_norm"
    needs: ClassVar[tuple[str, ...]] = ("weight_gradients",)

    @override
    def score(self, probe: Probe) -> float:
        return sum(float(gradient.norm()) for gradient in probe.weight_gradients)  # sum_l ||dL/dw_l||_2


@dataclass(frozen=True, slots=True)
class Plain(ZeroShotEstimator):
    """Sum over all weights of w dL/dw, Abdelfattah et al. (ICLR 2021).

    The terms of a layer that batch normalisation follows cancel up to rounding: what remains is the layers after the
    last batch normalisation.
    """

    name: ClassVar[str] = "plain"
    needs: ClassVar[tuple[str, ...]] = ("weight_gradients",)

    @override
    def score(self, probe: Probe) -> float:
        return sum(float((w * g).sum()) for w, g in zip(probe.weights, probe.weight_gradients, strict=True))


@dataclass(frozen=True, slots=True)
class Snip(ZeroShotEstimator):
    """Sum over all weights of abs(w dL/dw), Lee et al. (ICLR 2019).

    Its ranking resembles that of grad_norm: it prefers networks whose gradients explode.
    """

    name: ClassVar[str] = "snip"
    needs: ClassVar[tuple[str, ...]] = ("weight_gradients",)

    @override
    def score(self, probe: Probe) -> float:
        return sum(float((w * g).abs().sum()) for w, g in zip(probe.weights, probe.weight_gradients, strict=True))


@dataclass(frozen=True, slots=True)
class Grasp(ZeroShotEstimator):
    """Sum over all weights of -w (H g), H and g Hessian and gradient of the loss, Wang et al. (ICLR 2020).

    Where batch normalisation makes the loss independent of the scale of a layer's weights, the layer contributes the
    square of its gradient's norm, so that grasp agrees with grad_norm. A network without a second derivative, such as
    one that uses a fused kernel for attention, is unsupported.

    Attributes
    ----------
    temperature
        Divides the logits before the loss; the authors' own code takes 200, later public code 1.
    batches
        1: H and g are of the loss of the minibatch. 2: of the sum of the losses of its two halves, each a pass of its
        own, as in the authors' code. All forms but the default one take passes of their own.
    """

    temperature: Annotated[float, Gt(0)] = 1.0
    batches: Literal[1, 2] = 1
    name: ClassVar[str] = "grasp"

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]  # a property: other forms share no measurement
        """The shared measurement for the default form, nothing for others."""
        return ("hessian_gradient",) if self.temperature == 1 and self.batches == 1 else ()

    @override
    def score(self, probe: Probe) -> float:
        if not self.temperature > 0 or self.batches not in {1, 2}:
            raise SuiteError(
                f"grasp: temperature = {self.temperature!r}, batches = {self.batches!r}; choose a temperature above 0 "
                "and 1 or 2 batches"
            )
        if len(probe.inputs) < self.batches:
            return math.nan
        products = probe.hessian_gradient if self.needs else self._products(probe)
        return sum(float((-w * h).sum()) for w, h in zip(probe.weights, products, strict=True))

    def _products(self, probe: Probe) -> tuple[Tensor, ...]:
        """Return H g for each weight, from the passes of this form."""
        half = len(probe.inputs) // 2
        parts = [slice(None)] if self.batches == 1 else [slice(half), slice(half, None)]
        with torch.enable_grad():
            weights = [weight.requires_grad_() for weight in weights_of(probe.network)]
            losses = [self._loss(probe, probe.inputs[part], probe.targets[part]) for part in parts]
            return hessian_product(torch.stack(losses).sum(), weights)

    def _loss(self, probe: Probe, inputs: Tensor, targets: Tensor) -> Tensor:
        leaf = inputs.detach().requires_grad_()
        logits = probe.run(leaf)
        loss = probe.loss_function(logits / self.temperature, targets)
        return loss if depends(logits, leaf) else loss.detach()


@dataclass(frozen=True, slots=True)
class Fisher(ZeroShotEstimator):
    """Sum over channels c of D_c = 1/2 mean_n (sum_hw z dL/dz)^2, Turner et al. (ICLR 2020).

    z is the output of each call of a Conv2d or Linear layer, before normalisation; a layer whose weight is read without
    a call, such as the last one of nn.MultiheadAttention, does not count. It prefers networks whose gradients explode.

    Attributes
    ----------
    aggregate
        "broadcast" counts D_c once for each weight of channel c, as public code does; "channel" counts it once.
    """

    aggregate: Literal["broadcast", "channel"] = "broadcast"
    name: ClassVar[str] = "fisher"
    needs: ClassVar[tuple[str, ...]] = ("activation_gradients",)

    @override
    def score(self, probe: Probe) -> float:
        if self.aggregate not in {"broadcast", "channel"}:
            raise SuiteError(f"fisher: aggregate = {self.aggregate!r}; choose 'broadcast' or 'channel'")
        total = 0.0
        for activation in probe.activation_gradients:
            products = activation.output * activation.gradient
            saliency = products.flatten(2).sum(2) if products.dim() > 2 else products  # sum_hw z dL/dz, (n, c)
            weights = activation.weight[0].numel() if self.aggregate == "broadcast" else 1
            total += weights * float(saliency.square().mean(0).sum()) / 2  # sum_c D_c
        return total
