"""Architecture strings of NAS-Bench-Macro: eight digits, one for the block of each layer."""

from __future__ import annotations

import re

from benchsuite.core.errors import InvalidArchitectureError

OPERATIONS = ("identity", "MB3_K3", "MB6_K5")  # by the digit that stands for each
STAGES = (2, 3, 3)  # layers in each stage; the first one halves the size and doubles the channels
LAYERS = sum(STAGES)
DIGITS = "012"
_OPENING = (0, 2, 5)  # positions of the first layers of the stages


def parse(architecture: str) -> str:
    """Return the eight digits.

    Parameters
    ----------
    architecture
        A string; white space around it does not matter.

    Returns
    -------
    str
        Digits from 0 to 2.

    Raises
    ------
    InvalidArchitectureError
        If the string has another form.

    Examples
    --------
    >>> parse(" 22212220 ")
    '22212220'
    """
    digits = str(architecture).strip()
    if re.fullmatch(rf"[{DIGITS}]{{{LAYERS}}}", digits, re.ASCII) is None:
        meaning = ", ".join(f"{digit} {name}" for digit, name in enumerate(OPERATIONS))
        raise InvalidArchitectureError(
            f"{str(architecture)[:120]!r} is not a NAS-Bench-Macro architecture; write {LAYERS} digits: {meaning}"
        )
    return digits


def operations_of(architecture: str) -> tuple[str, ...]:
    """Return the block of each layer.

    Parameters
    ----------
    architecture
        A string of the space.

    Returns
    -------
    tuple
        Eight names.
    """
    return tuple(OPERATIONS[int(digit)] for digit in parse(architecture))


def stages(digits: str) -> list[str]:
    """Return the digits of each stage.

    Parameters
    ----------
    digits
        All eight.

    Returns
    -------
    list
        Three strings.
    """
    return [digits[first : first + number] for first, number in zip(_OPENING, STAGES, strict=True)]


def canonical_digits(digits: str) -> str:
    """Return the digits with the identities of each stage last, but for the layer that opens it.

    Parameters
    ----------
    digits
        All eight.

    Returns
    -------
    str
        The canonical architecture.
    """
    return "".join(stage[0] + stage[1:].replace("0", "").ljust(len(stage) - 1, "0") for stage in stages(digits))
