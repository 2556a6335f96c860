"""What the readers of third-party results yield."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]  # parts done, parts in all (0: unknown)


class Piece(NamedTuple):
    """Rows of a benchmark: of its table of results, or of its curves epoch by epoch."""

    benchmark: str
    kind: Literal["table", "curve"]
    rows: pd.DataFrame


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""
