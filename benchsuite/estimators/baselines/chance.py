"""Chance as a baseline."""

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
class Random(ArchitectureEstimator):
    """A uniform random number in [0, 1): what chance gives."""

    name: ClassVar[str] = "random"
    seeded: ClassVar[bool] = True

    @override
    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        return float(rng.random())
