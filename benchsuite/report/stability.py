"""How far rankings of one estimator agree: tau between every two of them, as a table and as a figure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.variance import between_pairs, ranking_stability
from benchsuite.report.render import charts
from benchsuite.report.render.parts import Figure, figure_name
from benchsuite.report.render.words import number
from benchsuite.report.runs import in_common

if TYPE_CHECKING:
    from collections.abc import Sequence


def taus_between(rankings: Sequence[pd.Series], labels: Sequence[str]) -> pd.DataFrame:
    """Compute tau between every two rankings on the architectures that all of them have scored.

    Parameters
    ----------
    rankings
        Scores by architecture.
    labels
        What to call each.

    Returns
    -------
    DataFrame
        Columns first, second (labels) and tau, a row for every ordered pair, equal ones included.
    """
    taus = ranking_stability(in_common(rankings)).to_numpy()
    rows, columns = np.indices(taus.shape).reshape(2, -1)
    names = np.array(labels, dtype=object)
    return pd.DataFrame({"first": names[rows], "second": names[columns], "tau": taus.ravel()})


def square(taus: pd.DataFrame) -> pd.DataFrame:
    """Return the table of `taus_between` as a matrix, its labels in rows and columns.

    Parameters
    ----------
    taus
        Columns first, second and tau.
    """
    labels = taus["first"].unique()
    return taus.pivot_table(index="first", columns="second", values="tau", dropna=False).loc[labels, labels]


def stability_figure(taus: pd.DataFrame, estimator: str, of: str) -> Figure:
    """Return the figure of one estimator.

    Parameters
    ----------
    taus
        Columns first, second and tau.
    estimator
        Its name.
    of
        What agrees, in the plural.
    """
    matrix = square(taus)
    pairs = between_pairs(matrix)
    words = f"Tau between the {of} of {estimator}: {number(pairs.min(), 2)} to {number(pairs.max(), 2)}."
    return Figure(figure_name(of, estimator), estimator, words, partial(charts.stability_chart, matrix))
