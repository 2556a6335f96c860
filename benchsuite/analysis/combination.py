"""Combinations of estimators: one ranking made of several, which depends on the set of architectures that is ranked.

Each takes a table of scores, architectures x estimators, higher is better, and returns one combined score for each
architecture, higher is better. Only the order of each estimator's scores counts; an undefined score (NaN) ranks below
all others of its estimator, tied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.ranking import average_ranks, dense_ranks
from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchsuite.core.arrays import Floats

_COMPARED = 1 << 21  # pairs of architectures compared at a time: what the processor's cache holds
_DIGITS = 10  # decimals of a sum of logarithms; beyond, rounding would part architectures with equal products


def rank_mean(scores: pd.DataFrame) -> pd.Series[float]:
    """Return the mean over the estimators of an architecture's rank, from 1 = lowest.

    Parameters
    ----------
    scores
        Scores, architectures x estimators; equal scores share their mean rank.

    Returns
    -------
    Series
        Combined score by architecture.

    Raises
    ------
    BenchsuiteError
        If the table has no column.

    Examples
    --------
    >>> table = pd.DataFrame({"snip": [1.0, 2.0, 3.0], "synflow": [5.0, 9.0, float("nan")]}, index=["a", "b", "c"])
    >>> rank_mean(table).to_dict()
    {'a': 1.5, 'b': 2.5, 'c': 2.0}
    """
    return pd.Series(_ranks(scores).mean(axis=1), index=scores.index)


def rank_product(scores: pd.DataFrame) -> pd.Series[float]:
    """Return the sum over the estimators of log(rank / M), the rank from 1 = lowest of M architectures.

    A low rank by one estimator weighs more than in the mean: the non-linear rank aggregation of AZ-NAS (Lee et al.,
    CVPR 2024), there of its expressivity, progressivity, trainability and the MACs.

    Parameters
    ----------
    scores
        Scores, architectures x estimators; equal scores share their mean rank.

    Returns
    -------
    Series
        Combined score by architecture, at most 0.

    Raises
    ------
    BenchsuiteError
        If the table has no column.

    Examples
    --------
    >>> table = pd.DataFrame({"snip": [1.0, 2.0, 3.0], "synflow": [5.0, 9.0, float("nan")]}, index=["a", "b", "c"])
    >>> rank_product(table).round(3).to_dict()
    {'a': -1.504, 'b': -0.405, 'c': -1.099}
    """
    ranks = _ranks(scores)
    return pd.Series(np.log(ranks / len(ranks)).sum(axis=1).round(_DIGITS), index=scores.index)


def copeland(scores: pd.DataFrame) -> pd.Series[float]:
    """Return how many architectures an architecture beats by the majority of the estimators; a draw counts half.

    The majority vote between two architectures (Ning et al., NeurIPS 2021) is not transitive; counting wins makes a
    ranking of it (Copeland's method). Time grows with the number of pairs: about a second for four estimators and
    15,625 architectures.

    Parameters
    ----------
    scores
        Scores, architectures x estimators; an estimator that ties two architectures abstains.

    Returns
    -------
    Series
        Combined score by architecture: wins plus half the draws.

    Raises
    ------
    BenchsuiteError
        If the table has no column.

    Examples
    --------
    >>> table = pd.DataFrame({"snip": [1, 2, 3], "synflow": [1, 3, 2], "nwot": [1, 2, 2]}, index=["a", "b", "c"])
    >>> copeland(table).to_dict()
    {'a': 0.0, 'b': 1.5, 'c': 1.5}
    """
    _check(scores)
    n = len(scores)
    # the smallest type that holds a rank makes comparisons of many at once fastest
    columns = [dense_ranks(values).astype(np.min_scalar_type(n)) for _, values in scores.items()]
    wins = np.empty(n)
    size = max(1, _COMPARED // max(n, 1))
    for start in range(0, n, size):
        rows = slice(start, start + size)
        margin = np.zeros((len(columns[0][rows]), n), dtype=np.int16)
        for ranks in columns:
            margin += ranks[rows, None] > ranks
            margin -= ranks[rows, None] < ranks
        won, drawn = (margin > 0).sum(axis=1), (margin == 0).sum(axis=1)
        wins[rows] = won + (drawn - 1) / 2  # each draws with itself, which does not count
    return pd.Series(wins, index=scores.index)


# Name in a suite -> how scores are combined.
COMBINATIONS: dict[str, Callable[[pd.DataFrame], pd.Series[float]]] = {
    "rank_mean": rank_mean,
    "rank_product": rank_product,
    "vote": copeland,
}


def _check(scores: pd.DataFrame) -> None:
    if scores.shape[1] == 0:
        raise BenchsuiteError("a combination of no estimators is not possible; give a table with a column for each")


def _ranks(scores: pd.DataFrame) -> Floats:
    """Average ranks within each column, 1 = lowest: shape (architectures, estimators)."""
    _check(scores)
    return np.column_stack([average_ranks(values) for _, values in scores.items()])
