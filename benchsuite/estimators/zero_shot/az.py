"""AZ-NAS (Lee et al., CVPR 2024): expressivity, progressivity and trainability of the blocks that a network declares.

The three are parts of one ranking: a suite's `[[combination]]` named "az" joins them with the MACs. They measure one
network: reinitialised (Kaiming's normal distribution by the fan-in, biases 0, normalisations 1 and 0), in training
mode, on an input of the minibatch's shape from the standard normal distribution. The content of the images has no
influence.

A network declares its blocks by a method `feature_blocks()`: the modules whose outputs are measured, in the order of
the forward pass, the stem first, then each cell or block; outputs of shape (batch, channels, height, width).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from benchsuite.estimators.zero_shot.family import ZeroShotEstimator

if TYPE_CHECKING:
    from benchsuite.estimators.zero_shot.probe import Probe

_SHIFT = 1e-6  # the published constant that keeps the penalty of vanished gradients finite


@dataclass(frozen=True, slots=True)
class AZExpressivity(ZeroShotEstimator):
    """Sum over blocks of the entropy of their channels' principal components, Lee et al. (CVPR 2024).

    The entropy of a block is -sum_i p_i log p_i with p the eigenvalues, divided by their sum, of the covariance of its
    channels over images and positions: log of the number of channels if these are uncorrelated and of equal variance, 0
    if they are multiples of one another. Undefined if a block returns a constant, as a cell without a path does. It
    grows with width and with the number of blocks. Networks that do not declare blocks are unsupported.
    """

    name: ClassVar[str] = "az_expressivity"
    needs: ClassVar[tuple[str, ...]] = ("block_entropies",)

    @override
    def score(self, probe: Probe) -> float:
        return math.fsum(probe.block_entropies)


@dataclass(frozen=True, slots=True)
class AZProgressivity(ZeroShotEstimator):
    """Smallest growth of the entropy of `AZExpressivity` from one block to the next, Lee et al. (CVPR 2024).

    Undefined for one block, and if a block returns a constant. It is that of the worst pair of blocks only, so that it
    varies more from seed to seed than a sum. Networks that do not declare blocks are unsupported.
    """

    name: ClassVar[str] = "az_progressivity"
    needs: ClassVar[tuple[str, ...]] = ("block_entropies",)

    @override
    def score(self, probe: Probe) -> float:
        differences = [after - before for before, after in pairwise(probe.block_entropies)]
        return math.nan if any(map(math.isnan, differences)) else min(differences, default=math.nan)


@dataclass(frozen=True, slots=True)
class AZTrainability(ZeroShotEstimator):
    """How well blocks preserve the size of a gradient that goes back through them, Lee et al. (CVPR 2024).

    Mean over blocks of 2 - s - 1 / (s + 1e-6), at most 0, s the largest singular value of the mean over images and
    positions of g_in g_out'. g_out is -1 or 1 at random; g_in is what backpropagation turns it into at the output of
    the block before, its pixels moved into channels where the block shrinks the features.

    Undefined for one block, and, as published, if a block returns its input unchanged, which preserves gradients
    without learning anything. A block that does not read the one before contributes -1e6, which outweighs all others.
    Networks that do not declare blocks are unsupported, as are blocks that do not divide the sides by an integer.
    """

    name: ClassVar[str] = "az_trainability"
    needs: ClassVar[tuple[str, ...]] = ("block_gains",)

    @override
    def score(self, probe: Probe) -> float:
        kept = [2 - gain - 1 / (gain + _SHIFT) for gain in probe.block_gains]
        return math.fsum(kept) / len(kept) if kept else math.nan
