"""Objectives of a search, and the front: the architectures that no other one dominates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting  # type: ignore[import-untyped]  # it ships no types

from benchsuite.core.errors import SuiteError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

    from benchsuite.core.arrays import Floats

QUANTITIES = ("score", "macs", "params", "depth")


@dataclass(frozen=True, slots=True)
class Objective:
    """A quantity of architectures to maximise or minimise.

    Attributes
    ----------
    quantity
        One of `QUANTITIES`.
    sign
        1 to maximise, -1 to minimise.
    """

    quantity: str
    sign: int = 1

    def __str__(self) -> str:
        """Return the objective in words."""
        return f"{self.quantity} {'up' if self.sign > 0 else 'down'}"


def parse_objectives(text: str) -> tuple[Objective, ...]:
    """Return the objectives that a text names.

    Parameters
    ----------
    text
        Names separated by commas; a minus means that small is good.

    Raises
    ------
    UnknownNameError
        If a name is unknown.
    SuiteError
        If a name is repeated, or "score" is missing.

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
        raise SuiteError(f"objectives {text!r}: give each name once, including score, as in score,-macs,params")
    return found


def losses(rows: pd.DataFrame, objectives: tuple[Objective, ...]) -> Floats:
    """Return what is to be minimised.

    Parameters
    ----------
    rows
        A column for every quantity.
    objectives
        What is to be large or small.

    Returns
    -------
    Floats
        Shape (rows, objectives).
    """
    return np.column_stack([-objective.sign * rows[objective.quantity].to_numpy(float) for objective in objectives])


def front(rows: pd.DataFrame, objectives: tuple[Objective, ...]) -> pd.DataFrame:
    """Return the rows that no other row dominates, by being as good in all objectives and better in one.

    Parameters
    ----------
    rows
        A column for every quantity; rows with an undefined score are left out.
    objectives
        What is to be large or small.

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
