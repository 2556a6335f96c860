"""Errors whose message is one line for the user."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class BenchsuiteError(Exception):
    r"""An error whose message is one line for the user: what, which value, what is allowed, what to do.

    Parameters
    ----------
    message
        The message; line breaks, which it can have from names and from errors of other packages, become spaces.

    Examples
    --------
    >>> str(BenchsuiteError("no estimator named\n'snap'"))
    "no estimator named 'snap'"
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(" ".join(str(message).splitlines()))


class UnknownNameError(BenchsuiteError):
    """An unknown name of a space, estimator, benchmark, source, suite or parameter.

    Parameters
    ----------
    kind
        What the name should be of, such as "estimator".
    name
        The unknown name.
    known
        The known names, of which the message suggests the closest.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        super().__init__(f"no {kind} named {name!r}.{hint} Known: {', '.join(names) or 'none'}")


class InvalidArchitectureError(BenchsuiteError):
    """A string that is not an architecture of the space."""


class UnsupportedError(BenchsuiteError):
    """An ability that a space, a benchmark or a network lacks, with the reason."""


class DataMissingError(BenchsuiteError):
    """Data that is not on this machine; the message names the command to get it."""


class DataCorruptError(BenchsuiteError):
    """A file that is truncated, foreign, malicious, or whose digest is wrong."""


class BusyError(BenchsuiteError):
    """Work that another process is doing at this moment."""


class SuiteError(BenchsuiteError):
    """A suite file, plug-in or command option with a value that is not allowed."""
