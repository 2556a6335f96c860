"""Scores and truth side by side: checked, joined by architecture, in an order that no input row order can change."""

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
    """Rows present in all Series, one column each in the order of the arguments, sorted by index.

    Scores may be NaN (undefined) or infinite, all other columns must be finite. `attrs["n_dropped"]` counts the scores
    and `attrs["n_unscored"]` the truths that have no partner. Raises BenchsuiteError for what is no Series of numbers,
    for a repeated architecture, and if nothing is in common.

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
    """The columns of a table as arrays of shape (n,)."""
    return [table[name].to_numpy(dtype=np.float64) for name in table]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Trials of estimators on the n architectures of a truth, in an order that no input row order can change.

    `scores` holds those of each estimator, shape (trials, n), NaN where undefined or absent; `scored` tells, shape
    (n,), which architectures all of its trials have a row for.
    """

    architectures: pd.Index[str]
    truth: Floats
    scores: dict[str, Floats]
    scored: dict[str, Booleans]


def side_by_side(trials: Trials, truth: pd.Series[float]) -> SideBySide:
    """All trials on the architectures of the truth; scores of other architectures are left out.

    Raises BenchsuiteError for what is no Series of numbers, for a repeated architecture, and for an infinite truth.

    >>> scores, truth = pd.Series({"b": 1.0, "c": 3.0}), pd.Series({"b": 80.0, "a": 90.0})
    >>> side_by_side({"snip": [scores]}, truth).scores["snip"].tolist()
    [[nan, 1.0]]
    """
    known = _numbers("truth", truth)
    _require_finite("truth", known)
    known = known.iloc[_order(known.index)]
    scores, scored = {}, {}
    for name, each in trials.items():
        columns = [_numbers(f"a trial of {name}", trial) for trial in each]
        places = [column.index.get_indexer(known.index) for column in columns]
        pairs = zip(columns, places, strict=True)
        scores[name] = np.array([np.where(at >= 0, column.to_numpy()[at], np.nan) for column, at in pairs])
        scored[name] = np.logical_and.reduce([at >= 0 for at in places])
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
        raise BenchsuiteError(f"{name} has the architecture {repeated!r} more than once; give each one value")
    return pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan), index=values.index)


def _require_finite(name: str, values: pd.Series[float]) -> None:
    bad = values[~np.isfinite(values)]
    if len(bad):
        example = f"{bad.index[0]!r} has {bad.iloc[0]}"
        raise BenchsuiteError(f"{name} must be finite but {example} ({len(bad)} such rows); leave these rows out")
