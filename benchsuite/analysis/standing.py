"""How good a chosen architecture truly is, and how it stands among those whose truth is known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchsuite.core.errors import InvalidArchitectureError

if TYPE_CHECKING:
    import pandas as pd

    from benchsuite.core.space import Space


def true_accuracies(architectures: pd.Series, space: Space, own: pd.Series, classes: pd.Series) -> pd.Series:
    """True accuracy of each string, else that of its class's representative; NaN where neither is known.

    Parameters
    ----------
    architectures
        Strings, some of which may be none of the space.
    own, classes
        Accuracy in percent by string, and by representative of a class.
    """
    known = architectures[[not foreign(space, name) for name in architectures]]
    return architectures.map(own).fillna(known.map(space.canonical).map(classes)).astype(float)


def foreign(space: Space, architecture: str) -> str:
    """What makes an architecture of a supernet none of the space; nothing for one of it."""
    try:
        space.validate(architecture)
    except InvalidArchitectureError as error:
        return str(error)
    return ""


def percentile(accuracy: float, known: pd.Series) -> float:
    """Percentage of the known accuracies that are smaller; NaN for an unknown accuracy.

    >>> import pandas as pd
    >>> percentile(91.0, pd.Series([90.0, 91.0, 92.0, 89.0])), percentile(float("nan"), pd.Series([90.0]))
    (50.0, nan)
    """
    return 100 * float((known < accuracy).mean()) if math.isfinite(accuracy) else math.nan
