"""GradSign: how far images agree on the direction in which to move each weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from typing_extensions import override

from benchsuite.core.errors import SuiteError
from benchsuite.estimators.torchtools.derivatives import depends
from benchsuite.estimators.torchtools.instruments import SingleValueError, single_values_refused, weights_of
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from benchsuite.estimators.zero_shot.probe import Probe


@dataclass(frozen=True, slots=True)
class GradSign(ZeroShotEstimator):
    """Sum over weights k of abs(sum over images i of sign(dl(x_i)/dw_k)), Zhang and Jia (ICLR 2022).

    Each image is a batch of its own, also for batch normalisation; undefined if that sees one value per channel. It is
    slow, as each image takes a pass of its own, and sensitive to rounding, which decides the signs of gradients near
    zero. As a sum it mostly follows the number of weights. It is 0 in a network without a path.

    Attributes
    ----------
    form
        "sum" over weights as published; "mean" over the weights on which the loss depends, the form in AZ-NAS.
    """

    form: Literal["sum", "mean"] = "sum"
    name: ClassVar[str] = "gradsign"

    @override
    def score(self, probe: Probe) -> float:
        if self.form not in {"sum", "mean"}:
            raise SuiteError(f"gradsign: form = {self.form!r}; must be 'sum' or 'mean'")
        try:
            with single_values_refused(probe.network), torch.enable_grad():
                return self._agreement(probe)
        except SingleValueError:
            return math.nan

    def _agreement(self, probe: Probe) -> float:
        probe.network.requires_grad_(False)
        weights = [weight.requires_grad_() for weight in weights_of(probe.network)]
        logits: list[Tensor] = []
        signs: list[Tensor | None] = [None] * len(weights)
        for i in range(len(probe.inputs)):
            output = probe.run(probe.inputs[i : i + 1])
            loss = probe.loss_function(output, probe.targets[i : i + 1])
            signs = [_added(total, gradient) for total, gradient in zip(signs, _gradients(loss, weights), strict=True)]
            logits.append(output.detach())
        used = [total for total in signs if total is not None]
        if not used or not _depends_on_inputs(probe, torch.cat(logits)):
            return 0.0
        total = math.fsum(float(layer.abs().sum(dtype=torch.float64)) for layer in used)  # sum_k abs(sum_i sign)
        return total if self.form == "sum" else total / sum(layer.numel() for layer in used)


def _gradients(loss: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    if not loss.requires_grad:
        return (None,) * len(weights)
    return torch.autograd.grad(loss, weights, allow_unused=True)


def _added(total: Tensor | None, gradient: Tensor | None) -> Tensor | None:
    """Return the total plus the signs of one more gradient; NaN where that is NaN."""
    if gradient is None:
        return total
    sign = gradient.sign().masked_fill_(gradient.isnan(), math.nan)
    return sign if total is None else total.add_(sign)


def _depends_on_inputs(probe: Probe, logits: Tensor) -> bool:
    """Return whether the logits depend on the inputs; where they do not, gradients are zero by definition."""
    if bool((logits != logits[:1]).any()):
        return True
    image = probe.inputs[:1].detach().requires_grad_()
    return depends(probe.run(image), image)
