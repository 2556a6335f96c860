"""What an estimator is worth in a search: train the k best-scored architectures and keep the best of them.

The regret is how far that one stays behind the best of all, in units of the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.align import side_by_side
from benchsuite.analysis.extremes import extremes
from benchsuite.analysis.ranking import Ranking
from benchsuite.core import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Trials = Mapping[str, Sequence["pd.Series[float]"]]

RANDOM = "random choice"


def training_counts(n: int) -> list[int]:
    """Numbers of architectures to train, 1 to n: 1, 2, 5, 10, 20, 50 ..., and n itself.

    >>> training_counts(30)
    [1, 2, 5, 10, 20, 30]
    """
    decades = [step * 10**power for power in range(len(str(n))) for step in (1, 2, 5)]
    return [*(count for count in decades if count < n), n]


def regret_curve(scores: ArrayLike, truth: ArrayLike, counts: Sequence[int]) -> Floats:
    """Expected regret of training the k best-scored architectures, for each k of `counts`: exact under ties.

    A constant score is a random choice: each set of k architectures is equally likely. Undefined scores come last.

    >>> regret_curve([1, 2, 3, 4], [70.0, 90.0, 80.0, 60.0], [1, 2, 3]).tolist()
    [30.0, 10.0, 0.0]
    >>> regret_curve([0, 0], [70.0, 90.0], [1]).tolist()
    [10.0]
    """
    ranking = Ranking.of(scores, truth)
    wrong = [count for count in counts if not 1 <= count <= ranking.size]
    if wrong:
        raise BenchsuiteError(f"{wrong[0]} of {ranking.size} architectures cannot be trained; give 1 to {ranking.size}")
    regrets: Floats = extremes(ranking, ranking.whole(), counts)[2, 0]
    return regrets


def search_value(trials: Trials, truth: pd.Series[float], *, counts: Sequence[int] | None = None) -> pd.DataFrame:
    """Regret of training the k best-scored architectures by estimator and k, and of a random choice.

    Parameters
    ----------
    trials : scores by architecture of every trial of an estimator; NaN = undefined, chosen last
    truth : accuracies by architecture
    counts : numbers k; default `training_counts`. Those above an estimator's number of architectures are left out

    Returns
    -------
    Columns estimator, k, n (architectures to choose from), regret (mean over trials), deviation (over trials, NaN for
    one). The regret is to the best of the architectures that the estimator has scored. The rows of `RANDOM` are the
    exact expectation over all choices among all architectures. Raises BenchsuiteError for unusable input.

    >>> truth = pd.Series({"a": 90.0, "b": 80.0})
    >>> search_value({"good": [truth]}, truth)[["estimator", "k", "regret"]].values.tolist()
    [['good', 1, 0.0], ['good', 2, 0.0], ['random choice', 1, 5.0], ['random choice', 2, 0.0]]
    """
    table = side_by_side(trials, truth)
    wanted = training_counts(table.truth.size) if counts is None else list(counts)
    columns = {name: (values, table.scored[name]) for name, values in table.scores.items()}
    everything = np.ones(table.truth.size, dtype=bool)
    columns[RANDOM] = (np.zeros((1, table.truth.size)), everything)
    parts = []
    for name, (values, scored) in columns.items():
        n = int(scored.sum())
        possible = [count for count in wanted if count <= n]
        regrets = np.array([regret_curve(column[scored], table.truth[scored], possible) for column in values])
        deviation = regrets.std(axis=0, ddof=1) if len(regrets) > 1 else np.nan
        figures = {"k": possible, "n": n, "regret": regrets.mean(axis=0), "deviation": deviation}
        parts.append(pd.DataFrame(figures).assign(estimator=name))
    return pd.concat(parts, ignore_index=True)[["estimator", "k", "n", "regret", "deviation"]]


def trainings_needed(table: pd.DataFrame, regret: float) -> pd.Series[float]:
    """The least k of a table of `search_value` from which on the regret is at most the wanted one, by estimator.

    NaN where no k of the table reaches it.

    >>> table = pd.DataFrame({"estimator": ["a", "a", "b"], "k": [1, 2, 1], "regret": [0.9, 0.1, 0.7]})
    >>> trainings_needed(table, 0.5).to_dict()
    {'a': 2.0, 'b': nan}
    """
    enough = table[table["regret"] <= regret].groupby("estimator", sort=False)["k"].min()
    return enough.reindex(pd.unique(table["estimator"])).astype(float).rename("trainings")
