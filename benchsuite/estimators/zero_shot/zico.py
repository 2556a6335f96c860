"""ZiCo: gradients that agree between minibatches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from annotated_types import Ge
from typing_extensions import override

from benchsuite.core.errors import SuiteError
from benchsuite.core.identity import seed_of
from benchsuite.estimators.torchtools.instruments import SingleValueError, single_values_refused
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator
from benchsuite.estimators.zero_shot.probe import Probe

if TYPE_CHECKING:
    from torch import Tensor

_NEEDS = ("weight_gradients",)


@dataclass(frozen=True, slots=True)
class ZiCo(ZeroShotEstimator):
    """Inverse coefficient of variation of the gradients, Li et al. (ICLR 2023).

    Sum over layers of log(sum over weights of mean(abs g) / std(g)): mean and standard deviation (divisor n) of the
    gradient of the loss over the parts into which the minibatch is cut. Weights whose gradient is the same in all parts
    are left out, as are layers without other weights. Undefined if there are fewer images than parts, or if batch
    normalisation sees one value per channel. It grows with the number of layers, and on spaces of one depth mostly
    follows the number of weights; with two parts, single weights whose gradients nearly agree outweigh their layer.

    Attributes
    ----------
    parts
        Number of equal parts of the minibatch (of n images the first n % parts have one more), each a minibatch of its
        own for batch normalisation: 2 halves, as published code does with two minibatches.
    """

    parts: Annotated[int, Ge(2)] = 2
    name: ClassVar[str] = "zico"

    @override
    def score(self, probe: Probe) -> float:
        if self.parts < 2:
            raise SuiteError(f"zico: parts = {self.parts}; must be at least 2")
        if len(probe.inputs) < self.parts:
            return math.nan
        try:
            with single_values_refused(probe.network):
                gradients = [self._gradients(probe, number) for number in range(self.parts)]
        except SingleValueError:
            return math.nan
        return math.fsum(_log_ratios(torch.stack(layer)) for layer in zip(*gradients, strict=True))

    def _gradients(self, probe: Probe, number: int) -> tuple[Tensor, ...]:
        """Return the gradients of the loss of one part to each weight."""
        inputs = probe.inputs.tensor_split(self.parts)[number]
        targets = probe.targets.tensor_split(self.parts)[number]
        seed = seed_of(self.name, probe.seed, number)
        part = Probe(probe.network, inputs, targets, [_NEEDS], loss=probe.loss_function, seed=seed)
        with part, part.lent(_NEEDS):
            return part.weight_gradients


def _log_ratios(gradients: Tensor) -> float:
    """Return log(sum of mean(abs g) / std(g)) of one layer, g of shape (parts, ...); 0 if no weight's g varies."""
    varying = gradients.amax(0) != gradients.amin(0)
    chosen = gradients[:, varying].double()
    if not chosen.numel():
        return 0.0
    return float((chosen.abs().mean(0) / chosen.std(0, correction=0)).sum().log())
