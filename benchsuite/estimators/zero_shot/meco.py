"""MeCo: how far the channels of each feature map are from being linearly dependent."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from typing_extensions import override

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
    """Sum over modules of the smallest eigenvalue of their output channels' correlation, Jiang et al. (2023).

    A single image passes through the network, in double precision; a module's output is a matrix of channels x
    positions. A map with a constant channel counts 0, and so does every map of at least as many channels as positions,
    whose correlation matrix is singular: networks that become wide early score low for this reason. Undefined if batch
    normalisation sees one value per channel. It does not use the targets.

    Attributes
    ----------
    modules
        "leaves": modules without children, on the first image of the minibatch. "all": the published form, containers
        too (so that one tensor counts several times), on a 64x64 image of normal noise, at which a network with another
        fixed size fails.
    """

    modules: Literal["leaves", "all"] = "leaves"
    name: ClassVar[str] = "meco"

    @override
    def score(self, probe: Probe) -> float:
        if self.modules not in {"leaves", "all"}:
            raise SuiteError(f"meco: modules = {self.modules!r}; must be 'leaves' or 'all'")
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
        """Return the smallest eigenvalue of each feature map, in the order of the forward pass."""
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
            raise UnsupportedError("meco: the network has no module that returns feature maps (4 dimensions)")
        return found


def smallest_eigenvalue(features: Tensor) -> float:
    """Return the smallest eigenvalue of the correlation matrix of the rows.

    Parameters
    ----------
    features
        Shape (channels, positions).

    Returns
    -------
    float
        0 where the matrix is singular (at least as many rows as columns) or undefined (a row is constant).

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
