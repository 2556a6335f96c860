"""AZ-NAS (Lee et al., CVPR 2024): expressivity, progressivity and trainability of the blocks that a network declares.

The three are parts of one ranking: a suite's `[[combination]]` named "az" joins them with the multiply-adds. They look
at one network: drawn anew (Kaiming's normal distribution by the fan-in, biases 0, normalisations 1 and 0), in training
mode, on an input of the minibatch's shape from the standard normal distribution. What the images show does not matter.

A network says what its blocks are by a method `feature_blocks()`: the modules whose outputs are looked at, in the order
of the forward pass, the stem first, then each cell or block; outputs of shape (batch, channels, height, width).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from benchsuite.estimators.zero_shot.family import ZeroShotEstimator

if TYPE_CHECKING:
    from benchsuite.estimators.zero_shot.probe import Probe

_SHIFT = 1e-6  # the published constant that keeps the penalty of vanished gradients finite


@dataclass(frozen=True, slots=True)
class AZExpressivity(ZeroShotEstimator):
    """Sum over blocks of the entropy of their channels' principal components (Lee et al., CVPR 2024).

    The entropy is that of the eigenvalues, divided by their sum, of the covariance of channels over images and
    positions: log of the number of channels if they say different things, 0 if all say the same. Undefined if a block
    gives a constant, as a cell without path does. It grows with width and with the number of blocks. Networks that
    declare no blocks are unsupported.
    """

    name: ClassVar[str] = "az_expressivity"
    needs: ClassVar[tuple[str, ...]] = ("block_entropies",)

    def score(self, probe: Probe) -> float:
        """Sum of the entropies."""
        return math.fsum(probe.block_entropies)


@dataclass(frozen=True, slots=True)
class AZProgressivity(ZeroShotEstimator):
    """Least growth of that entropy from one block to the next (Lee et al., CVPR 2024).

    Undefined for one block, and if a block gives a constant. It is that of the worst pair of blocks alone, so that it
    changes more from seed to seed than a sum. Networks that declare no blocks are unsupported.
    """

    name: ClassVar[str] = "az_progressivity"
    needs: ClassVar[tuple[str, ...]] = ("block_entropies",)

    def score(self, probe: Probe) -> float:
        """Least difference between the entropies of a block and the one before."""
        differences = [after - before for before, after in pairwise(probe.block_entropies)]
        return math.nan if any(map(math.isnan, differences)) else min(differences, default=math.nan)


@dataclass(frozen=True, slots=True)
class AZTrainability(ZeroShotEstimator):
    """How well blocks keep the size of a gradient that goes back through them (Lee et al., CVPR 2024).

    Mean over blocks of 2 - s - 1 / (s + 1e-6), 0 at best, s the largest singular value of the mean over images and
    positions of g_in g_out'. g_out is -1 or 1 at random, g_in what backpropagation makes of it at the output of the
    block before, its pixels moved into channels where the block shrinks the features.

    Undefined for one block, and, as published, if a block hands its input on unchanged, which keeps gradients and
    learns nothing. Blocks that do not read the one before get -1e6 each, which outweighs all others. Networks that
    declare no blocks are unsupported, as are blocks that do not divide the sides by a whole number.
    """

    name: ClassVar[str] = "az_trainability"
    needs: ClassVar[tuple[str, ...]] = ("block_gains",)

    def score(self, probe: Probe) -> float:
        """Mean of 2 - s - 1 / (s + 1e-6) over the blocks behind the first."""
        kept = [2 - gain - 1 / (gain + _SHIFT) for gain in probe.block_gains]
        return math.fsum(kept) / len(kept) if kept else math.nan
