"""How good a chosen architecture truly is, and how it compares with those whose ground truth is known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchsuite.core.errors import InvalidArchitectureError

if TYPE_CHECKING:
    import pandas as pd

    from benchsuite.core.space import Space


def true_accuracies(architectures: pd.Series, space: Space, own: pd.Series, classes: pd.Series) -> pd.Series:
    """Return the true accuracy of each architecture, else that of its isomorphism class; NaN where neither is known.

    Parameters
    ----------
    architectures
        Strings; some of them need not belong to the space.
    space
        The search space.
    own
        Accuracy in percent by string.
    classes
        Accuracy in percent by canonical architecture, which stands for an isomorphism class.

    Returns
    -------
    Series
        Accuracy in percent, with the index of `architectures`.
    """
    known = architectures[[not foreign(space, name) for name in architectures]]
    return architectures.map(own).fillna(known.map(space.canonical).map(classes)).astype(float)


def foreign(space: Space, architecture: str) -> str:
    """Return why a string is not an architecture of the space.

    Parameters
    ----------
    space
        The search space.
    architecture
        A string, such as what a supernet of a larger space chose.

    Returns
    -------
    str
        The reason; empty for an architecture of the space.
    """
    try:
        space.validate(architecture)
    except InvalidArchitectureError as error:
        return str(error)
    return ""


def percentile(accuracy: float, known: pd.Series) -> float:
    """Return the percentage of the known accuracies that are smaller.

    Parameters
    ----------
    accuracy
        Accuracy in percent.
    known
        Accuracies in percent.

    Returns
    -------
    float
        In [0, 100]; NaN for an unknown accuracy.

    Examples
    --------
    >>> import pandas as pd
    >>> percentile(91.0, pd.Series([90.0, 91.0, 92.0, 89.0])), percentile(float("nan"), pd.Series([90.0]))
    (50.0, nan)
    """
    return 100 * float((known < accuracy).mean()) if math.isfinite(accuracy) else math.nan
