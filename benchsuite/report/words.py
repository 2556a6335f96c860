"""Numbers in words: the one place that rounds for a reader."""

from __future__ import annotations

import math
import re

MISSING = "–"


def number(value: float, digits: int = 3) -> str:
    """The value with a true minus sign, or a dash if it is undefined.

    >>> number(-0.25, 2), number(float("nan"))
    ('−0.25', '–')
    """
    return f"{value:.{digits}f}".replace("-", "−") if math.isfinite(value) else MISSING


def interval(low: float, high: float, digits: int = 2) -> str:
    """The two ends of an interval, or nothing where there is none.

    >>> interval(0.1, 0.25), interval(float("nan"), 1.0)
    ('0.10 to 0.25', '')
    """
    return f"{number(low, digits)} to {number(high, digits)}" if math.isfinite(low) and math.isfinite(high) else ""


def percent(fraction: float) -> str:
    """A fraction as percent.

    >>> percent(0.005), percent(0.2)
    ('0.5 %', '20 %')
    """
    return f"{100 * fraction:g} %"


def seconds(value: float) -> str:
    """Seconds with two significant digits.

    >>> seconds(0.0314), seconds(12.3), seconds(0.0), seconds(float("nan"))
    ('0.031', '12', '<0.0001', '–')
    """
    if not math.isfinite(value):
        return MISSING
    if value < 1e-4:
        return "<0.0001"
    return f"{value:.0f}" if value >= 10 else f"{value:.{1 - math.floor(math.log10(value))}f}"


def large(value: float) -> str:
    """A count with three significant digits and a unit.

    >>> large(73306), large(1531546), large(12)
    ('73.3k', '1.53M', '12')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.0f}"


def slug(name: str) -> str:
    """The name as part of a file name or identifier.

    >>> slug("nasbench201/cifar10"), slug("synflow(log=True)")
    ('nasbench201-cifar10', 'synflow-log-true')
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unnamed"
