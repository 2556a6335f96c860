"""NSGA-II (Deb et al., 2002) on any search space: pymoo's algorithm with a space's own sampling and mutation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pymoo.algorithms.moo.nsga2 as algorithm  # type: ignore[import-untyped]  # pymoo ships no types
from pymoo.core.crossover import Crossover  # type: ignore[import-untyped]  # as above
from pymoo.core.mutation import Mutation  # type: ignore[import-untyped]  # as above
from pymoo.core.problem import Problem  # type: ignore[import-untyped]  # as above
from pymoo.core.sampling import Sampling  # type: ignore[import-untyped]  # as above
from pymoo.core.termination import NoTermination  # type: ignore[import-untyped]  # as above
from typing_extensions import override

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.identity import seed_of
from benchsuite.search.algorithms import Algorithm
from benchsuite.search.history import mutated
from benchsuite.search.objectives import losses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from pymoo.core.population import Population  # type: ignore[import-untyped]  # as above

    from benchsuite.core.space import Space
    from benchsuite.search.history import History
    from benchsuite.search.objectives import Objective

    Genomes = NDArray[np.object_]  # architecture strings, the last axis of length 1


@dataclass(frozen=True, slots=True)
class NSGA2(Algorithm):
    """Generations of children; survivors are chosen by non-dominated rank, then by crowding distance.

    Parents cross by exchanging operations if all architectures of the space have the same positions; then the child is
    mutated, once or until it is new.

    Attributes
    ----------
    population
        Number of children of a generation, and of its survivors.
    objectives
        Quantities to maximise or minimise.
    describe
        Returns rows of some scores by architecture, with a column for every quantity.
    """

    population: int
    objectives: tuple[Objective, ...]
    describe: Callable[[dict[str, float]], pd.DataFrame]

    @override
    def run(self, space: Space, history: History, seed: int) -> None:
        search = algorithm.NSGA2(
            self.population,
            sampling=_Sampling(space),
            crossover=_Crossover(space),
            mutation=_Mutation(space, history),
            eliminate_duplicates=False,  # the mutation does that, over the whole history
        )
        problem = Problem(n_var=1, n_obj=len(self.objectives), n_ieq_constr=1)
        search.setup(problem, seed=seed_of("search", seed), termination=NoTermination())
        while history.left:
            before, generation = history.left, search.ask()
            history.evaluate(generation.get("X")[:, 0])
            if history.left in (0, before):
                break
            self._tell(search, generation, history)

    def _tell(self, search: Any, generation: Population, history: History) -> None:
        """Give pymoo what it minimises; an undefined score violates its constraint and loses to every other."""
        rows = self.describe({name: history.scores[name] for name in generation.get("X")[:, 0]})
        rows = rows.set_index("architecture").loc[generation.get("X")[:, 0]]
        undefined = rows["score"].isna().to_numpy()
        generation.set("F", np.where(undefined[:, None], 0.0, losses(rows, self.objectives)))
        generation.set("G", np.where(undefined, 1.0, 0.0)[:, None])
        search.tell(infills=generation)


class _Sampling(Sampling):  # type: ignore[misc]  # pymoo ships no types
    """Different random architectures."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        self._space = space

    def _do(self, _: Problem, number: int, *, random_state: np.random.Generator, **_options: Any) -> Genomes:
        return np.array(self._space.sample(number, random_state), dtype=object)[:, None]


class _Crossover(Crossover):  # type: ignore[misc]  # as above
    """Two parents exchange each operation with probability 1/2; if positions differ, children equal their parents."""

    def __init__(self, space: Space) -> None:
        super().__init__(n_parents=2, n_offsprings=2)
        self._space = space
        try:
            self._fixed = bool(space.operation_choices())
        except UnsupportedError:
            self._fixed = False

    def _do(self, _: Problem, parents: Genomes, *, random_state: np.random.Generator, **_options: Any) -> Genomes:
        if not self._fixed:
            return parents
        pairs = [self._exchanged(first, second, random_state) for first, second in parents[..., 0].T]
        return np.array(pairs, dtype=object).T[..., None]

    def _exchanged(self, first: str, second: str, rng: np.random.Generator) -> Sequence[str]:
        operations = np.array([self._space.operations(first), self._space.operations(second)], dtype=object)
        exchange = rng.random(operations.shape[1]) < 0.5
        operations[:, exchange] = operations[::-1, exchange]
        return [
            self._space.with_operations(parent, tuple(own))
            for parent, own in zip((first, second), operations, strict=True)
        ]


class _Mutation(Mutation):  # type: ignore[misc]  # as above
    """The space's own mutation, repeated until the architecture is neither in the history nor in the generation."""

    def __init__(self, space: Space, history: History) -> None:
        super().__init__()
        self._space = space
        self._history = history

    def _do(self, _: Problem, children: Genomes, *, random_state: np.random.Generator, **_options: Any) -> Genomes:
        known = set(self._history.scores)
        found = []
        for child in children[:, 0]:
            found.append(mutated(self._space, child, known, random_state))
            known.add(found[-1])
        return np.array(found, dtype=object)[:, None]
