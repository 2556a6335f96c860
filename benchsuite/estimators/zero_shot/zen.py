"""Zen-NAS: how much a network's features change with its input, with the scale that batch normalisation removes.

The Zen score of Lin et al. ("Zen-NAS: A Zero-Shot NAS for High-Performance Deep Image Recognition", ICCV 2021):

    Zen(F) = log E_{x, e} ||f(x) - f(x + alpha e)||  +  sum_l log sqrt( mean_c sigma_{l, c}^2 )

with f the network F up to its global pooling, x and e images of normal noise, alpha = 0.01, all weights drawn from the
normal distribution, and sigma_{l, c}^2 the variance of channel c of the l-th batch normalisation. The first term is
how much the features change; the second puts back the scales that batch normalisation divides out of them.
As in the authors' code, the norm is the sum of absolute differences of an image, and E their mean over the minibatch.
"""

from __future__ import annotations

import math
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from benchsuite.core.errors import SuiteError, UnsupportedError
from benchsuite.core.identity import seed_of
from benchsuite.estimators.torchtools.instruments import (
    SingleValueError,
    batch_norms,
    draw_weights,
    normal_like,
    single_values_refused,
)
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from torch import Tensor
    from torch.nn.modules.batchnorm import _BatchNorm

    from benchsuite.estimators.zero_shot.probe import Probe

_STEP = 0.01  # alpha, the size of the change of the input
_MOMENTUM = 0.1  # of the running variance


@dataclass(frozen=True, slots=True)
class Zen(ZeroShotEstimator):
    """Log of how much features change with the input, plus log scales of batch normalisation, Lin et al. (ICCV 2021).

    The formula is that of this module. Weights of Conv2d and Linear layers, x and e are drawn from the standard normal
    distribution, biases are 0, normalisations 1 and 0; training mode. x has the minibatch's shape: the content of its
    images has no influence, and several minibatches are several draws.

    f is what global pooling reads: the last map of several positions that an operation of the forward pass reads. It
    is the last map of one position if batch normalisation works on such. A network that goes on with layers on
    sequences, as transformers do, is unsupported. Undefined if the features do not change, as in a network without a
    path, if batch normalisation sees one value per channel, and where deep networks without normalisation overflow. It
    grows with depth and width, and depends neither on data nor on the initialisation.

    Attributes
    ----------
    bn
        Which sigma^2: "running", the running variance after both forward passes, as in published code; it starts at 1
        and has momentum 0.1, so that it is about 0.81 + 0.19 times the batch's. "batch", the variance by which the
        pass of x is normalised.
    repeats
        Number of draws of weights, x and e over which the score is averaged.
    """

    bn: Literal["running", "batch"] = "running"
    repeats: Annotated[int, Ge(1)] = 1
    name: ClassVar[str] = "zen"

    @override
    def score(self, probe: Probe) -> float:
        if self.bn not in {"running", "batch"}:
            raise SuiteError(f"zen: bn = {self.bn!r}; must be 'running' or 'batch'")
        if self.repeats < 1:
            raise SuiteError(f"zen: repeats = {self.repeats}; must be at least 1")
        rng = torch.Generator().manual_seed(seed_of(self.name, probe.seed))
        try:
            with single_values_refused(probe.network), torch.no_grad():
                return sum(self._draw(probe, rng) for _ in range(self.repeats)) / self.repeats
        except SingleValueError:
            return math.nan

    def _draw(self, probe: Probe, rng: torch.Generator) -> float:
        """Return the Zen score of one draw of weights, x and e."""
        draw_weights(probe.network, rng, lambda _: 1.0)
        inputs, change = normal_like(probe.inputs, rng), normal_like(probe.inputs, rng)  # x and e
        layers = batch_norms(probe.network)
        _forget_statistics(layers, probe.inputs)
        with _noting_variances(layers if self.bn == "batch" else []) as variances:
            before = features_of(probe.run, inputs)  # f(x)
        after = features_of(probe.run, inputs + _STEP * change)  # f(x + alpha e)
        if self.bn == "running":
            variances = [layer.get_buffer("running_var") for layer in layers]
        distances = (after - before).double().abs().flatten(1).sum(1)  # ||f(x) - f(x + alpha e)||_1, by image
        scales = sum(float(variance.double().mean().sqrt().log()) for variance in variances)  # log sqrt(mean_c sigma^2)
        return float(distances.mean().log()) + scales


def _forget_statistics(layers: Iterable[_BatchNorm], like: Tensor) -> None:
    """Reset running statistics, also of layers that do not keep them: mean 0, variance 1, momentum 0.1."""
    for layer in layers:
        layer.running_mean, layer.running_var = like.new_zeros(layer.num_features), like.new_ones(layer.num_features)
        layer.momentum, layer.track_running_stats = _MOMENTUM, True


@contextmanager
def _noting_variances(layers: Iterable[nn.Module]) -> Iterator[list[Tensor]]:
    """Yield a list to which each batch normalisation adds the variances of its channels, by which it divides."""
    variances: list[Tensor] = []

    def note(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        variances.append(inputs[0].var([axis for axis in range(inputs[0].dim()) if axis != 1], correction=0))

    with ExitStack() as stack:
        for layer in layers:
            stack.callback(layer.register_forward_pre_hook(note).remove)
        yield variances


def features_of(run: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """Return the features that the global pooling of a network reads.

    Parameters
    ----------
    run
        The network, or a function that runs it.
    inputs
        Images, shape (batch, channels, height, width).

    Returns
    -------
    Tensor
        Shape (batch, channels, height, width).

    Raises
    ------
    UnsupportedError
        If the network does not compute feature maps, or layers after the last one read more than a vector per image.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    >>> features_of(network, torch.ones(5, 3, 8, 8)).shape
    torch.Size([5, 4, 6, 6])
    """
    with _FeatureWatch(len(inputs)) as watch:
        run(inputs)
    if watch.features is None:
        raise UnsupportedError("zen needs feature maps (4 dimensions), and the network does not compute any")
    if watch.astray:
        raise UnsupportedError(
            "zen needs global pooling after the last feature map; this network has layers on sequences there"
        )
    features: Tensor = watch.features
    return features


class _FeatureWatch(TorchFunctionMode):
    """Keeps the last feature map that torch's functions read: what global pooling reads, whether a module or not.

    Attributes
    ----------
    features
        Of the maps that follow some layer, the last one of several positions, or the last one of all if batch
        normalisation works on maps of one position after it.
    astray
        Whether a layer after the last map of several positions reads more than a vector per image.
    """

    def __init__(self, images: int) -> None:
        super().__init__()
        self.features: Tensor | None = None
        self.astray = False
        self._images = images
        self._weighted = False  # has a function read weights?
        self._narrow = False  # are the features maps of one position?

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        options = kwargs or {}
        result = func(*args, **options)
        if isinstance(result, torch.Tensor):  # others only ask for shapes
            self._note(func, list(_tensors([*args, *options.values()])))
        return result

    def _note(self, func: Callable[..., Any], read: Sequence[Tensor]) -> None:
        weights = any(isinstance(tensor, nn.Parameter) for tensor in read)
        for tensor in read if self._weighted else []:
            if isinstance(tensor, nn.Parameter) or tensor.shape[:1] != (self._images,):
                continue
            several = tensor.shape[2:].numel() > 1
            if tensor.dim() != 4:
                self.astray |= weights and several
            elif several:
                self.features, self.astray, self._narrow = tensor, False, False
            elif self._narrow or self.features is None or func is functional.batch_norm:
                self.features, self._narrow = tensor, True
        self._weighted |= weights


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
