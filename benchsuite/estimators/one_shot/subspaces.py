"""Parts of a space on which copies of shared weights are tuned: those of a split, or what pruning leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchsuite.core.errors import UnsupportedError
from benchsuite.estimators.supernets.protocols import SHARED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from benchsuite.core.space import Space
    from benchsuite.estimators.one_shot.settings import PathSettings

    Accuracies = Mapping[str, float]  # percent, by architecture
    OperationChoices = tuple[tuple[str, ...], ...]  # the operations of each position


@dataclass(frozen=True, slots=True)
class Subspace:
    """Part of a space, sampled as a space is: some of its architectures, or those of fewer operations.

    Attributes
    ----------
    space
        The whole space.
    listed
        The architectures, or None for all those whose operations are in `choices`.
    choices
        The operations that are left at each position.
    """

    space: Space
    listed: tuple[str, ...] | None = None
    choices: OperationChoices = ()

    def draw(self, rng: np.random.Generator) -> str:
        """Draw a random architecture string, all with the same probability.

        Parameters
        ----------
        rng
            Source of randomness.

        Returns
        -------
        str
            A string of the space.
        """
        if self.listed is not None:
            return self.listed[int(rng.integers(len(self.listed)))]
        operations = [allowed[int(rng.integers(len(allowed)))] for allowed in self.choices]
        return self.space.with_operations(self.space.draw(rng), operations)

    def architectures(self) -> Sequence[str]:
        """Return the listed architectures, or the canonical ones of the space that lie in this part.

        Raises
        ------
        UnsupportedError
            If no canonical architecture lies in it.
        """
        if self.listed is not None:
            return self.listed
        found = [name for name in self.space.architectures() if self._has(name)]
        if not found:
            raise UnsupportedError(
                f"{self.space.name}: every canonical architecture has other operations than {self.choices}; sample "
                "strings (sampling = 'uniform') instead"
            )
        return found

    def operation_choices(self) -> OperationChoices:
        """Return the operations that are left at each position."""
        return self.choices

    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        """Return the architecture with other operations at its positions, edges as they are.

        Parameters
        ----------
        architecture
            A string of the space.
        operations
            One name for each position.

        Returns
        -------
        str
            A string of the space.
        """
        return self.space.with_operations(architecture, operations)

    def state(self) -> dict[str, Any]:
        """Return what makes the part from its space."""
        return {"listed": self.listed, "choices": self.choices}

    def _has(self, architecture: str) -> bool:
        pairs = zip(self.space.operations(architecture), self.choices, strict=True)
        return all(operation in allowed for operation, allowed in pairs)


def subspaces(training: PathSettings, space: Space, accuracies: Callable[[], Accuracies]) -> dict[str, Subspace]:
    """Return the part of the space on which each copy of the weights is tuned.

    Parameters
    ----------
    training
        A training with a second stage.
    space
        The whole space.
    accuracies
        Measures the validation accuracy of candidates with the shared weights; called only if the part depends on it.

    Returns
    -------
    dict
        Parts by the name of the copy.
    """
    if training.split is not None:
        choices, position = space.operation_choices(), training.split
        before, after = choices[:position], choices[position + 1 :]
        return {name: Subspace(space, choices=(*before, (name,), *after)) for name in choices[position]}
    if training.keep < 1:
        return {SHARED: Subspace(space, listed=best(accuracies(), training.keep))}
    return {SHARED: Subspace(space, choices=without_worst(space, accuracies(), training.drop))}


def best(accuracies: Accuracies, share: float) -> tuple[str, ...]:
    """Return the architectures of highest accuracy; of equal ones the first.

    Parameters
    ----------
    accuracies
        Percent by architecture.
    share
        Share of the architectures; at least one is returned.

    Returns
    -------
    tuple
        Architectures by falling accuracy.

    Examples
    --------
    >>> best({"a": 10.0, "b": 30.0, "c": 20.0, "d": 30.0}, 0.5)
    ('b', 'd')
    """
    number = max(1, round(share * len(accuracies)))
    return tuple(sorted(accuracies, key=lambda name: -accuracies[name])[:number])


def without_worst(space: Space, accuracies: Accuracies, number: int) -> OperationChoices:
    """Return the operations of each position without those whose architectures have the lowest mean accuracy.

    Parameters
    ----------
    space
        Search space.
    accuracies
        Percent by architecture; operations that occur in none of them go first.
    number
        How many operations are left out at each position.

    Returns
    -------
    tuple
        The other operations of each position, in their order.
    """
    rows = [(space.operations(name), accuracy) for name, accuracy in accuracies.items()]
    left = []
    for position, operations in enumerate(space.operation_choices()):
        having = {name: [accuracy for row, accuracy in rows if row[position] == name] for name in operations}
        means = {name: math.fsum(found) / len(found) if found else -math.inf for name, found in having.items()}
        worst = sorted(operations, key=means.__getitem__)[:number]
        left.append(tuple(name for name in operations if name not in worst))
    return tuple(left)
