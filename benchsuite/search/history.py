"""What a search has evaluated: every architecture once, never more than its budget."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    import numpy as np

    from benchsuite.core.space import Space

    Evaluate = Callable[[Sequence[str]], Sequence[float]]

_STEPS = 1000  # mutations in a row without a new architecture, after which the search gives up


class History:
    """Scores of architectures in the order in which they were evaluated.

    Parameters
    ----------
    evaluate
        Returns scores of architectures; higher is better, and what is not finite counts as undefined.
    budget
        Largest number of evaluations.

    Examples
    --------
    >>> history = History(lambda architectures: [len(each) for each in architectures], budget=2)
    >>> history.evaluate(["a", "bbb", "a", "cc"])
    >>> history.scores, history.left
    ({'a': 1.0, 'bbb': 3.0}, 0)
    """

    def __init__(self, evaluate: Evaluate, budget: int) -> None:
        self.scores: dict[str, float] = {}
        self._evaluate = evaluate
        self._budget = budget

    @property
    def left(self) -> int:
        """Evaluations that the budget still allows."""
        return self._budget - len(self.scores)

    def evaluate(self, architectures: Iterable[str]) -> None:
        """Evaluate new architectures, as many as the budget allows.

        Parameters
        ----------
        architectures
            Canonical; those that have been evaluated before are left out.
        """
        new = [each for each in dict.fromkeys(architectures) if each not in self.scores][: self.left]
        for architecture, score in zip(new, self._evaluate(new) if new else [], strict=True):
            self.scores[architecture] = float(score) if math.isfinite(score) else math.nan


def mutated(space: Space, architecture: str, known: Container[str], rng: np.random.Generator) -> str:
    """Mutate an architecture until it is new.

    Parameters
    ----------
    space
        The search space.
    architecture
        Where to begin.
    known
        Architectures that are not new.
    rng
        Source of the mutations.

    Returns
    -------
    str
        A canonical architecture; a known one if hardly any new one is left.
    """
    for _ in range(_STEPS):
        architecture = space.canonical(space.mutate(architecture, rng))
        if architecture not in known:
            break
    return architecture
