"""AZ-NAS (Lee et al., CVPR 2024): expressivity, progressivity and trainability of the blocks that a network declares.

The three are parts of one ranking: a suite's `[[combination]]` named "az" joins them with the multiply-adds. They look
at one network: drawn anew (Kaiming's normal distribution by the fan-in, biases 0, normalisations 1 and 0), in training
mode, on an input of the minibatch's shape from the standard normal distribution. What the images show does not matter.

A network says what its blocks are by a method `feature_blocks()`: the modules whose outputs are looked at, in the order
of the forward pass, the stem first, then each cell or block; outputs of shape (batch, channels, height, width).
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import nn
from torch.nn.functional import pixel_unshuffle

from benchsuite.core import UnsupportedError
from benchsuite.estimators.base import ZeroShotEstimator
from benchsuite.estimators.zero_shot.instruments import (
    SingleValueError,
    draw_weights,
    normal_like,
    single_values_refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from benchsuite.estimators.zero_shot.probe import Probe

_SHIFT = 1e-6  # the published constant that keeps the penalty of vanished gradients finite


@runtime_checkable
class HasBlocks(Protocol):
    """A network that says what its blocks are."""

    def feature_blocks(self) -> Sequence[nn.Module]:
        """The stem and each cell or block, in the order of the forward pass."""
        ...


@dataclass(frozen=True, slots=True)
class AZExpressivity(ZeroShotEstimator):
    """Sum over blocks of the entropy of their channels' principal components (Lee et al., CVPR 2024).

    The entropy is that of the eigenvalues, divided by their sum, of the covariance of channels over images and
    positions: log of the number of channels if they say different things, 0 if all say the same. Undefined if a block
    gives a constant, as a cell without path does. It grows with width and with the number of blocks. Networks that
    declare no blocks are unsupported.
    """

    name: ClassVar[str] = "az_expressivity"

    def score(self, probe: Probe) -> float:
        """Sum of the entropies."""
        return math.fsum(_entropies(probe))


@dataclass(frozen=True, slots=True)
class AZProgressivity(ZeroShotEstimator):
    """Least growth of that entropy from one block to the next (Lee et al., CVPR 2024).

    Undefined for one block, and if a block gives a constant. It is that of the worst pair of blocks alone, so that it
    changes more from seed to seed than a sum. Networks that declare no blocks are unsupported.
    """

    name: ClassVar[str] = "az_progressivity"

    def score(self, probe: Probe) -> float:
        """Least difference between the entropies of a block and the one before."""
        differences = [after - before for before, after in pairwise(_entropies(probe))]
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

    def score(self, probe: Probe) -> float:
        """Mean of 2 - s - 1 / (s + 1e-6) over the blocks behind the first."""
        with torch.enable_grad():
            first, *others = _at_blocks(probe, lambda before, after: _preserved_gradient(before, after, probe.rng))
        return math.fsum(others) / len(others) if others else first


def _entropies(probe: Probe) -> list[float]:
    """The entropy of each block's features."""
    with torch.no_grad():
        return _at_blocks(probe, lambda _, after: spectral_entropy(after))


def _at_blocks(probe: Probe, measure: Callable[[Tensor | None, Tensor], float]) -> list[float]:
    """What `measure` gives of the features before and after each block, in one forward pass; None before the first.

    Features of one block are a leaf for the next, so that no more than one block's graph is held. All estimators draw
    the same weights and inputs.
    """
    found: list[float] = []
    before: Tensor | None = None

    def note(block: nn.Module, inputs: tuple[Any, ...], output: Any) -> Tensor:
        nonlocal before
        if not isinstance(output, torch.Tensor) or output.dim() != 4:
            raise UnsupportedError(f"the block {type(block).__name__} gives no features of four dimensions")
        found.append(measure(before, output))
        before = output.detach().requires_grad_(torch.is_grad_enabled())
        return before.clone()  # which the network may change in place

    blocks = _blocks(probe.network)
    draw_weights(probe.network, probe.rng, lambda weight: math.sqrt(2 / weight[0].numel()))
    probe.network.requires_grad_(requires_grad=False)  # no gradient to weights is asked for
    with ExitStack() as stack:
        for block in blocks:
            stack.callback(block.register_forward_hook(note).remove)
        try:
            with single_values_refused(probe.network):
                probe.run(normal_like(probe.inputs, probe.rng))
        except SingleValueError:
            return [math.nan]
    if not found:
        raise UnsupportedError(f"no block that {type(probe.network).__name__} declares is run by its forward pass")
    return found


def _blocks(network: nn.Module) -> Sequence[nn.Module]:
    if not isinstance(network, HasBlocks):
        raise UnsupportedError(
            f"{type(network).__name__} declares no blocks; give it a method feature_blocks() that lists its stem and "
            "blocks in the order of the forward pass"
        )
    return network.feature_blocks()


def spectral_entropy(features: Tensor) -> float:
    """Entropy of the normalised eigenvalues of the channels' covariance; NaN if no channel varies or one overflows.

    Parameters
    ----------
    features
        Shape (batch, channels, height, width).

    Examples
    --------
    >>> channel = torch.tensor([[1.0, -1.0], [1.0, -1.0]])
    >>> round(spectral_entropy(torch.stack([channel, channel.T])[None]), 4) == round(math.log(2), 4)
    True
    """
    columns = features.flatten(2).double()
    centred = columns - columns.mean((0, 2), keepdim=True)
    covariance = torch.einsum("ncp,ndp->cd", centred, centred).cpu()
    if not bool(covariance.isfinite().all()):
        return math.nan
    spectrum = torch.linalg.eigvalsh(covariance).clamp(min=0)
    return float(torch.special.entr(spectrum / spectrum.sum()).sum())


def _preserved_gradient(before: Tensor | None, after: Tensor, rng: torch.Generator) -> float:
    """2 - s - 1 / (s + 1e-6) of a block; NaN of the first, and of one that hands its input on unchanged."""
    if before is None:
        return math.nan
    signs = torch.empty(after.shape).bernoulli_(0.5, generator=rng).mul(2).sub(1).to(after)
    gradient = torch.zeros_like(before)
    if after.requires_grad:
        [gradient] = torch.autograd.grad(after, before, signs, materialize_grads=True)
    if torch.equal(gradient, signs):
        return math.nan
    largest = gradient_gain(gradient, signs)
    return 2 - largest - 1 / (largest + _SHIFT)


def gradient_gain(inner: Tensor, outer: Tensor) -> float:
    """Largest singular value of the mean, over images and positions, of g_in g_out'.

    Parameters
    ----------
    inner, outer
        Gradients before and behind a block, shape (batch, channels, height, width); the sides of `inner` are
        those of `outer` or a multiple, whose pixels are moved into channels.

    Raises
    ------
    UnsupportedError
        If the sides are no multiples.

    Examples
    --------
    >>> signs = torch.tensor([1.0, 1.0, -1.0, -1.0]).reshape(4, 1, 1, 1)
    >>> gradient_gain(3 * signs, signs)
    3.0
    """
    stride = inner.shape[2] // outer.shape[2]
    if stride < 1 or inner.shape[2:] != (stride * outer.shape[2], stride * outer.shape[3]):
        sides = f"{tuple(inner.shape[2:])} to {tuple(outer.shape[2:])}"
        raise UnsupportedError(f"az_trainability: a block takes sides from {sides}; it must divide them evenly")
    rows = pixel_unshuffle(inner, stride).flatten(2).double()
    mean = torch.einsum("ncp,ndp->cd", rows, outer.flatten(2).double()) / (rows.shape[0] * rows.shape[2])
    return float(torch.linalg.matrix_norm(mean.cpu(), 2))
