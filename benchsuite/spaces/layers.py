"""Operations that several search spaces share. Activations are modules (probes see them) and never work in place."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.functional import avg_pool2d
from typing_extensions import override

from benchsuite.spaces.costs import Convolution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor

    Connection = tuple[int, int, str | None]  # source, target, name of the module; None passes the source on as it is


def conv_bn(convolution: Convolution) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """Make a convolution and the batch normalisation that follows it.

    Parameters
    ----------
    convolution
        Channels, kernel, stride and groups.

    Returns
    -------
    tuple
        Both modules.
    """
    inputs, outputs, kernel, stride, groups = convolution
    module = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)
    return module, nn.BatchNorm2d(outputs)


def convolution_row(convolutions: Sequence[Convolution]) -> nn.Sequential:
    """Make convolutions one after the other, each with its batch normalisation, and ReLUs between them.

    Parameters
    ----------
    convolutions
        First to last.

    Returns
    -------
    Sequential
        The modules in a row.
    """
    *first, last = convolutions
    before = [layer for convolution in first for layer in (*conv_bn(convolution), nn.ReLU())]
    return nn.Sequential(*before, *conv_bn(last))


class ReLUConvBN(nn.Sequential):
    """ReLU, convolution without bias that keeps the size (divided by the stride), batch normalisation.

    Parameters
    ----------
    inputs, outputs
        Channels that go in and come out.
    kernel
        Side of the kernel.
    stride
        By what height and width are divided.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(nn.ReLU(), *conv_bn(Convolution(inputs, outputs, kernel, stride)))


class SeparableConvBN(nn.Sequential):
    """Depthwise and 1x1 convolution after a ReLU, batch normalisation; keeps the size (divided by the stride).

    Parameters
    ----------
    channels
        Channels that go in and come out.
    kernel
        Side of the depthwise kernel.
    stride
        By what height and width are divided.
    dilation
        Distance of the pixels under the kernel.
    """

    def __init__(self, channels: int, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        padding = dilation * (kernel // 2)
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )


class SummingCell(nn.Module):
    """Base of cells whose nodes sum their edges; the module of an edge is named edge_{target}_{source}."""

    def __init__(self) -> None:
        super().__init__()
        self.edges: list[Connection] = []

    def connect(self, source: int, target: int, operation: nn.Module | None) -> None:
        """Add an edge.

        Parameters
        ----------
        source, target
            The nodes that it joins; all edges that lead to its source come before it.
        operation
            What computes it; None passes the source on as it is.
        """
        name = None if operation is None else f"edge_{target}_{source}"
        self.edges.append((source, target, name))
        if name is not None:
            self.add_module(name, operation)

    def sums(self, nodes: dict[int, Tensor], edges: Iterable[Connection] | None = None) -> dict[int, Tensor]:
        """Compute the features of each node.

        Parameters
        ----------
        nodes
            Features of the nodes that are given.
        edges
            Some of the edges; None for all.

        Returns
        -------
        dict
            Features of the nodes given and of all that the edges reach.
        """
        children, found = self._modules, dict(nodes)
        for source, target, name in self.edges if edges is None else edges:
            value = found[source]
            if name is not None:
                value = children[name](value)  # type: ignore[misc]  # children are typed as optional modules
            found[target] = found[target] + value if target in found else value
        return found


class FactorizedReduction(nn.Module):
    """Half the size by two 1x1 convolutions, of the pixels at even and at odd positions; batch normalisation.

    It takes features (batch, inputs, height, width), whose sides must be even, to (batch, outputs, height / 2,
    width / 2).

    Parameters
    ----------
    inputs, outputs
        Channels that go in and come out.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.activation = nn.ReLU()
        self.even, self.odd = (nn.Conv2d(inputs, outputs // 2, 1, stride=2, bias=False) for _ in range(2))
        self.normalisation = nn.BatchNorm2d(outputs)

    @override
    def forward(self, features: Tensor) -> Tensor:
        active = self.activation(features)
        halves = torch.cat([self.even(active), self.odd(active[:, :, 1:, 1:])], dim=1)
        normalised: Tensor = self.normalisation(halves)
        return normalised


class Zero(nn.Module):
    """Zeros of the input's shape (sides divided by the stride), through which a gradient of zeros still flows.

    Parameters
    ----------
    stride
        By what height and width are divided.
    """

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride

    @override
    def forward(self, features: Tensor) -> Tensor:
        return features[..., :: self.stride, :: self.stride] * 0


class ResidualReduction(nn.Module):
    """Residual block that halves the size: two ReLU-conv3x3-BN plus average pooling and a 1x1 convolution.

    It takes features (batch, inputs, height, width) to (batch, outputs, height / 2, width / 2).

    Parameters
    ----------
    inputs, outputs
        Channels that go in and come out.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = ReLUConvBN(inputs, outputs, 3, stride=2)
        self.second = ReLUConvBN(outputs, outputs, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False))

    @override
    def forward(self, features: Tensor) -> Tensor:
        total: Tensor = self.shortcut(features) + self.second(self.first(features))
        return total


class SameAveragePool(nn.AvgPool2d):
    """Average over the 3x3 neighbours inside the image; sides are divided by the stride.

    Without a stride it is a sum, which is its own derivative, divided by the number of neighbours: the same bits as
    torch's average, forwards and backwards, in a third of the time.

    Parameters
    ----------
    stride
        By what height and width are divided.
    """

    def __init__(self, stride: int = 1) -> None:
        super().__init__(3, stride=stride, padding=1, count_include_pad=False)

    @override
    def forward(self, input: Tensor) -> Tensor:
        if self.stride != 1:
            return super().forward(input)
        height, width = input.shape[2:]
        total: Tensor = _NeighbourSum.apply(input)  # type: ignore[no-untyped-call]
        return total / _neighbours(height, width, input.dtype, input.device)


class _NeighbourSum(torch.autograd.Function):
    """Sum over the 3x3 neighbours inside the image; torch is faster at it channels last."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        last = features.contiguous(memory_format=torch.channels_last)
        total = avg_pool2d(last, 3, stride=1, padding=1, divisor_override=1)
        return total.contiguous() if features.is_contiguous() else total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total: Tensor = _NeighbourSum.apply(*gradients)  # type: ignore[no-untyped-call]
        return total


@lru_cache(maxsize=64)
def _neighbours(height: int, width: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the number of 3x3 neighbours inside the image at each position, fewer than 9 at its sides."""
    with torch.inference_mode(mode=False), torch.no_grad():
        ones = torch.ones(1, 1, height, width, dtype=dtype, device=device)
        return avg_pool2d(ones, 3, stride=1, padding=1, divisor_override=1)
