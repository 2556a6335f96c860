"""Number of linear regions of a network that is one channel wide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Protocol, runtime_checkable

import torch
from annotated_types import Ge
from typing_extensions import override

from benchsuite.core.errors import SuiteError, UnsupportedError
from benchsuite.estimators.baselines.family import ArchitectureEstimator
from benchsuite.estimators.torchtools.instruments import Recorder
from benchsuite.estimators.torchtools.preserve import seeded
from benchsuite.estimators.zero_shot.relu_codes import distinct_columns, rows_of_images

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from benchsuite.core.space import Space
    from benchsuite.core.types import Dataset

_SHAPE = (1, 3, 3)  # of one input, as published


@runtime_checkable
class HasRegionNetwork(Protocol):
    """A space that builds networks narrow enough for their linear regions to be counted."""

    def region_network(self, architecture: str) -> nn.Module:
        """Build the untrained network, one channel wide and without stem, from torch's current random state.

        Parameters
        ----------
        architecture
            A string of the space.

        Returns
        -------
        Module
            Takes inputs (batch, 1, 3, 3).
        """
        ...


@dataclass(frozen=True, slots=True)
class LinearRegions(ArchitectureEstimator):
    """Number of different sign patterns of all ReLU units over random inputs, Chen et al. (TE-NAS, ICLR 2021).

    A pattern says which units are positive; where it does not change, the network is linear. Counted in the network
    that the space's `region_network` builds: for NAS-Bench-201 one cell of one channel without stem, then batch
    normalisation and ReLU, as in the authors' code; without dead operations, which do not bound regions. Inputs of
    shape 1x3x3 come from the standard normal distribution, in one batch so that batch statistics make one function of
    them. The authors' inputs are random crops of images in three batches: the count differs (median of 1,000 cells 877
    instead of 2,776), tau agrees within 0.02. Weights have the framework's default initialisation, whose scale batch
    normalisation cancels.

    It does not use a minibatch. The number is at most that of inputs, which large cells approach, and 1 without a path.
    It varies strongly between seeds, as it depends on few weights (tau between two seeds 0.6): average several seeds.
    Spaces without such a network are unsupported; cells of DARTS have nearly as many regions as inputs, regardless of
    the architecture.

    Attributes
    ----------
    inputs
        Number of random inputs, at least 2.

    Examples
    --------
    >>> import numpy as np
    >>> from benchsuite.data.images.datasets import dataset
    >>> from benchsuite.core.registry import load_space
    >>> no_path = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    >>> LinearRegions().score(load_space("nasbench201"), no_path, dataset("cifar10"), np.random.default_rng(0))
    1
    """

    inputs: Annotated[int, Ge(2)] = 3000
    name: ClassVar[str] = "linear_regions"
    family: ClassVar[str] = "zero-shot"
    seeded: ClassVar[bool] = True
    reference: ClassVar[bool] = False

    @override
    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        if not isinstance(space, HasRegionNetwork):
            raise UnsupportedError(
                f"{self.name} needs a network of one channel without stem, which the space {space.name!r} lacks"
            )
        if self.inputs < 2:
            raise SuiteError(f"{self.name}: inputs = {self.inputs}; must be at least 2")
        with seeded(int(rng.integers(1 << 63)), torch.device("cpu")), torch.no_grad():
            network = space.region_network(architecture).double()  # float32 would let rounding decide signs near 0
            codes = _codes(network, torch.randn(self.inputs, *_SHAPE, dtype=torch.float64))
        patterns = torch.cat(rows_of_images(self.name, codes, self.inputs), dim=1)
        return distinct_columns([patterns.T])


def _codes(network: nn.Module, inputs: Tensor) -> list[Tensor]:
    """Return, for each call of an nn.ReLU module, whether its inputs are positive."""
    recorder = Recorder(records_codes=True, records_outputs=False, copies_outputs=False)
    with recorder.attached(network):
        network(inputs)
    return recorder.codes
