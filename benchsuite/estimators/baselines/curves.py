"""The family of estimators that read learning curves of the ground truth: what a short training would tell."""

from __future__ import annotations

import sys
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from annotated_types import Ge
from typing_extensions import override

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.types import ACCURACY, EPOCHS, LOSS, SPLIT, TRIAL
from benchsuite.estimators.base import Estimator
from benchsuite.estimators.outcomes import attempt
from benchsuite.estimators.task import Task

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import pandas as pd

    from benchsuite.core.types import Score
    from benchsuite.estimators.base import Trial
    from benchsuite.estimators.setting import Setting

SPLITS = ("valid", "valid+test", "test")  # the second is all that NAS-Bench-201 records for CIFAR-100 and ImageNet16


@dataclass(frozen=True, slots=True)
class CurveEstimator(Estimator):
    """An estimator that reads the learning curve of the ground truth; unsupported where the ground truth has none."""

    family: ClassVar[str] = "curve"
    seeded: ClassVar[bool] = False
    reference: ClassVar[bool] = True
    reads_truth: ClassVar[bool] = True

    @abstractmethod
    def score(self, curve: pd.DataFrame) -> float:
        """Return the score of one architecture, NaN where it is undefined.

        Parameters
        ----------
        curve
            Its rows of the ground-truth table: trial, epochs, split, accuracy (percent), loss.
        """

    @override
    def check_benchmark(self, setting: Setting, architecture: str) -> None:
        self.score(setting.truth.curve(architecture))

    @override
    def recipe_parts(self, setting: Setting) -> dict[str, Any]:
        return {"truth": setting.truth.digest()}

    @override
    def group_key(self, setting: Setting, trial: Trial) -> Hashable:
        return "curve"

    @override
    def task(self, setting: Setting, trials: Sequence[Trial], architectures: Sequence[str], root: str) -> CurveTask:
        estimators: tuple[CurveEstimator, ...] = tuple(trial.estimator for trial in trials)  # type: ignore[misc]  # of one key
        return CurveTask(estimators, setting.truth.curves(architectures))


@dataclass(frozen=True, slots=True)
class CurveTask(Task):
    """Scores of architectures by their learning curves.

    Attributes
    ----------
    estimators
        Those that score.
    curves
        Learning curves by architecture.
    """

    chunk: ClassVar[int] = sys.maxsize  # they take no time
    estimators: tuple[CurveEstimator, ...]
    curves: Mapping[str, pd.DataFrame] = field(repr=False, compare=False)

    @override
    def part(self, architectures: Sequence[str]) -> Self:
        return replace(self, curves={name: self.curves[name] for name in architectures})

    @override
    def scores(self, architectures: Sequence[str]) -> list[tuple[int, Score]]:
        return [
            (index, attempt(estimator.score, self.curves[architecture]).score_of(architecture))
            for architecture in architectures
            for index, estimator in enumerate(self.estimators)
        ]


@dataclass(frozen=True, slots=True)
class EarlyAccuracy(CurveEstimator):
    """Accuracy (percent) after few epochs of a long training, mean over trainings.

    The split is the first of `SPLITS` that the curve has.

    Attributes
    ----------
    epochs
        Length of the training when its accuracy is read.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = pd.DataFrame({"trial": [0, 1], "epochs": [12, 12], "split": "test", "accuracy": [80.0, 82.0]})
    >>> EarlyAccuracy().score(curve)
    81.0
    """

    epochs: Annotated[int, Ge(1)] = 12
    name: ClassVar[str] = "early_accuracy"

    @override
    def score(self, curve: pd.DataFrame) -> float:
        recorded = set(curve[SPLIT])
        rows = curve[curve[SPLIT] == next((split for split in SPLITS if split in recorded), "test")]
        chosen = rows[rows[EPOCHS] == self.epochs]
        if chosen.empty:
            known = ", ".join(str(epoch) for epoch in sorted(rows[EPOCHS].unique())[:12]) or "none"
            raise UnsupportedError(f"early_accuracy: no accuracy after {self.epochs} epochs; the curve has {known}")
        return float(chosen[ACCURACY].mean())


@dataclass(frozen=True, slots=True)
class TrainingLossSum(CurveEstimator):
    """Minus the sum of training losses over epochs, mean over trainings (Ru et al., NeurIPS 2021).

    A recorded loss stands for all epochs since the record before.

    Attributes
    ----------
    epochs
        Number of first epochs that are summed; None: all.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = pd.DataFrame({"trial": 0, "epochs": [1, 3], "split": "train", "loss": [2.0, 1.0]})
    >>> TrainingLossSum().score(curve)
    -4.0
    """

    epochs: Annotated[int, Ge(1)] | None = None
    name: ClassVar[str] = "training_loss_sum"

    @override
    def score(self, curve: pd.DataFrame) -> float:
        rows = curve[curve[SPLIT] == "train"] if LOSS in curve else curve.iloc[:0]
        rows = rows[rows[LOSS].notna()].sort_values(EPOCHS) if len(rows) else rows
        last = rows[EPOCHS].max() if self.epochs is None else self.epochs
        rows = rows[rows[EPOCHS] <= last]
        reached = rows.groupby(TRIAL)[EPOCHS].max()
        if rows.empty or (reached < last).any():
            raise UnsupportedError(f"training_loss_sum: no training losses over {self.epochs or 'any'} epochs")
        since = rows.groupby(TRIAL)[EPOCHS].diff().fillna(rows[EPOCHS])
        return -float((rows[LOSS] * since).groupby(rows[TRIAL]).sum().mean())
