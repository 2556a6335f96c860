"""Numbers in words: the one place that rounds for a reader."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
_UNITS = {1: "s", 1e-3: "ms", 1e-6: "µs"}


def number(value: float, digits: int = 3) -> str:
    """Return the value with a true minus sign, or a dash if it is undefined.

    Parameters
    ----------
    value
        The number.
    digits
        Digits behind the point.

    Examples
    --------
    >>> number(0.25, 2), number(-0.25, 2) == f"{MINUS}0.25", number(float("nan")) == MISSING
    ('0.25', True, True)
    """
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", MINUS) if math.isfinite(value) else MISSING


def significant(value: float) -> str:
    """Return the value with five significant digits.

    Parameters
    ----------
    value
        The number.

    Examples
    --------
    >>> significant(91.234567), significant(1288506.0), significant(float("nan")) == MISSING
    ('91.235', '1.2885e+06', True)
    """
    return f"{value:.5g}".replace("-", MINUS) if math.isfinite(value) else MISSING


def interval(low: float, high: float, digits: int = 2) -> str:
    """Return the two ends of an interval, or nothing where it is not known.

    Parameters
    ----------
    low
        Lower end; NaN where there is no interval.
    high
        Upper end.
    digits
        Digits behind the point.

    Examples
    --------
    >>> interval(0.1, 0.25), interval(float("nan"), 1.0)
    ('0.10 to 0.25', '')
    """
    return f"{number(low, digits)} to {number(high, digits)}" if math.isfinite(low) and math.isfinite(high) else ""


def signed(value: float) -> str:
    """Return the value as a whole number with its sign.

    Parameters
    ----------
    value
        The number.

    Examples
    --------
    >>> signed(12.3), signed(-4.0) == f"{MINUS}4", signed(-0.2)
    ('+12', True, '0')
    """
    return f"{value:+.0f}".replace("-", MINUS) if round(value) else "0"


def percent(fraction: float) -> str:
    """Return a fraction as percent.

    Parameters
    ----------
    fraction
        The fraction.

    Examples
    --------
    >>> percent(0.005), percent(0.2)
    ('0.5 %', '20 %')
    """
    return f"{100 * fraction:g} %"


def seconds(value: float) -> str:
    """Return seconds with two significant digits.

    Parameters
    ----------
    value
        Seconds.

    Examples
    --------
    >>> seconds(0.0314), seconds(12.3), seconds(0.0)
    ('0.031', '12', '<0.0001')
    """
    if not math.isfinite(value):
        return MISSING
    if value < 1e-4:
        return "<0.0001"
    return f"{value:.0f}" if value >= 10 else f"{value:.{1 - math.floor(math.log10(value))}f}"


def duration(value: float) -> str:
    """Return seconds in the unit that fits.

    Parameters
    ----------
    value
        Seconds.

    Examples
    --------
    >>> duration(1e-5), duration(0.001), duration(0.1), duration(100)
    ('10 µs', '1 ms', '0.1 s', '100 s')
    """
    for size, unit in ((0.1, 1), (1e-3, 1e-3), (0, 1e-6)):
        if value >= size * (1 - 1e-9):
            return f"{value / unit:g} {_UNITS[unit]}"
    return MISSING


def hours(value: float) -> str:
    """Return seconds in hours, in minutes below one.

    Parameters
    ----------
    value
        Seconds.

    Examples
    --------
    >>> hours(32043.7), hours(90.0), hours(float("nan")) == MISSING
    ('8.9 h', '1.5 min', True)
    """
    if not math.isfinite(value):
        return MISSING
    return f"{value / 3600:,.1f} h" if value >= 3600 else f"{value / 60:.1f} min"


def large(value: float) -> str:
    """Return a count with three significant digits and a unit.

    Parameters
    ----------
    value
        The count.

    Examples
    --------
    >>> large(73306), large(1531546), large(12)
    ('73.3k', '1.53M', '12')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.0f}"


def roughly(count: float) -> str:
    """Return a count rounded up to two significant digits; a sign for infinitely many, a dash if it is unknown.

    Parameters
    ----------
    count
        The count.

    Examples
    --------
    >>> roughly(2317.3), roughly(7.2), roughly(1234567), roughly(math.inf)
    ('2,400', '8', '1,300,000', '∞')
    """
    if not math.isfinite(count):
        return "∞" if count == math.inf else MISSING
    step = 10 ** max(len(str(math.ceil(count))) - 2, 0)
    return f"{step * math.ceil(count / step):,}"


def slug(name: str) -> str:
    """Return the name as part of a file name or identifier.

    Parameters
    ----------
    name
        Any name.

    Examples
    --------
    >>> slug("nasbench201/cifar10"), slug("synflow(log=True)")
    ('nasbench201-cifar10', 'synflow-log-true')
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unnamed"


def unique(names: Sequence[str], numbered: str = "{}-{}") -> list[str]:
    """Return the names, repeated ones numbered.

    Parameters
    ----------
    names
        The names.
    numbered
        How a repeated name and its number are put together.

    Examples
    --------
    >>> unique(["a", "b", "a"]), unique(["a", "a"], "{} ({})")
    (['a', 'b', 'a-2'], ['a', 'a (2)'])
    """
    earlier = [names[:place].count(name) for place, name in enumerate(names)]
    return [numbered.format(name, count + 1) if count else name for name, count in zip(names, earlier, strict=True)]


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return names as in a sentence.

    Parameters
    ----------
    names
        The names.
    most
        Names that are listed before the others are counted.

    Examples
    --------
    >>> listed(["a", "b", "c"]), listed(["a", "b", "c"], 2)
    ('a, b and c', 'a, b and 1 other')
    """
    if len(names) > most:
        left = len(names) - most
        names = [*names[:most], "1 other" if left == 1 else f"{left} others"]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
