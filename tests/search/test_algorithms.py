"""Search algorithms on toy spaces whose optimum is known, and on NAS-Bench-201."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
import pytest

from benchsuite.core.errors import BenchsuiteError, SuiteError, UnknownNameError, UnsupportedError
from benchsuite.core.registry import make_space
from benchsuite.core.space import Space
from benchsuite.core.types import Dataset
from benchsuite.search.algorithms import RandomSearch, RegularisedEvolution
from benchsuite.search.evaluated import Sizes
from benchsuite.search.history import History
from benchsuite.search.nsga2 import NSGA2
from benchsuite.search.objectives import front, parse_objectives
from benchsuite.spaces.base import one_changed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchsuite.search.algorithms import Algorithm

OBJECTIVES = parse_objectives("score,-macs,params")
BUDGET, POPULATION = 120, 20


@dataclass(frozen=True, slots=True)
class Digits(Space):
    """All strings of `length` digits 0 to 3: a chain of operations."""

    length: int = 8
    name: ClassVar[str] = "digits"

    def architectures(self) -> Sequence[str]:
        return ["".join(each) for each in product("0123", repeat=self.length)]

    def canonical(self, architecture: str) -> str:
        return architecture

    def neighbours(self, architecture: str) -> list[str]:
        return ["".join(each) for each in one_changed(architecture, "0123")]

    def operations(self, architecture: str) -> tuple[str, ...]:
        return tuple(architecture)

    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        return (("0", "1", "2", "3"),) * self.length

    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        return "".join(operations)


@dataclass(frozen=True, slots=True)
class Tableless(Digits):
    """The same without a table of choices, as NAS-Bench-101."""

    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        raise UnsupportedError("no table of choices")


def height(architecture: str) -> float:
    """The sum of digits, which is largest for one string alone."""
    return float(sum(map(int, architecture)))


def described(scores: dict[str, float]) -> pd.DataFrame:
    """The toy's costs: macs grow with the last digits, parameters with the first."""
    rows = [(name, score, float(name[-3:]), float(name[:3]), math.nan) for name, score in scores.items()]
    return pd.DataFrame(rows, columns=["architecture", "score", "macs", "params", "depth"])


ALGORITHMS: dict[str, Algorithm] = {
    "random": RandomSearch(POPULATION),
    "evolution": RegularisedEvolution(POPULATION),
    "nsga2": NSGA2(POPULATION, OBJECTIVES, described),
}


def searched(
    algorithm: Algorithm, seed: int, *, space: Space | None = None, score: Callable[[str], float] = height
) -> dict[str, float]:
    history = History(lambda names: [score(name) for name in names], BUDGET)
    algorithm.run(space or Digits(), history, seed)
    return history.scores


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
@pytest.mark.parametrize("space", [Digits(), Tableless()], ids=["choices", "no choices"])
def test_budget_is_spent_and_nothing_evaluated_twice(algorithm: Algorithm, space: Space) -> None:
    asked: list[str] = []

    def evaluate(names: Sequence[str]) -> list[float]:
        asked.extend(names)
        return [height(name) for name in names]

    algorithm.run(space, History(evaluate, BUDGET), 0)
    assert len(asked) == len(set(asked)) == BUDGET
    assert all(len(name) == 8 and set(name) <= set("0123") for name in asked)


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_same_seed_gives_the_same_search_and_another_seed_another(algorithm: Algorithm) -> None:
    assert list(searched(algorithm, 1).items()) == list(searched(algorithm, 1).items())
    assert list(searched(algorithm, 1)) != list(searched(algorithm, 2))


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_space_smaller_than_the_budget_is_searched_whole_or_refused(algorithm: Algorithm) -> None:
    if isinstance(algorithm, RandomSearch):
        with pytest.raises(BenchsuiteError, match="cannot draw 120"):
            searched(algorithm, 0, space=Digits(3))
    else:
        assert len(searched(algorithm, 0, space=Digits(3))) == 64


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_undefined_scores_are_kept_and_never_chosen(algorithm: Algorithm) -> None:
    scores = searched(algorithm, 0, score=lambda name: math.inf if name[0] == "3" else height(name))
    undefined = [name for name, score in scores.items() if math.isnan(score)]
    assert undefined
    assert all(name[0] == "3" for name in undefined)
    assert not set(front(described(scores), OBJECTIVES)["architecture"]) & set(undefined)


def test_evolution_finds_the_optimum_more_often_than_random_search() -> None:
    found = {
        name: sum("333333" in searched(algorithm, seed, space=Digits(6)) for seed in range(10))
        for name, algorithm in ALGORITHMS.items()
    }
    assert found["evolution"] >= found["random"] + 5  # 120 of 4,096 strings: 3 % for random search


def test_oldest_member_dies_even_if_it_is_the_best() -> None:
    parents: list[str] = []

    class Watched(Digits):
        def mutate(self, architecture: str, rng: np.random.Generator) -> str:
            parents.append(architecture)
            return Space.mutate(self, architecture, rng)

    history = History(lambda names: [float(place == 3) for place in range(len(names))], 60)  # of the first four
    RegularisedEvolution(4).run(Watched(), history, 0)
    best = list(history.scores)[3]
    assert history.scores[best] == max(history.scores.values())
    assert best in parents[:4]
    assert best not in parents[4:]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_front_is_what_nothing_else_dominates(name: str) -> None:
    rows = described(searched(ALGORITHMS[name], 0))
    values = list(zip(rows["score"], -rows["macs"], rows["params"], strict=True))
    best = [
        architecture
        for architecture, own in zip(rows["architecture"], values, strict=True)
        if not any(all(map(np.greater_equal, other, own)) and other != own for other in values)
    ]
    assert front(rows, OBJECTIVES)["architecture"].tolist() == best


def test_nsga2_covers_more_of_the_trade_off_than_random_search() -> None:
    def volume(scores: dict[str, float]) -> float:
        """Area below the best scores at each cost: cost is the number of digits that are not 0."""
        return sum(
            max((score for name, score in scores.items() if 8 - name.count("0") <= cost), default=0.0)
            for cost in range(9)
        )

    def costs(scores: dict[str, float]) -> pd.DataFrame:
        return described(scores).assign(macs=[8 - name.count("0") for name in scores])

    nsga2 = NSGA2(POPULATION, parse_objectives("score,-macs"), costs)
    wins = sum(volume(searched(nsga2, seed)) > volume(searched(RandomSearch(20), seed)) for seed in range(5))
    assert wins == 5


def test_nsga2_on_nasbench201_keeps_canonical_architectures_and_their_sizes() -> None:
    space, data = make_space("nasbench201", {"channels": 2, "cells": 1}), Dataset("cifar10", 10)
    sizes = Sizes(space, data)
    scores = searched(NSGA2(POPULATION, OBJECTIVES, sizes.table), 0, space=space, score=_convolutions)  # type: ignore[arg-type]  # as above
    assert [space.canonical(name) for name in scores] == list(scores)
    row = sizes.table(scores).iloc[7]
    complexity = space.complexity(row["architecture"], data)
    assert (row["macs"], row["params"], row["order"]) == (complexity.macs, complexity.params, 8)
    idle = sum(name in {"skip_connect", "none"} for name in space.operations(row["architecture"]))
    assert row["depth"] == 6 - idle


def _convolutions(architecture: str) -> float:
    return float(architecture.count("conv"))


def test_wrong_objectives_are_refused_with_what_is_allowed() -> None:
    with pytest.raises(UnknownNameError, match=r"no objective named 'flops'.*Known: depth, macs, params, score"):
        parse_objectives("score,-flops")
    for text in ("macs,params", "score,score"):
        with pytest.raises(SuiteError, match="give each name once, including score"):
            parse_objectives(text)
