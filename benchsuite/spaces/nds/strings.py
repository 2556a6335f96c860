"""Architecture strings of the NDS design spaces: the chosen values of three stages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from benchsuite.core.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Sequence

STAGES = 3


class StageChoice(NamedTuple):
    """What is chosen for each stage.

    Attributes
    ----------
    letter
        Stands before the value in strings.
    word
        What the value is.
    values
        The allowed values: whole numbers, but for multipliers.
    """

    letter: str
    word: str
    values: tuple[Any, ...]


class Stage(NamedTuple):
    """The chosen values of one stage, in the order of the choices.

    Attributes
    ----------
    depth
        Number of blocks.
    width
        Output channels of each.
    multiplier
        Width inside a bottleneck as a multiple of `width`.
    groups
        Groups of channels inside a bottleneck.
    """

    depth: int
    width: int
    multiplier: float = 1.0
    groups: int = 1


def parse(architecture: str, space: str, choices: Sequence[StageChoice]) -> tuple[Stage, ...]:
    """Return the chosen values of each stage.

    Parameters
    ----------
    architecture
        A string such as "d1-w16/d4-w32/d2-w64"; white space does not matter, nor how a number is written.
    space
        Name of the space, for the message.
    choices
        What is chosen for each stage.

    Returns
    -------
    tuple
        Three stages.

    Raises
    ------
    InvalidArchitectureError
        If the string has another form or a value is not among the choices.
    """
    parts = "".join(str(architecture).split()).split("/")
    form = "-".join(rf"{choice.letter}(\d+\.?\d*|\.\d+)" for choice in choices)
    matches = [re.fullmatch(form, part, re.ASCII) for part in parts]
    if len(parts) != STAGES or None in matches:
        example = render([Stage(*(choice.values[0] for choice in choices))] * STAGES, choices)
        raise InvalidArchitectureError(
            f"{str(architecture)[:120]!r} is not an architecture of {space}; write three stages as in {example}"
        )
    return tuple(_stage(match.groups(), space, choices) for match in matches if match is not None)


def _stage(texts: Sequence[str], space: str, choices: Sequence[StageChoice]) -> Stage:
    chosen = []
    for choice, text in zip(choices, texts, strict=True):
        known = {float(value): value for value in choice.values}
        if float(text) not in known:
            allowed = ", ".join(f"{value:g}" for value in choice.values)
            raise InvalidArchitectureError(f"{choice.word} {text[:40]} is not a choice of {space}; allowed: {allowed}")
        chosen.append(known[float(text)])
    return Stage(*chosen)


def render(stages: Sequence[Stage], choices: Sequence[StageChoice]) -> str:
    """Return the string of some stages.

    Parameters
    ----------
    stages
        Chosen values.
    choices
        What is chosen for each stage.

    Returns
    -------
    str
        The architecture string.
    """
    letters = [choice.letter for choice in choices]
    return "/".join(
        "-".join(f"{letter}{value:g}" for letter, value in zip(letters, stage, strict=False)) for stage in stages
    )
