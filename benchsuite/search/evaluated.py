"""What a search has evaluated, as tables: scores and size measures, and regret by the number of evaluations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.core.errors import UnsupportedError
from benchsuite.search.algorithms import RandomSearch, RegularisedEvolution
from benchsuite.search.history import History

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchsuite.core.arrays import Floats
    from benchsuite.core.space import Space
    from benchsuite.core.types import Dataset
    from benchsuite.search.algorithms import Algorithm

REPEATS = 50  # searches on the ground truth, each with its own seed
_ABSENT = "none"  # what every space that has absent edges calls them
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Sizes:
    """Size measures of a space's architectures on a data set.

    Attributes
    ----------
    space
        The search space, with the sizes of its networks.
    dataset
        What the networks are for.
    """

    space: Space
    dataset: Dataset

    def table(self, scores: Mapping[str, float]) -> pd.DataFrame:
        """Return a row for each architecture with its score and size measures.

        Parameters
        ----------
        scores
            Score by architecture.

        Returns
        -------
        DataFrame
            Columns order (from 1), architecture, score, macs, params, depth: the number of operations that are neither
            skips nor absent, undefined in a space without skips.
        """
        rows = [(order, name, score, *self._of(name)) for order, (name, score) in enumerate(scores.items(), 1)]
        return pd.DataFrame(rows, columns=["order", "architecture", "score", "macs", "params", "depth"])

    def _of(self, architecture: str) -> tuple[int, int, float]:
        complexity = self.space.complexity(architecture, self.dataset)
        idle = {*self.space.skips, _ABSENT}
        depth = sum(name not in idle for name in self.space.operations(architecture)) if self.space.skips else np.nan
        return complexity.macs, complexity.params, depth


def covers(truth: pd.Series, space: Space) -> bool:
    """Return whether every architecture of a space has ground truth, so that searches can be run on it.

    Parameters
    ----------
    truth
        Accuracy by architecture.
    space
        The search space.
    """
    try:
        return set(space.architectures()) <= set(truth.index)
    except UnsupportedError:
        return False


def regret(evaluated: pd.DataFrame, truth: pd.Series) -> Floats:
    """Return how far the best-scored architecture is from the best one, after each evaluation.

    If several architectures share the best score, the first of them counts.

    Parameters
    ----------
    evaluated
        Columns architecture and score, in the order of evaluation.
    truth
        Accuracy in percent by architecture.

    Returns
    -------
    Floats
        Accuracy points, shape (evaluations,); NaN where the accuracy is unknown.

    Examples
    --------
    >>> rows = pd.DataFrame({"architecture": ["a", "b", "c"], "score": [1.0, 3.0, 2.0]})
    >>> regret(rows, pd.Series({"a": 91.0, "b": 93.5, "c": 94.0})).tolist()
    [3.0, 0.5, 0.5]
    """
    scores = np.nan_to_num(evaluated["score"].to_numpy(float), nan=-np.inf)
    best = np.maximum.accumulate(scores)  # max score of the first i
    raised = np.r_[True, best[1:] > best[:-1]]
    chosen = np.maximum.accumulate(np.where(raised, np.arange(len(scores)), 0))
    accuracy = evaluated["architecture"].map(truth).to_numpy(float)[chosen]
    return np.where(np.isfinite(best), float(truth.max()) - accuracy, np.nan)  # max(truth) - truth[argmax score]


def compared(evaluated: pd.DataFrame, truth: pd.Series, space: Space, population: int) -> pd.DataFrame:
    """Return the regret of a search and of searches that see the true accuracy of what they evaluate.

    Parameters
    ----------
    evaluated
        Columns architecture and score, in the order of evaluation.
    truth
        Accuracy in percent of every architecture of the space.
    space
        The search space.
    population
        Population of the evolution on the ground truth.

    Returns
    -------
    DataFrame
        Columns method, evaluations, regret (mean over the seeds), low and high (the range of 95% of the seeds).
    """
    own = regret(evaluated, truth)
    baselines: dict[str, Algorithm] = {
        "random search on the ground truth": RandomSearch(len(evaluated)),
        "regularised evolution on the ground truth": RegularisedEvolution(population),
    }
    curves = {name: _repeated(baseline, space, truth, len(evaluated)) for name, baseline in baselines.items()}
    frames = [_curve("this search", own[None]), *(_curve(name, values) for name, values in curves.items())]
    return pd.concat(frames, ignore_index=True)


def _repeated(algorithm: Algorithm, space: Space, truth: pd.Series, budget: int) -> Floats:
    """Return the regret of searches on the ground truth, shape (REPEATS, budget)."""
    known = truth.to_dict()

    def evaluate(architectures: Sequence[str]) -> list[float]:
        return [known[architecture] for architecture in architectures]

    curves = np.full((REPEATS, budget), np.nan)
    for seed, curve in enumerate(curves):
        history = History(evaluate, budget)
        algorithm.run(space, history, seed)
        best = np.maximum.accumulate(list(history.scores.values()))
        curve[: len(best)] = float(truth.max()) - best
        curve[len(best) :] = curve[len(best) - 1]  # nothing new was left
    return curves


def _curve(method: str, values: Floats) -> pd.DataFrame:
    low, high = np.quantile(values, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], axis=0)
    single = len(values) == 1
    return pd.DataFrame(
        {
            "method": method,
            "evaluations": np.arange(1, values.shape[1] + 1),
            "regret": values.mean(axis=0),
            "low": np.nan if single else low,
            "high": np.nan if single else high,
        }
    )
