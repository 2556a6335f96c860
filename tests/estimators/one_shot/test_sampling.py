"""Which architectures updates use: rounds, draws, refusals."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from path_trainings import SPACE

from benchsuite.core.errors import (
    UnknownNameError,
    UnsupportedError,
)
from benchsuite.estimators.one_shot.sampling import FairRounds, sampler
from benchsuite.spaces.nasbench101.space import NASBench101

if TYPE_CHECKING:
    import numpy as np


class Uneven:
    """Two positions, with two and with three operations."""

    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        return ("a", "b"), ("x", "y", "z")

    def draw(self, rng: np.random.Generator) -> str:
        return "a x"

    def with_operations(self, architecture: str, operations: tuple[str, ...]) -> str:
        return " ".join(operations)


def test_fair_rounds_use_every_operation_of_every_position_equally_often() -> None:
    rounds = FairRounds(SPACE, 0)
    for update in range(5):
        for column in zip(*map(SPACE.operations, rounds(update)), strict=True):
            assert set(Counter(column).values()) == {1}
    assert rounds(0) != rounds(1)
    assert rounds(0) != FairRounds(SPACE, 1)(0)


def test_unequal_numbers_of_operations_come_equally_often_in_the_end() -> None:
    rounds = FairRounds(Uneven(), 0)  # type: ignore[arg-type]  # what rounds ask of a space
    drawn = [architecture for update in range(10) for architecture in rounds(update)]
    assert Counter(name[0] for name in drawn) == {"a": 15, "b": 15}
    assert Counter(name[2] for name in drawn) == {"x": 10, "y": 10, "z": 10}
    for update in range(10):
        assert len({name[2] for name in rounds(update)}) == 3


@pytest.mark.parametrize("name", ["uniform", "class"])
def test_drawn_architectures_depend_on_the_update_alone_and_are_accepted(name: str) -> None:
    draw = sampler(name, SPACE, 0, number=4, accept=lambda architecture: "nor_conv" in architecture)
    first = [draw(update) for update in range(5)]
    assert [draw(update) for update in reversed(range(5))] == first[::-1]
    assert all("nor_conv" in architecture for drawn in first for architecture in drawn)
    assert len({architecture for drawn in first for architecture in drawn}) > 15
    if name == "class":
        assert all(SPACE.canonical(architecture) == architecture for drawn in first for architecture in drawn)


def test_sampling_says_what_it_cannot_do() -> None:
    with pytest.raises(UnknownNameError, match="no sampling named 'fairr'"):
        sampler("fairr", SPACE, 0)
    with pytest.raises(UnsupportedError, match="table of choices"):
        sampler("fair", NASBench101(), 0)
    with pytest.raises(UnsupportedError, match="lack weights to train"):
        sampler("uniform", SPACE, 0, accept=lambda _: False)(0)
