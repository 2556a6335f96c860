"""Zen-NAS: how far a network's features move with its input, the scale that batch normalisation removes put back."""

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

_STEP = 0.01  # size of the change of the input
_MOMENTUM = 0.1  # of the running variance


@dataclass(frozen=True, slots=True)
class Zen(ZeroShotEstimator):
    """Zen score: log of how far features move with the input, plus the log scales of batch normalisation.

    log mean over images of abs(f(x) - f(x + 0.01 e))_1, plus the sum over batch normalisations of log sqrt of the mean
    variance of their channels (Lin et al., ICCV 2021). Weights of Conv2d and Linear layers, x and e are drawn from a
    normal distribution, biases are 0, normalisations 1 and 0; training mode. x has the minibatch's shape: what its
    images show does not matter, and several minibatches are several draws.

    f is what global pooling reads: the last map of several positions that an operation of the forward pass reads. It
    is the last map of one position if batch normalisation works on such. A network whose layers go on with sequences,
    as transformers do, is unsupported. Undefined if the features do not move, as in a network without a path, if
    batch normalisation sees one value a channel, and where deep networks without normalisation overflow. It grows with
    depth and width, and knows neither data nor initialisation.

    Parameters
    ----------
    bn
        Which variance: "running", after both forward passes, from 1 with momentum 0.1, as in published code, so about
        0.81 + 0.19 times that of the batch; "batch", by which x's pass is normalised.
    repeats
        Draws over which the score is averaged.
    """

    bn: Literal["running", "batch"] = "running"
    repeats: Annotated[int, Ge(1)] = 1
    name: ClassVar[str] = "zen"

    def score(self, probe: Probe) -> float:
        """Mean of the Zen score over the draws."""
        if self.bn not in {"running", "batch"}:
            raise SuiteError(f"zen: bn = {self.bn!r}; choose 'running' or 'batch'")
        if self.repeats < 1:
            raise SuiteError(f"zen: repeats = {self.repeats}; choose at least 1")
        rng = torch.Generator().manual_seed(seed_of(self.name, probe.seed))
        try:
            with single_values_refused(probe.network), torch.no_grad():
                return sum(self._draw(probe, rng) for _ in range(self.repeats)) / self.repeats
        except SingleValueError:
            return math.nan

    def _draw(self, probe: Probe, rng: torch.Generator) -> float:
        draw_weights(probe.network, rng, lambda _: 1.0)
        inputs, change = normal_like(probe.inputs, rng), normal_like(probe.inputs, rng)
        layers = batch_norms(probe.network)
        _forget_statistics(layers, probe.inputs)
        with _noting_variances(layers if self.bn == "batch" else []) as variances:
            before = features_of(probe.run, inputs)
        after = features_of(probe.run, inputs + _STEP * change)
        if self.bn == "running":
            variances = [layer.get_buffer("running_var") for layer in layers]
        distances = (after - before).double().abs().flatten(1).sum(1)
        scales = sum(float(variance.double().mean().sqrt().log()) for variance in variances)
        return float(distances.mean().log()) + scales


def _forget_statistics(layers: Iterable[_BatchNorm], like: Tensor) -> None:
    """Let running statistics start anew, as those of batch normalisations that keep them."""
    for layer in layers:
        layer.running_mean, layer.running_var = like.new_zeros(layer.num_features), like.new_ones(layer.num_features)
        layer.momentum, layer.track_running_stats = _MOMENTUM, True


@contextmanager
def _noting_variances(layers: Iterable[nn.Module]) -> Iterator[list[Tensor]]:
    """Lend a list to which batch normalisations add the variances of their channels, those that they divide by."""
    variances: list[Tensor] = []

    def note(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        variances.append(inputs[0].var([axis for axis in range(inputs[0].dim()) if axis != 1], correction=0))

    with ExitStack() as stack:
        for layer in layers:
            stack.callback(layer.register_forward_pre_hook(note).remove)
        yield variances


def features_of(run: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """The features that the global pooling of a network reads, shape (batch, channels, height, width).

    Parameters
    ----------
    run
        The network, or what runs it.

    Raises
    ------
    UnsupportedError
        If layers give no such maps, or go on behind them with what is no vector for each image.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    >>> features_of(network, torch.ones(5, 3, 8, 8)).shape
    torch.Size([5, 4, 6, 6])
    """
    with _Watch(len(inputs)) as watch:
        run(inputs)
    if watch.features is None:
        raise UnsupportedError(
            "zen: no layer of the network gives feature maps, of which global pooling could read some"
        )
    if watch.astray:
        raise UnsupportedError("zen: behind the last feature map come layers on sequences, no global pooling")
    features: Tensor = watch.features
    return features


class _Watch(TorchFunctionMode):
    """Keeps the last feature map that torch's functions read: that is what global pooling reads, module or not.

    Attributes
    ----------
    features
        Of the maps that follow some layer, the last one of several positions, or the last one of all if batch
        normalisation works on maps of one position behind it.
    astray
        Whether, behind the last map of several positions, weights meet more than a vector for each image.
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
