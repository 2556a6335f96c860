"""MeCo: how far the channels of each feature map are from saying the same."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch

from benchsuite.core.errors import SuiteError, UnsupportedError
from benchsuite.core.identity import seed_of
from benchsuite.estimators.torchtools.instruments import SingleValueError, single_values_refused
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator

if TYPE_CHECKING:
    from torch import Tensor, nn

    from benchsuite.estimators.zero_shot.probe import Probe

_SIDE = 64  # of the noise image of the published form


@dataclass(frozen=True, slots=True)
class MeCo(ZeroShotEstimator):
    """Sum over modules of the smallest eigenvalue of the correlation of their output's channels (Jiang et al., 2023).

    One image goes through the network alone, in double precision; a module's output is a matrix of channels x
    positions. A map with a constant channel counts 0, and so does every map of at least as many channels as positions,
    whose correlation is singular: networks that get wide early score low for no other reason. Undefined if batch
    normalisation sees one value a channel. It knows no targets.

    Parameters
    ----------
    modules
        "leaves": modules without children, which see the first image of the minibatch. "all": the published form,
        containers too (so that one tensor counts several times), on an image of normal noise, 64 x 64, at which a
        network with another fixed size fails.
    """

    modules: Literal["leaves", "all"] = "leaves"
    name: ClassVar[str] = "meco"

    def score(self, probe: Probe) -> float:
        """Sum of the smallest eigenvalues."""
        if self.modules not in {"leaves", "all"}:
            raise SuiteError(f"meco: modules = {self.modules!r}; choose 'leaves' or 'all'")
        try:
            with single_values_refused(probe.network), torch.no_grad():
                return math.fsum(self._eigenvalues(probe))
        except SingleValueError:
            return math.nan

    def _image(self, probe: Probe) -> Tensor:
        if self.modules == "leaves" or probe.inputs.dim() != 4:
            return probe.inputs[:1].double()
        rng = torch.Generator().manual_seed(seed_of(self.name, probe.seed))
        channels = probe.inputs.shape[1]
        return torch.randn(1, channels, _SIDE, _SIDE, generator=rng, dtype=torch.float64).to(probe.inputs.device)

    def _eigenvalues(self, probe: Probe) -> list[float]:
        """Smallest eigenvalue of each feature map, in the order in which they arise."""
        found: list[float] = []

        def note(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if isinstance(output, torch.Tensor) and output.dim() == 4:
                found.append(smallest_eigenvalue(output[0].flatten(1)))

        with ExitStack() as stack:
            for module in probe.network.double().modules():
                if self.modules == "all" or next(module.children(), None) is None:
                    stack.callback(module.register_forward_hook(note).remove)
            probe.run(self._image(probe))
        if not found:
            raise UnsupportedError("meco: no module of the network gives feature maps of four dimensions")
        return found


def smallest_eigenvalue(features: Tensor) -> float:
    """Smallest eigenvalue of the correlation matrix of the rows; 0 where it is singular or not defined.

    It is singular if there are no more columns than rows, and not defined if a row is constant.

    Examples
    --------
    >>> rows = torch.tensor([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]])
    >>> smallest_eigenvalue(rows), smallest_eigenvalue(rows[:, :2])
    (1.0, 0.0)
    """
    channels, positions = features.shape
    constant = features.amax(1) == features.amin(1)
    if channels >= positions or bool(constant.any()):
        return 0.0
    correlation = torch.corrcoef(features.double()).reshape(channels, channels)
    if not bool(correlation.isfinite().all()):
        return 0.0
    return float(torch.linalg.eigvalsh(correlation.cpu())[0])
