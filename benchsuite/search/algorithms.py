"""Search algorithms with one objective, the score; deterministic given a seed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from typing_extensions import override

from benchsuite.core.identity import seed_of
from benchsuite.search.history import mutated

if TYPE_CHECKING:
    from benchsuite.core.space import Space
    from benchsuite.search.history import History


class Algorithm(Protocol):
    """What chooses the architectures to evaluate."""

    def run(self, space: Space, history: History, seed: int) -> None:
        """Evaluate architectures until the budget is spent, or until nothing new is found.

        Parameters
        ----------
        space
            The search space.
        history
            What evaluates them, and keeps their scores.
        seed
            Seed of all that is random.
        """
        ...


@dataclass(frozen=True, slots=True)
class RandomSearch(Algorithm):
    """Architectures drawn without replacement.

    Attributes
    ----------
    population
        How many are evaluated at a time.
    """

    population: int

    @override
    def run(self, space: Space, history: History, seed: int) -> None:
        drawn = space.sample(history.left, _rng(seed))
        while history.left:
            history.evaluate(drawn[len(history.scores) :][: self.population])


@dataclass(frozen=True, slots=True)
class RegularisedEvolution(Algorithm):
    """The best of a random quarter of the population has a mutated child, and the oldest member dies.

    Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019, whose population of 100
    and tournament of 25 have the same proportion. Here no architecture is evaluated twice: a child that is known is
    mutated further.

    Attributes
    ----------
    population
        Number of members.
    """

    population: int

    @override
    def run(self, space: Space, history: History, seed: int) -> None:
        rng = _rng(seed)
        members = deque(space.sample(self.population, rng), maxlen=self.population)
        history.evaluate(members)
        while history.left:
            before = history.left
            members.append(self._child(space, members, history, rng))
            history.evaluate([members[-1]])
            if history.left == before:
                break

    def _child(self, space: Space, members: deque[str], history: History, rng: np.random.Generator) -> str:
        drawn = rng.choice(len(members), max(2, self.population // 4), replace=False)
        scores = np.nan_to_num([history.scores[members[position]] for position in drawn], nan=-np.inf)
        return mutated(space, members[drawn[int(scores.argmax())]], history.scores, rng)


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed_of("search", seed))
