"""Transfer between data sets of one search space as a table, which a section and the overview show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.report.criteria import TAU
from benchsuite.report.render.table import Column, Table, matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

_MEANING = "Scores made on the first data set, evaluated against the ground truth of the second"


def transfer_table(space: str, found: pd.DataFrame, order: Sequence[str] = ()) -> Table:
    """Return estimators in rows, in the given order, then as found; pairs of data sets in columns.

    Parameters
    ----------
    space
        Name of the search space.
    found
        The columns of `benchsuite.analysis.transfer.transfer`.
    order
        Estimators that come first.
    """
    label = found["scored_on"] + " on " + found["judged_on"]
    rows = found.assign(value=found[TAU.key], label=label)
    numbers = found["n"].groupby(label, sort=False).agg(["min", "max"])
    columns = {
        name: Column(f"{name} (n {_range(*ends)})", _MEANING) for name, ends in numbers.T.to_dict("list").items()
    }
    caption = (
        f"Transfer between data sets of {space}: tau-b of scores made on one with the ground truth of "
        f"another, on the n "
        "architectures that both know"
    )
    names = list(dict.fromkeys([*order, *found["estimator"]]))
    return matrix(Table(f"transfer_{space}", caption, (), ()), rows, "label", columns, names, 3)


def _range(least: int, most: int) -> str:
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
