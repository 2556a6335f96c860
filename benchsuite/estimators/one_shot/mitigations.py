"""What a training does when its shared epochs are over: copies of the weights are tuned, each on a part of the space.

Three of the remedies that Ning et al. (NeurIPS 2021) studied are such second stages: the few-shot split, with one copy
for each operation of a position (Zhao et al., ICML 2021), pruning of the space, and pruning of operations. Others need
no stage: averaged checkpoints, several supernets and all strings of a class are options of what is read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchsuite.core.errors import SuiteError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from benchsuite.core.space import Space
    from benchsuite.estimators.one_shot.training import Training

    Accuracies = Mapping[str, float]  # percent, by architecture
    Choices = tuple[tuple[str, ...], ...]  # the operations of each position

CANDIDATES = 200  # architectures that are drawn, and by whose accuracies the space is pruned
VALIDATING = 500  # images on which they are validated, or all if there are fewer
SHARED = "shared"  # name of the one copy that all architectures share; others are named by the operation they are for


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a space, sampled as a space is: some of its architectures, or those of fewer operations.

    Attributes
    ----------
    listed
        The architectures, or None for those that have `choices` alone.
    choices
        The operations that are left at each position.
    """

    space: Space
    listed: tuple[str, ...] | None = None
    choices: Choices = ()

    def draw(self, rng: np.random.Generator) -> str:
        """A random architecture string, all alike in probability."""
        if self.listed is not None:
            return self.listed[int(rng.integers(len(self.listed)))]
        operations = [allowed[int(rng.integers(len(allowed)))] for allowed in self.choices]
        return self.space.with_operations(self.space.draw(rng), operations)

    def architectures(self) -> Sequence[str]:
        """The representatives of the space that lie in the part, or the listed architectures."""
        if self.listed is not None:
            return self.listed
        found = [name for name in self.space.architectures() if self._has(name)]
        if not found:
            raise UnsupportedError(f"no class of {self.space.name} is represented by operations {self.choices} alone")
        return found

    def operation_choices(self) -> Choices:
        """The operations that are left at each position."""
        return self.choices

    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        """The architecture with other operations at its positions, edges as they are."""
        return self.space.with_operations(architecture, operations)

    def state(self) -> dict[str, Any]:
        """What makes the part from its space."""
        return {"listed": self.listed, "choices": self.choices}

    def _has(self, architecture: str) -> bool:
        pairs = zip(self.space.operations(architecture), self.choices, strict=True)
        return all(operation in allowed for operation, allowed in pairs)


def check_mitigation(training: Training) -> None:
    """Return nothing for a training with one second stage or none; SuiteError says what is wrong with others."""
    chosen = (training.split is not None, training.keep != 1, training.drop != 0)
    if sum(chosen) != (training.tuning != 0):
        raise SuiteError(
            f"training: tuning = {training.tuning}, split = {training.split}, keep = {training.keep}, "
            f"drop = {training.drop}; choose epochs of tuning with one of the three, or leave out all"
        )
    if training.tuning < 0 or training.drop < 0 or not 0 < training.keep <= 1:
        raise SuiteError(
            f"training: tuning = {training.tuning}, keep = {training.keep}, drop = {training.drop}; "
            "choose positive numbers, keep a share of at most 1"
        )
    if training.keep < 1 and training.sampling == "fair":
        raise SuiteError("training: keep leaves single architectures, which make no fair rounds; choose drop")


def copies(training: Training, space: Space) -> tuple[str, ...]:
    """Names of the copies of the weights in the second stage.

    Raises
    ------
    SuiteError
        If there is no such position or an operation too few at one.
    UnsupportedError
        If the space has no table of choices and one is needed.

    Examples
    --------
    >>> from benchsuite.estimators.one_shot.training import Training
    >>> from benchsuite.spaces.macro.space import Macro
    >>> copies(Training(split=3, tuning=2), Macro())
    ('identity', 'MB3_K3', 'MB6_K5')
    """
    if training.drop:
        for position, operations in enumerate(space.operation_choices()):
            if training.drop >= len(operations):
                raise SuiteError(
                    f"training: drop = {training.drop}, but position {position} of {space.name} has "
                    f"{len(operations)} operations; leave at least one"
                )
    if training.split is None:
        return (SHARED,)
    choices = space.operation_choices()
    if not 0 <= training.split < len(choices):
        raise SuiteError(
            f"training: split = {training.split}; {space.name} has the positions 0 to {len(choices) - 1}, choose one"
        )
    return choices[training.split]


def copy_of(training: Training, space: Space, architecture: str) -> str:
    """Name of the copy from which an architecture has its weights."""
    return SHARED if training.split is None else space.operations(architecture)[training.split]


def parts(training: Training, space: Space, accuracies: Callable[[], Accuracies]) -> dict[str, Part]:
    """The part of the space on which each copy is tuned.

    Parameters
    ----------
    accuracies
        Gives the validation accuracy of candidates by the shared weights; asked for if the part depends on it.
    """
    if training.split is not None:
        choices, place = space.operation_choices(), training.split
        return {
            name: Part(space, choices=(*choices[:place], (name,), *choices[place + 1 :])) for name in choices[place]
        }
    if training.keep < 1:
        return {SHARED: Part(space, listed=best(accuracies(), training.keep))}
    return {SHARED: Part(space, choices=without_worst(space, accuracies(), training.drop))}


def best(accuracies: Accuracies, share: float) -> tuple[str, ...]:
    """The share of the architectures, at least one, whose accuracy is highest; of equal ones the first.

    Examples
    --------
    >>> best({"a": 10.0, "b": 30.0, "c": 20.0, "d": 30.0}, 0.5)
    ('b', 'd')
    """
    number = max(1, round(share * len(accuracies)))
    return tuple(sorted(accuracies, key=lambda name: -accuracies[name])[:number])


def without_worst(space: Space, accuracies: Accuracies, number: int) -> Choices:
    """The operations of each position without those whose architectures have the lowest mean accuracy.

    Operations that no architecture has go first. The others keep their order.
    """
    rows = [(space.operations(name), accuracy) for name, accuracy in accuracies.items()]
    left = []
    for position, operations in enumerate(space.operation_choices()):
        having = {name: [accuracy for row, accuracy in rows if row[position] == name] for name in operations}
        means = {name: math.fsum(found) / len(found) if found else -math.inf for name, found in having.items()}
        worst = sorted(operations, key=means.__getitem__)[:number]
        left.append(tuple(name for name in operations if name not in worst))
    return tuple(left)


def mitigation_words(training: Training) -> str:
    """The second stage, for a report; nothing if there is none."""
    if not training.tuning:
        return ""
    by = f"by the mean accuracy of {CANDIDATES} drawn ones on {VALIDATING} validation images"
    on = f"all but the {training.drop} worst operations of each position, {by}"
    if training.split is not None:
        on = f"a copy of the weights for each operation of position {training.split}"
    elif training.keep < 1:
        on = f"the best {training.keep:.0%} of {CANDIDATES} drawn architectures, by {VALIDATING} validation images"
    return f"; then tuning for {training.tuning} epochs from rate {training.tuning_lr:g}: {on}"
