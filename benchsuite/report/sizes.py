"""Measures of size (parameters, MACs): which of them differ, and the groups of architectures that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.correlation import kendall_tau
from benchsuite.analysis.groups import quantile_groups
from benchsuite.analysis.ranking import dense_ranks
from benchsuite.report.render.words import large

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUPS = 5
ALL = 0  # the group of figures over all sizes, before the others
NAMES = {
    "params": "parameters",
    "macs": "MACs",
    "live_params": "live parameters",
    "live_macs": "live MACs",
}
OFFICIAL = ("params", "macs")


def sizes_of(complexity: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the size measures by their column: official ones, and those of the built networks where they differ.

    Parameters
    ----------
    complexity
        Columns params, macs, live_params, live_macs by architecture, or none where sizes are not known.

    Examples
    --------
    >>> sizes = pd.DataFrame({"params": [1, 2], "macs": [9, 8], "live_params": [1, 2], "live_macs": [9, 7]})
    >>> list(sizes_of(sizes))
    ['params', 'macs', 'live_macs']
    """
    if complexity.columns.empty:
        return {}
    official = {f"live_{name}": name for name in OFFICIAL}
    return {
        name: complexity[name]
        for name in NAMES
        if name in OFFICIAL or (complexity[name] != complexity[official[name]]).any()
    }


def size_groups(size: pd.Series) -> pd.DataFrame:
    """Return the group of each architecture (1 = smallest) and its label: the smallest and the largest size in it.

    Parameters
    ----------
    size
        A size measure by architecture.

    Examples
    --------
    >>> size_groups(pd.Series({"a": 1500, "b": 1500, "c": 90_000})).values.tolist()
    [[1, '1.5k'], [1, '1.5k'], [2, '90k']]
    """
    groups = pd.Series(quantile_groups(size.to_numpy(dtype=float), GROUPS), size.index)
    ends = size.groupby(groups).agg(["min", "max"])
    return pd.DataFrame({"group": groups, "label": groups.map(ends.apply(lambda row: _label(*row), axis=1))})


def _label(least: float, greatest: float) -> str:
    return large(least) if least == greatest else f"{large(least)} to {large(greatest)}"


def orders_of(sizes: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Return which size measures order the architectures in a way of their own.

    Parameters
    ----------
    sizes
        Size measures by their column, from `sizes_of`.

    Returns
    -------
    DataFrame
        Columns complexity (the measure), same_as (the first measure that orders the architectures exactly as it does,
        itself if none before it does), tau (tau-b with parameters).

    Examples
    --------
    >>> first, second = pd.Series([1, 2, 2]), pd.Series([3, 5, 6])
    >>> found = orders_of({"params": first, "macs": 9 * first, "live_params": second})
    >>> found[["complexity", "same_as"]].values.tolist()
    [['params', 'params'], ['macs', 'params'], ['live_params', 'live_params']]
    """
    ranked = {name: dense_ranks(size) for name, size in sizes.items()}
    rows = [
        (
            name,
            next(first for first in ranked if (ranked[first] == ranked[name]).all()),
            kendall_tau(sizes["params"], size),
        )
        for name, size in sizes.items()
    ]
    return pd.DataFrame(rows, columns=["complexity", "same_as", "tau"])


def own_orders(orders: pd.DataFrame) -> dict[str, list[str]]:
    """Return the measures that order architectures differently, each with those that order them exactly as it does.

    Parameters
    ----------
    orders
        The table of `orders_of`.
    """
    groups = orders.groupby("same_as", sort=False)["complexity"]
    return {str(name): [other for other in rows if other != name] for name, rows in groups}
