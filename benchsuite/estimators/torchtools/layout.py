"""The layout of networks in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

_LANES = 8  # single-precision numbers in a vector of 256 bits


def lay_channels_last(network: nn.Module) -> None:
    """Keep the weights of a network's convolutions channels last in memory, which is faster on most processors.

    Strided 1x1 convolutions of fewer than eight channels are left as they are, and take their inputs channels first:
    on processors with vectors of 256 bits (AVX2) oneDNN 3, as torch 2.13 has it, writes beyond the weight gradient of
    such a convolution when it lies channels last, and sooner or later the process dies of a damaged heap.

    Parameters
    ----------
    network
        Any network; it is changed in place.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(8, 4, 3), nn.Conv2d(4, 4, 1, stride=2))
    >>> lay_channels_last(network)
    >>> network[0].weight.stride(), network[1].weight.stride()
    ((72, 1, 24, 8), (4, 1, 1, 1))
    """
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # known at run time
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and _damages_the_heap(module):
            weight = module.weight.data
            module.weight.data = torch.empty_like(weight, memory_format=torch.contiguous_format).copy_(weight)
            module.register_forward_pre_hook(_channels_first)


def _damages_the_heap(convolution: nn.Conv2d) -> bool:
    pointwise = all(side == 1 for side in convolution.kernel_size)
    return pointwise and any(step > 1 for step in convolution.stride) and convolution.in_channels < _LANES


def _channels_first(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return the inputs in the usual layout; `contiguous()` would leave the strides of a 1x1 image as they are."""
    return tuple(each.clone(memory_format=torch.contiguous_format) for each in inputs)
