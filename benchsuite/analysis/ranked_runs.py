"""The ranks of all runs of several estimators on the architectures that they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.analysis.align import aligned, side_by_side
from benchsuite.analysis.ranking import average_ranks
from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    import pandas as pd

    from benchsuite.analysis.align import Trials
    from benchsuite.core.arrays import Floats, Integers


@dataclass(frozen=True, slots=True)
class RankedRuns:
    """Average ranks of all runs on the n architectures that every estimator has scored.

    Attributes
    ----------
    names
        The estimators.
    owner
        Position in `names` of the estimator of each run, ascending, shape (runs,).
    ranks
        Average ranks of the scores of each run, shape (runs, n).
    truth
        Average ranks of the ground truth, shape (n,).
    complexity
        Average ranks of complexity, shape (n,); those of the ground truth where none is given.
    """

    names: list[str]
    owner: Integers
    ranks: Floats
    truth: Floats
    complexity: Floats

    @classmethod
    def of(cls, trials: Trials, truth: pd.Series[float], complexity: pd.Series[float] | None = None) -> RankedRuns:
        """Rank all runs on the architectures that they have in common.

        Parameters
        ----------
        trials
            By estimator, the scores by architecture of each of its runs; NaN = undefined, ranked worst.
        truth
            Ground truth by architecture.
        complexity
            Such as the number of parameters, by architecture.

        Returns
        -------
        RankedRuns
            Ranks on the common architectures.

        Raises
        ------
        BenchsuiteError
            If no architecture has scores of all estimators.
        """
        known = truth if complexity is None else aligned(truth, complexity)["scores"]
        table = side_by_side(trials, known)
        common = np.logical_and.reduce([*table.scored.values(), np.ones(len(known), dtype=bool)])
        if not common.any():
            raise BenchsuiteError("no architecture has scores of all estimators; compare fewer of them")
        columns = [column[common] for each in table.scores.values() for column in each]
        sizes = known if complexity is None else complexity
        return cls(
            list(table.scores),
            np.repeat(np.arange(len(table.scores)), [len(each) for each in table.scores.values()]),
            np.array([average_ranks(column) for column in columns]),
            average_ranks(table.truth[common]),
            average_ranks(sizes.reindex(table.architectures).to_numpy()[common]),
        )

    def correlations(self, *, extended: bool = False) -> Floats:
        """Return Spearman's rho of all runs.

        Parameters
        ----------
        extended
            Whether ground truth and complexity follow the runs, as the last two rows and columns.

        Returns
        -------
        array
            A symmetric matrix; NaN with a constant.
        """
        rows = np.vstack([self.ranks, self.truth, self.complexity]) if extended else self.ranks
        centred = rows - rows.mean(axis=1, keepdims=True)
        norms = np.sqrt((centred**2).sum(axis=1))
        unit = centred / np.where(norms > 0, norms, np.nan)[:, None]
        correlations: Floats = np.clip(unit @ unit.T, -1, 1)
        return correlations

    def mean_over_runs(self, matrix: Floats) -> Floats:
        """Return the means over pairs of runs of two estimators; on the diagonal over pairs of different runs.

        Parameters
        ----------
        matrix
            A value for each pair of runs, shape (runs, runs).

        Returns
        -------
        array
            A value for each pair of estimators, shape (estimators, estimators).
        """
        starts = np.searchsorted(self.owner, np.arange(len(self.names)))
        number = np.diff([*starts, self.owner.size])
        sums = np.add.reduceat(np.add.reduceat(matrix, starts, axis=0), starts, axis=1)
        with_itself = np.add.reduceat(np.diag(matrix), starts)
        between = (np.diag(sums) - with_itself) / np.maximum(number * (number - 1), 1)
        means: Floats = sums / np.outer(number, number)
        np.fill_diagonal(means, np.where(number > 1, between, with_itself))
        return means
