"""Objectives of a search, and the front: what no other architecture is better than in all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting  # type: ignore[import-untyped]  # it ships no types

from benchsuite.core.errors import SuiteError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

QUANTITIES = ("score", "macs", "params", "depth")


@dataclass(frozen=True, slots=True)
class Objective:
    """A quantity of architectures that should be large, or small with `sign` = -1."""

    quantity: str
    sign: int = 1

    def __str__(self) -> str:
        """The objective in words."""
        return f"{self.quantity} {'up' if self.sign > 0 else 'down'}"


def parse_objectives(text: str) -> tuple[Objective, ...]:
    """The objectives of names separated by commas, with a minus before what should be small.

    Raises
    ------
    BenchsuiteError
        If a name is unknown, stands twice, or none is "score".

    Examples
    --------
    >>> [str(objective) for objective in parse_objectives("score,-macs,params")]
    ['score up', 'macs down', 'params up']
    """
    parts = [part.strip() for part in text.split(",")]
    found = tuple(Objective(part.lstrip("+-"), -1 if part.startswith("-") else 1) for part in parts)
    names = [objective.quantity for objective in found]
    for name in names:
        if name not in QUANTITIES:
            raise UnknownNameError("objective", name, QUANTITIES)
    if len(set(names)) < len(names) or "score" not in names:
        raise SuiteError(f"objectives {text!r}: name each once, and the score among them, as in score,-macs,params")
    return found


def losses(rows: pd.DataFrame, objectives: tuple[Objective, ...]) -> NDArray[np.float64]:
    """What is to be small, shape (rows, objectives), of rows with a column for every quantity."""
    return np.column_stack([-objective.sign * rows[objective.quantity].to_numpy(float) for objective in objectives])


def front(rows: pd.DataFrame, objectives: tuple[Objective, ...]) -> pd.DataFrame:
    """The rows that no row dominates: none is as good in all objectives and better in one; undefined scores left out.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"score": [1.0, 2.0, 3.0], "macs": [5, 7, 6]})
    >>> front(rows, parse_objectives("score,-macs")).index.tolist()
    [0, 2]
    """
    defined = rows[rows["score"].notna()]
    if defined.empty:
        return defined
    best = NonDominatedSorting().do(losses(defined, objectives), only_non_dominated_front=True)
    return defined.iloc[np.sort(best)]
