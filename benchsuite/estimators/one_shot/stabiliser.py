"""SCARLET's equivariant learnable stabiliser: linear maps replace skip connections while weights are shared."""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from benchsuite.core.errors import UnknownNameError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchsuite.core.space import Space
    from benchsuite.core.supernet import Substitute

STABILISERS = ("none", "skip", "skip+pool")
STARTS = ("identity", "he")
_COMMUTING = (nn.Identity, nn.AvgPool2d, nn.AdaptiveAvgPool2d)  # with maps of each pixel's channels


class ELS(nn.Conv2d):
    """A 1x1 convolution without bias, normalisation or activation: the equivariant learnable stabiliser.

    It replaces a skip connection while a supernet is trained and its architectures are scored; their own networks have
    the plain identity. The stabilised network can compute the same functions as the plain one, and no others, as long
    as the next block absorbs the linear map (`fold`). On NAS-Bench-201 and NAS-Bench-301, where a skip leads to a sum
    and that to a ReLU, the next block does not, and the stabiliser is a heuristic. The same holds where the next block
    adds its input to its output, as the residual blocks in the stages of NAS-Bench-Macro and of SCARLET's own space do.

    Parameters
    ----------
    channels
        Of input and output.
    start
        Initialisation of the weights: "identity", so that the untrained network equals that of plain skips; or "he",
        normal with variance 2 / channels, as SCARLET's authors initialise every convolution. torch's default, a
        variance of 1 / (3 channels), shrinks features at every skip: with many skips in a row, supernets hardly train.

    Raises
    ------
    UnknownNameError
        If `start` is another word.

    References
    ----------
    Chu, Zhang, Li, Xu and Li: SCARLET-NAS: Bridging the gap between stability and scalability in weight-sharing
    neural architecture search. ICCV workshops 2021, arXiv:1908.06022.

    Examples
    --------
    >>> ELS(8).weight.shape
    torch.Size([8, 8, 1, 1])
    """

    def __init__(self, channels: int, start: str = "identity") -> None:
        if start not in STARTS:
            raise UnknownNameError("stabiliser start", start, STARTS)
        super().__init__(channels, channels, 1, bias=False)
        if start == "identity":
            nn.init.dirac_(self.weight)
        else:
            nn.init.normal_(self.weight, std=math.sqrt(2 / channels))


def substitutes(stabiliser: str, space: Space, start: str = "identity") -> dict[str, Substitute]:
    """Return the modules that replace operations, in the form that `space.supernet` takes.

    Parameters
    ----------
    stabiliser
        "none"; "skip": an ELS for each skip; "skip+pool": also an ELS after each pooling, if the space has any.
    space
        Search space.
    start
        Initialisation of each ELS, see `ELS`.

    Returns
    -------
    dict
        Functions that make a module from the number of channels, by operation.

    Raises
    ------
    UnknownNameError
        If `stabiliser` is another word.
    UnsupportedError
        If the space lacks skip connections.

    Examples
    --------
    >>> from benchsuite.spaces.nasbench201.space import NASBench201
    >>> sorted(substitutes("skip+pool", NASBench201()))
    ['avg_pool_3x3', 'skip_connect']
    """
    if stabiliser not in STABILISERS:
        raise UnknownNameError("stabiliser", stabiliser, STABILISERS)
    if stabiliser == "none":
        return {}
    if not space.skips:
        raise UnsupportedError(
            f"the space {space.name!r} lacks skip connections to stabilise; choose stabiliser = 'none'"
        )
    pools = space.pools() if stabiliser == "skip+pool" else {}
    stabilise = partial(ELS, start=start)
    return {
        **dict.fromkeys(space.skips, stabilise),
        **{name: partial(_pooled, make, stabilise) for name, make in pools.items()},
    }


def fold(els: ELS, following: nn.Module) -> nn.Conv2d:
    """Return the convolution that computes what the stabiliser and then the first convolution of `following` compute.

    It replaces both, with the same result for all inputs: linear maps of each pixel's channels without bias compose
    with convolutions and commute with padding and average pooling.

    Parameters
    ----------
    els
        The stabiliser.
    following
        The only module that reads the stabiliser's output: a convolution, a sequence of modules, or a block whose
        attribute `residual` says whether it adds its input to its output.

    Returns
    -------
    Conv2d
        A new module.

    Raises
    ------
    UnsupportedError
        If there is no such convolution: `following` adds its input to its output, begins with something that is not
        linear, or its first convolution has groups, which the result would not have.

    Examples
    --------
    >>> els, convolution, images = ELS(3), nn.Conv2d(3, 5, 3, padding=1), torch.randn(1, 3, 6, 6)
    >>> torch.allclose(fold(els, convolution)(images), convolution(els(images)), atol=1e-5)
    True
    """
    convolution = _first_convolution(following)
    if convolution.groups > 1:
        raise UnsupportedError(
            f"a convolution of {convolution.groups} groups cannot absorb a stabiliser: it would lose its groups"
        )
    if convolution.in_channels != els.out_channels:
        raise UnsupportedError(
            f"a convolution of {convolution.in_channels} channels does not follow a stabiliser of {els.out_channels}"
        )
    folded = copy.deepcopy(convolution)
    # W'[o, i, h, w] = sum_m W[o, m, h, w] S[m, i]
    weight = torch.einsum("omhw,mi->oihw", convolution.weight.detach(), els.weight.detach()[:, :, 0, 0])
    folded.weight = nn.Parameter(weight)
    return folded


def _pooled(make: Callable[[], nn.Module], stabilise: Substitute, channels: int) -> nn.Sequential:
    """Return a pooling, followed by a stabiliser."""
    return nn.Sequential(make(), stabilise(channels))


def _first_convolution(following: nn.Module) -> nn.Conv2d:
    for module in _row(following):
        if isinstance(module, nn.Conv2d):
            return module
        if not isinstance(module, _COMMUTING):
            raise UnsupportedError(
                f"{type(following).__name__} begins with {type(module).__name__}, which cannot absorb a linear map"
            )
    raise UnsupportedError(f"{type(following).__name__} lacks a convolution to absorb the stabiliser")


def _row(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the modules that an input passes one after the other."""
    residual = getattr(module, "residual", None)
    if residual:
        raise UnsupportedError(
            f"{type(module).__name__} adds its input to its output: the stabiliser would be missing in the sum"
        )
    if isinstance(module, nn.Sequential) or residual is False:
        for part in module.children():
            yield from _row(part)
    else:
        yield module
