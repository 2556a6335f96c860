"""Architecture strings of SCARLET's space S1: 19 codes of mobile blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchsuite.core.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Sequence

IDENTITY = "identity"
STAGES = ((32, 2), (40, 4), (80, 4), (96, 4), (192, 4), (320, 1))  # channels, layers
LAYERS = 19
OPENING = (0, 2, 6, 10, 14, 18)  # first layers of the stages, which change the channels


class MobileBlock(NamedTuple):
    """An inverted residual.

    Attributes
    ----------
    expansion
        Hidden channels as a multiple of those that go in.
    kernel
        Side of the depthwise kernel.
    excited
        Whether it has squeeze-excite.
    """

    expansion: int
    kernel: int
    excited: bool


BLOCKS = {
    f"MB{expansion}_K{kernel}{'_SE' * excited}": MobileBlock(expansion, kernel, excited)
    for expansion in (3, 6)
    for kernel in (3, 5, 7)
    for excited in (False, True)
}
OPERATIONS = (*BLOCKS, IDENTITY)
ALLOWED = tuple(tuple(BLOCKS) if layer in OPENING else OPERATIONS for layer in range(LAYERS))  # of each layer
_CODES = {name: f"{block.expansion}{block.kernel}{'s' * block.excited}" for name, block in BLOCKS.items()}
_CODES[IDENTITY] = "id"
_NAMES = {code: name for name, code in _CODES.items()}


def parse(architecture: str) -> tuple[str, ...]:
    """Return the operation of each layer.

    Parameters
    ----------
    architecture
        19 codes joined by "-"; white space around the string does not matter.

    Returns
    -------
    tuple
        Names of operations.

    Raises
    ------
    InvalidArchitectureError
        If the string has another form, or a layer that changes the channels is an identity.

    Examples
    --------
    >>> parse("37-65-35-37s-63s-35s-63s-33-37s-37-35-37s-33-37s-63s-65s-33s-63s-67s")[2:5]
    ('MB3_K5', 'MB3_K7_SE', 'MB6_K3_SE')
    """
    codes = str(architecture).strip().split("-")
    if len(codes) != LAYERS or not set(codes) <= set(_NAMES):
        raise InvalidArchitectureError(
            f"{str(architecture)[:120]!r} is not a SCARLET architecture; join {LAYERS} of {', '.join(_NAMES)} by '-'"
        )
    operations = tuple(_NAMES[code] for code in codes)
    if not keeps_openings(operations):
        raise InvalidArchitectureError(f"{architecture}: layers {OPENING} change the channels and cannot be 'id'")
    return operations


def render(operations: Sequence[str]) -> str:
    """Return the string of 19 operations: expansion, kernel, s with squeeze-excite; id for the identity.

    Parameters
    ----------
    operations
        One for each layer.

    Returns
    -------
    str
        The architecture string.

    Examples
    --------
    >>> render(["MB3_K7", *["MB6_K5_SE"] * 18])[:11]
    '37-65s-65s-'
    """
    return "-".join(_CODES.get(operation, operation) for operation in operations)


def keeps_openings(operations: Sequence[str]) -> bool:
    """Return whether all layers that change the channels have a block.

    Parameters
    ----------
    operations
        One for each layer.

    Returns
    -------
    bool
        False if one of them is an identity.
    """
    return all(operations[layer] != IDENTITY for layer in OPENING)


def stages(operations: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the operations of each stage.

    Parameters
    ----------
    operations
        One for each layer.

    Returns
    -------
    list
        Six tuples.
    """
    return [tuple(operations[first : first + number]) for first, (_, number) in zip(OPENING, STAGES, strict=True)]
