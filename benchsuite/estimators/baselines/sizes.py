"""Size measures as baselines: parameters and MACs, as the benchmark counts them and of live operations alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from benchsuite.estimators.baselines.family import ArchitectureEstimator

if TYPE_CHECKING:
    import numpy as np

    from benchsuite.core.space import Space
    from benchsuite.core.types import Dataset


@dataclass(frozen=True, slots=True)
class Parameters(ArchitectureEstimator):
    """Number of parameters as the benchmark counts them."""

    name: ClassVar[str] = "params"

    @override
    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        return space.complexity(architecture, dataset).params


@dataclass(frozen=True, slots=True)
class MACs(ArchitectureEstimator):
    """Number of MACs (multiply-accumulate operations) for one image as the benchmark counts them.

    The name is historic: FLOPs are twice as many.
    """

    name: ClassVar[str] = "flops"

    @override
    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        return space.complexity(architecture, dataset).macs


@dataclass(frozen=True, slots=True)
class LiveParameters(ArchitectureEstimator):
    """Number of parameters on paths from input to output."""

    name: ClassVar[str] = "live_params"

    @override
    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        return space.complexity(architecture, dataset).live_params


@dataclass(frozen=True, slots=True)
class LiveMACs(ArchitectureEstimator):
    """Number of MACs for one image on paths from input to output."""

    name: ClassVar[str] = "live_flops"

    @override
    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        return space.complexity(architecture, dataset).live_macs
