"""Modules that work at any smaller width, with the first rows and columns of their weights.

So that one set of weights serves architectures of many widths. Slices are views: the forward pass copies nothing. A
weight of which a part is used gets a whole gradient, zero in the other rows and columns: momentum and weight decay
still move these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from torch import nn
from torch.nn import functional
from typing_extensions import override

from benchsuite.core.errors import UnsupportedError

if TYPE_CHECKING:
    from torch import Tensor

    MaybeTensor = TypeVar("MaybeTensor", Tensor, Tensor | None)


class SlicedConvolution(nn.Module):
    """A convolution of one group that takes as many channels as come and gives as many as are chosen.

    Chosen groups use the kernels between channels of the same group, gathered into a tensor of their own.

    Parameters
    ----------
    whole
        The convolution whose weights it uses.

    Raises
    ------
    UnsupportedError
        If the convolution has several groups.
    """

    def __init__(self, whole: nn.Conv2d) -> None:
        super().__init__()
        if whole.groups > 1:
            raise UnsupportedError(
                f"convolutions of {whole.groups} groups cannot be sliced; give one of a single group"
            )
        self.weight, self.bias = whole.weight, whole.bias
        self.stride, self.padding, self.dilation = whole.stride, whole.padding, whole.dilation
        self.outputs, self.groups = whole.out_channels, 1
        self._strided_pointwise = whole.kernel_size == (1, 1) and whole.stride != (1, 1) and whole.padding == (0, 0)

    def choose(self, outputs: int, groups: int = 1) -> None:
        """Choose the output of the convolution.

        Parameters
        ----------
        outputs
            So many of the first channels.
        groups
            In so many groups.
        """
        self.outputs, self.groups = outputs, groups

    @override
    def forward(self, features: Tensor) -> Tensor:
        kernels = _first(_first(self.weight, self.outputs), features.shape[1], 1)
        if self.groups > 1:
            kernels = _within_groups(kernels, self.groups)
        bias, stride = _first(self.bias, self.outputs), self.stride
        if self._strided_pointwise and _damages_the_heap(features, kernels):
            features, stride = features[:, :, :: stride[0], :: stride[1]], (1, 1)
        return functional.conv2d(features, kernels, bias, stride, self.padding, self.dilation, self.groups)


class SlicedNormalisation(nn.BatchNorm2d):
    """A batch normalisation of as many channels as come, whose running statistics are those of the first ones.

    As in torch's own, `num_batches_tracked` counts batches of any width.

    Parameters
    ----------
    whole
        The normalisation whose state it takes over.
    """

    def __init__(self, whole: nn.BatchNorm2d) -> None:
        super().__init__(whole.num_features, whole.eps, whole.momentum, whole.affine, whole.track_running_stats)
        self.load_state_dict(whole.state_dict())

    @override
    def forward(self, input: Tensor) -> Tensor:
        width, updates = input.shape[1], self.training and self.track_running_stats
        momentum = self.momentum
        if updates and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            momentum = 1 / float(self.num_batches_tracked) if momentum is None else momentum
        reads = updates or not self.training
        return functional.batch_norm(
            input,
            _first(self.running_mean, width) if reads else None,
            _first(self.running_var, width) if reads else None,
            _first(self.weight, width),
            _first(self.bias, width),
            self.training or self.running_mean is None,
            momentum or 0.0,
            self.eps,
        )


class SlicedLinear(nn.Module):
    """A linear layer that takes as many features as come.

    Parameters
    ----------
    whole
        The layer whose weights it uses.
    """

    def __init__(self, whole: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = whole.weight, whole.bias

    @override
    def forward(self, features: Tensor) -> Tensor:
        return functional.linear(features, _first(self.weight, features.shape[1], 1), self.bias)


def sliced(module: nn.Module) -> nn.Module:
    """Replace the convolutions, normalisations and linear layers of a module by sliced ones of the same weights.

    Parameters
    ----------
    module
        Its children are replaced in it, under the same names.

    Returns
    -------
    Module
        The sliced module in its place, or the module itself.
    """
    if isinstance(module, nn.Conv2d):
        return SlicedConvolution(module)
    if isinstance(module, nn.BatchNorm2d):
        return SlicedNormalisation(module)
    if isinstance(module, nn.Linear):
        return SlicedLinear(module)
    for name, child in module.named_children():
        setattr(module, name, sliced(child))
    return module


def _first(tensor: MaybeTensor, number: int, dimension: int = 0) -> MaybeTensor:
    """Return the first so many rows of a tensor, or slices along another dimension."""
    if tensor is None or tensor.shape[dimension] == number:
        return tensor
    return tensor.narrow(dimension, 0, number)


def _damages_the_heap(features: Tensor, kernels: Tensor) -> bool:
    """Check whether a strided 1x1 convolution must not see fewer than 8 channels because they lie last.

    On processors with AVX2, oneDNN 3 (as torch 2.13 has it) writes beyond the weight gradient of such a convolution,
    whichever of the two lies so. It has the same result where pixels are left out before it.
    """
    return features.shape[1] < 8 and (_lies_channels_last(features) or _lies_channels_last(kernels))


def _lies_channels_last(tensor: Tensor) -> bool:
    """Check the strides as torch does when it chooses a convolution: all channels of a pixel before the next pixel."""
    return tensor.stride(3) >= tensor.stride(1) * tensor.shape[1]


def _within_groups(kernels: Tensor, groups: int) -> Tensor:
    """Return of kernels (outputs, inputs, height, width) those within groups, (outputs, inputs / groups, ...)."""
    outputs, inputs, *area = kernels.shape
    blocks = kernels.view(groups, outputs // groups, groups, inputs // groups, *area)
    return blocks.diagonal(0, 0, 2).movedim(-1, 0).flatten(0, 1)
