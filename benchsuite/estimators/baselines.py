"""Baselines: what an estimator must beat. They read the architecture or its learning curve, no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.types import ACCURACY, EPOCHS, LOSS, SPLIT, TRIAL
from benchsuite.estimators.base import ArchitectureEstimator, CurveEstimator

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from benchsuite.core.space import Space
    from benchsuite.core.types import Dataset

SPLITS = ("valid", "valid+test", "test")  # the second is all that NAS-Bench-201 records for CIFAR-100 and ImageNet16


@dataclass(frozen=True, slots=True)
class Parameters(ArchitectureEstimator):
    """Number of parameters as the benchmark counts them."""

    name: ClassVar[str] = "params"

    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        """Official number of parameters."""
        return space.complexity(architecture, dataset).params


@dataclass(frozen=True, slots=True)
class MultiplyAdds(ArchitectureEstimator):
    """Number of multiply-adds for one image as the benchmark counts them."""

    name: ClassVar[str] = "flops"

    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        """Official number of multiply-adds."""
        return space.complexity(architecture, dataset).macs


@dataclass(frozen=True, slots=True)
class LiveParameters(ArchitectureEstimator):
    """Number of parameters on paths from input to output."""

    name: ClassVar[str] = "live_params"

    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        """Number of parameters without dead operations."""
        return space.complexity(architecture, dataset).live_params


@dataclass(frozen=True, slots=True)
class LiveMultiplyAdds(ArchitectureEstimator):
    """Number of multiply-adds for one image on paths from input to output."""

    name: ClassVar[str] = "live_flops"

    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        """Number of multiply-adds without dead operations."""
        return space.complexity(architecture, dataset).live_macs


@dataclass(frozen=True, slots=True)
class Random(ArchitectureEstimator):
    """A random number: what chance gives."""

    name: ClassVar[str] = "random"
    seeded: ClassVar[bool] = True

    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        """Uniform random number in [0, 1)."""
        return float(rng.random())


@dataclass(frozen=True, slots=True)
class EarlyAccuracy(CurveEstimator):
    """Accuracy after few epochs of a long training, mean over trials; on the first recorded split of `SPLITS`.

    Parameters
    ----------
    epochs
        After how many.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = pd.DataFrame({"trial": [0, 1], "epochs": [12, 12], "split": "test", "accuracy": [80.0, 82.0]})
    >>> EarlyAccuracy().score(curve)
    81.0
    """

    epochs: int = 12
    name: ClassVar[str] = "early_accuracy"

    def score(self, curve: pd.DataFrame) -> float:
        """Mean accuracy (percent); UnsupportedError where the curve has no such epoch."""
        recorded = set(curve[SPLIT])
        rows = curve[curve[SPLIT] == next((split for split in SPLITS if split in recorded), "test")]
        chosen = rows[rows[EPOCHS] == self.epochs]
        if chosen.empty:
            known = ", ".join(str(epoch) for epoch in sorted(rows[EPOCHS].unique())[:12]) or "none"
            raise UnsupportedError(f"early_accuracy: no accuracy after {self.epochs} epochs; the curve has {known}")
        return float(chosen[ACCURACY].mean())


@dataclass(frozen=True, slots=True)
class TrainingLossSum(CurveEstimator):
    """Minus the sum of training losses over epochs, mean over trials (Ru et al., NeurIPS 2021).

    A recorded loss stands for all epochs since the record before.

    Parameters
    ----------
    epochs
        Sum over the first so many; None: over all.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = pd.DataFrame({"trial": 0, "epochs": [1, 3], "split": "train", "loss": [2.0, 1.0]})
    >>> TrainingLossSum().score(curve)
    -4.0
    """

    epochs: int | None = None
    name: ClassVar[str] = "training_loss_sum"

    def score(self, curve: pd.DataFrame) -> float:
        """Minus the mean sum of losses; UnsupportedError where the curve has no training loss up to those epochs."""
        rows = curve[curve[SPLIT] == "train"] if LOSS in curve else curve.iloc[:0]
        rows = rows[rows[LOSS].notna()].sort_values(EPOCHS) if len(rows) else rows
        last = rows[EPOCHS].max() if self.epochs is None else self.epochs
        rows = rows[rows[EPOCHS] <= last]
        reached = rows.groupby(TRIAL)[EPOCHS].max()
        if rows.empty or (reached < last).any():
            raise UnsupportedError(f"training_loss_sum: no training losses over {self.epochs or 'any'} epochs")
        since = rows.groupby(TRIAL)[EPOCHS].diff().fillna(rows[EPOCHS])
        return -float((rows[LOSS] * since).groupby(rows[TRIAL]).sum().mean())
