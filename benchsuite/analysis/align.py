"""Scores and ground truth joined by architecture and checked; the order of input rows does not matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from benchsuite.core.arrays import Booleans, Floats

    Trials = Mapping[str, Sequence[pd.Series[float]]]  # scores by architecture of every run, by estimator


def aligned(scores: pd.Series[float], truth: pd.Series[float], **others: pd.Series[float]) -> pd.DataFrame:
    """Join scores, ground truth and other quantities by architecture.

    Parameters
    ----------
    scores
        Scores by architecture; NaN (undefined) and infinite ones are allowed.
    truth
        Ground truth by architecture, finite.
    **others
        Further quantities by architecture, finite; a column gets the name of its argument.

    Returns
    -------
    DataFrame
        The architectures that all Series have, sorted by their names; a column per Series in the order of the
        arguments. ``attrs["n_dropped"]`` counts the scores, ``attrs["n_unscored"]`` the ground-truth values that have
        no partner.

    Raises
    ------
    BenchsuiteError
        If an argument is not a Series of numbers, repeats an architecture or is not finite where it must be, or if no
        architecture is in all of them.

    Examples
    --------
    >>> scores, truth = pd.Series({"b": 1.0, "a": 2.0, "c": 3.0}), pd.Series({"a": 90.0, "b": 80.0})
    >>> table = aligned(scores, truth)
    >>> table.index.tolist(), table.attrs["n_dropped"]
    (['a', 'b'], 1)
    """
    columns = {"scores": _numbers("scores", scores)}
    for name, values in {"truth": truth, **others}.items():
        columns[name] = _numbers(name, values)
        _require_finite(name, columns[name])
    table = pd.concat(columns, axis=1, join="inner")
    if table.empty:
        names = " and ".join(columns)
        raise BenchsuiteError(f"{names} have no architecture in common; give all of them the same index")
    table = table.iloc[_order(table.index)]
    table.attrs = {"n_dropped": len(scores) - len(table), "n_unscored": len(truth) - len(table)}
    return table


def arrays(table: pd.DataFrame) -> list[Floats]:
    """Return the columns of a table as arrays.

    Parameters
    ----------
    table
        A table of numbers, such as `aligned` returns.

    Returns
    -------
    list
        An array of shape (n,) for each column.

    Examples
    --------
    >>> [column.tolist() for column in arrays(pd.DataFrame({"scores": [1, 2], "truth": [90, 91]}))]
    [[1.0, 2.0], [90.0, 91.0]]
    """
    return [table[name].to_numpy(dtype=np.float64) for name in table]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Runs of estimators on the n architectures of a ground truth.

    Attributes
    ----------
    architectures
        The architectures, sorted by their names.
    truth
        Ground truth, shape (n,).
    scores
        By estimator, the scores of its runs, shape (runs, n); NaN where undefined or missing.
    scored
        By estimator, whether all of its runs have a row for an architecture, shape (n,).
    """

    architectures: pd.Index[str]
    truth: Floats
    scores: dict[str, Floats]
    scored: dict[str, Booleans]


def side_by_side(trials: Trials, truth: pd.Series[float]) -> SideBySide:
    """Bring all runs onto the architectures of a ground truth; scores of other architectures are left out.

    Parameters
    ----------
    trials
        By estimator, the scores by architecture of each of its runs; NaN = undefined.
    truth
        Ground truth by architecture, finite.

    Returns
    -------
    SideBySide
        Scores and ground truth of the same architectures in the same order.

    Raises
    ------
    BenchsuiteError
        If scores or truth are not a Series of numbers or repeat an architecture, or if the truth is not finite.

    Examples
    --------
    >>> scores, truth = pd.Series({"b": 1.0, "c": 3.0}), pd.Series({"b": 80.0, "a": 90.0})
    >>> side_by_side({"snip": [scores]}, truth).scores["snip"].tolist()
    [[nan, 1.0]]
    """
    known = _numbers("truth", truth)
    _require_finite("truth", known)
    known = known.iloc[_order(known.index)]
    scores, scored = {}, {}
    for name, each in trials.items():
        columns = [_numbers(f"a run of {name}", trial) for trial in each]
        positions = [column.index.get_indexer(known.index) for column in columns]
        pairs = zip(columns, positions, strict=True)
        scores[name] = np.array([np.where(at >= 0, column.to_numpy()[at], np.nan) for column, at in pairs])
        scored[name] = np.logical_and.reduce([at >= 0 for at in positions])
    return SideBySide(known.index, np.asarray(known, dtype=np.float64), scores, scored)


def _order(labels: pd.Index) -> NDArray[np.intp]:
    """Positions in the order of the labels' representations, which labels of any kind have."""
    texts = [repr(label) for label in labels.to_numpy(dtype=object)]  # an index of strings iterates slowly itself
    return np.array(sorted(range(len(texts)), key=texts.__getitem__), dtype=np.intp)  # faster than numpy of texts


def _numbers(name: str, values: pd.Series[float]) -> pd.Series[float]:
    if not isinstance(values, pd.Series):
        raise BenchsuiteError(f"{name} is a {type(values).__name__}; give a pandas Series indexed by architecture")
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_complex_dtype(values):
        raise BenchsuiteError(f"{name} has the type {values.dtype}; give real numbers, such as by pandas.to_numeric")
    if not values.index.is_unique:
        repeated = values.index[values.index.duplicated()][0]
        raise BenchsuiteError(f"{name} has the architecture {repeated!r} more than once; give one value for each")
    return pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan), index=values.index)


def _require_finite(name: str, values: pd.Series[float]) -> None:
    bad = values[~np.isfinite(values)]
    if len(bad):
        example = f"{bad.index[0]!r} has {bad.iloc[0]}"
        raise BenchsuiteError(f"{name} must be finite but {example} ({len(bad)} such rows); leave these rows out")
