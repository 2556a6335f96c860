"""What the readers of third-party results yield."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]  # parts done, parts in all (0: unknown)


class Piece(NamedTuple):
    """Rows of a benchmark.

    Attributes
    ----------
    benchmark
        Its name, space/dataset.
    kind
        "table" for results at the end of trainings, "curve" for results epoch by epoch.
    rows
        Checked by `benchsuite.data.tables.normalise`.
    """

    benchmark: str
    kind: Literal["table", "curve"]
    rows: pd.DataFrame


def silent(done: int, total: int) -> None:
    """Show no progress.

    Parameters
    ----------
    done
        Parts done.
    total
        All parts; 0 if unknown.
    """
