"""Families of estimators: frozen dataclasses whose fields are their hyperparameters, never data, device or seeds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from benchsuite.core.identity import label

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from benchsuite.core.space import Space
    from benchsuite.core.types import Dataset
    from benchsuite.estimators.zero_shot.probe import Probe


@dataclass(frozen=True, slots=True)
class Estimator(ABC):
    """Common part of all families.

    `version` grows when a score's definition changes, so that stored scores of the old one are not mistaken for the
    new. `seeded` and `batched` say whether a score depends on the seed and on the minibatch; they decide what belongs
    to its recipe.
    """

    registered_as: ClassVar[str] = "estimator"
    name: ClassVar[str]
    version: ClassVar[int] = 1
    family: ClassVar[str]
    seeded: ClassVar[bool] = True
    batched: ClassVar[bool] = False

    def parameters(self) -> dict[str, Any]:
        """All hyperparameters by name; those of a training are a table of their own."""
        return asdict(self)

    def label(self) -> str:
        """The name with the hyperparameters that are not at their default."""
        return label(self.name, self.changed())

    def changed(self) -> dict[str, Any]:
        """The hyperparameters that are not at their default, those of a training as training.epochs and so on."""
        found: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if is_dataclass(value) and is_dataclass(item.default):
                before = asdict(item.default)  # type: ignore[arg-type]  # no class
                now = asdict(value)  # type: ignore[arg-type]  # no class
                found |= {f"{item.name}.{name}": new for name, new in now.items() if new != before[name]}
            elif item.default is MISSING or value != item.default:
                found[item.name] = value
        return found


@dataclass(frozen=True, slots=True)
class ArchitectureEstimator(Estimator):
    """A baseline that reads the architecture alone."""

    family: ClassVar[str] = "baseline"
    seeded: ClassVar[bool] = False

    @abstractmethod
    def score(self, space: Space, architecture: str, dataset: Dataset, rng: np.random.Generator) -> float:
        """Score of one architecture; NaN = undefined."""


@dataclass(frozen=True, slots=True)
class CurveEstimator(Estimator):
    """A baseline that reads the learning curve of the ground truth; unsupported where the truth has none."""

    family: ClassVar[str] = "curve"
    seeded: ClassVar[bool] = False

    @abstractmethod
    def score(self, curve: pd.DataFrame) -> float:
        """Score of one architecture from its rows of the ground-truth table (trial, epochs, split, accuracy, loss)."""


@dataclass(frozen=True, slots=True)
class ZeroShotEstimator(Estimator):
    """An estimator that reads one untrained network and one minibatch through the shared Probe.

    `needs` names the Probe's measurements that `score` reads. One that names none is given the restored network and
    runs after all others.
    """

    family: ClassVar[str] = "zero-shot"
    batched: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def score(self, probe: Probe) -> float:
        """Score of the probed network; NaN = undefined."""
