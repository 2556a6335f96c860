"""The pass that the parts of AZ-NAS share: entropies of each block's features, and how a gradient grows going back.

It measures not the given weights but a reinitialised network (Kaiming's normal distribution by the fan-in, biases 0,
normalisations 1 and 0), on an input of the minibatch's shape from the standard normal distribution.

Lee et al., "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR 2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
from torch import nn
from torch.nn.functional import pixel_unshuffle

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.identity import seed_of
from benchsuite.estimators.torchtools.instruments import (
    SingleValueError,
    draw_weights,
    normal_like,
    single_values_refused,
)
from benchsuite.estimators.torchtools.preserve import preserved

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from torch import Tensor


@runtime_checkable
class HasBlocks(Protocol):
    """A network that declares its blocks."""

    def feature_blocks(self) -> Sequence[nn.Module]:
        """Return the stem and each cell or block, in the order of the forward pass."""
        ...


def block_pass(
    network: nn.Module, inputs: Tensor, names: Collection[str], *, run: Callable[[Tensor], Tensor], seed: int
) -> dict[str, tuple[float, ...]]:
    """Return some of "block_entropies" and "block_gains", from one forward pass; neither depends on the other.

    The network comes back as it was. A measurement is a single NaN where batch normalisation sees one value per
    channel.

    Parameters
    ----------
    network
        A network that declares its blocks.
    inputs
        A minibatch, of which shape, dtype and device are read.
    names
        The measurements to take.
    run
        Runs the network on inputs of that shape.
    seed
        Of the weights, the inputs and the gradients, which are all drawn.

    Returns
    -------
    dict
        A value for each block (gains: for each but the first), by measurement.

    Raises
    ------
    UnsupportedError
        If the network declares no blocks or runs none, a block does not return feature maps or, for gains, the sides of
        its feature maps do not divide those of the block before.
    """
    watch = _BlockWatch({name: [] for name in names}, torch.Generator().manual_seed(seed_of("estimator", seed)))
    blocks = _blocks(network)
    with preserved(network), single_values_refused(network), torch.set_grad_enabled("block_gains" in names):
        draw_weights(network, watch.rng, lambda weight: math.sqrt(2 / weight[0].numel()))
        network.requires_grad_(requires_grad=False)  # no gradient to weights is asked for
        for block in blocks:
            block.register_forward_hook(watch.note)
        try:
            run(normal_like(inputs, watch.rng))
        except SingleValueError:
            return dict.fromkeys(names, (math.nan,))
    if watch.before is None:
        raise UnsupportedError(f"{type(network).__name__} declares blocks, but its forward pass runs none of them")
    return {name: tuple(values) for name, values in watch.found.items()}


@dataclass(slots=True)
class _BlockWatch:
    """Measures what comes out of each block, and hands it on as a leaf: no more than one block's graph is held."""

    found: dict[str, list[float]]
    rng: torch.Generator
    before: Tensor | None = None

    def note(self, block: nn.Module, inputs: tuple[Any, ...], output: Any) -> Tensor:
        """Return a block's features without their graph."""
        if not isinstance(output, torch.Tensor) or output.dim() != 4:
            raise UnsupportedError(f"the block {type(block).__name__} does not return feature maps (4 dimensions)")
        if "block_gains" in self.found and self.before is not None:
            self.found["block_gains"].append(_gain(self.before, output, self.rng))  # first, as it frees the graph
        self.before = output.detach().requires_grad_(torch.is_grad_enabled())
        if "block_entropies" in self.found:
            self.found["block_entropies"].append(spectral_entropy(output.detach()))
        return self.before.clone()  # which the network may change in place


def _blocks(network: nn.Module) -> Sequence[nn.Module]:
    if not isinstance(network, HasBlocks):
        raise UnsupportedError(
            f"{type(network).__name__} does not declare its blocks; give it a method feature_blocks() that lists its "
            "stem and blocks in the order of the forward pass"
        )
    return network.feature_blocks()


def spectral_entropy(features: Tensor) -> float:
    """Return the entropy of the normalised eigenvalues of the channels' covariance.

    Parameters
    ----------
    features
        Shape (batch, channels, height, width).

    Returns
    -------
    float
        In nats; NaN if all channels are constant or one overflows.

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
    return float(torch.special.entr(spectrum / spectrum.sum()).sum())  # -sum_i p_i log p_i


def _gain(before: Tensor, after: Tensor, rng: torch.Generator) -> float:
    """Return the gain of random signs that go back through a block; NaN if it returns its input unchanged."""
    signs = torch.empty(after.shape).bernoulli_(0.5, generator=rng).mul(2).sub(1).to(after)
    gradient = torch.zeros_like(before)
    if after.requires_grad:
        [gradient] = torch.autograd.grad(after, before, signs, materialize_grads=True)
    return math.nan if torch.equal(gradient, signs) else gradient_gain(gradient, signs)


def gradient_gain(inner: Tensor, outer: Tensor) -> float:
    """Return the largest singular value of the mean, over images and positions, of g_in g_out'.

    Parameters
    ----------
    inner, outer
        Gradients g_in before and g_out after a block, shape (batch, channels, height, width); the sides of `inner` are
        those of `outer` or a multiple, whose pixels are moved into channels.

    Returns
    -------
    float
        1 for a block that preserves gradients.

    Raises
    ------
    UnsupportedError
        If the sides are not multiples.

    Examples
    --------
    >>> signs = torch.tensor([1.0, 1.0, -1.0, -1.0]).reshape(4, 1, 1, 1)
    >>> gradient_gain(3 * signs, signs)
    3.0
    """
    stride = inner.shape[2] // outer.shape[2]
    if stride < 1 or inner.shape[2:] != (stride * outer.shape[2], stride * outer.shape[3]):
        sides = f"{tuple(inner.shape[2:])} to {tuple(outer.shape[2:])}"
        raise UnsupportedError(
            f"az_trainability: a block changes sides from {sides}; it must divide them by an integer"
        )
    rows = pixel_unshuffle(inner, stride).flatten(2).double()
    mean = torch.einsum("ncp,ndp->cd", rows, outer.flatten(2).double()) / (rows.shape[0] * rows.shape[2])
    return float(torch.linalg.matrix_norm(mean.cpu(), 2))  # s, the largest singular value
