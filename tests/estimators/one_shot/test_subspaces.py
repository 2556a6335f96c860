"""Parts of a space, on which copies of the weights are tuned."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from path_trainings import SPACE

from benchsuite.core.errors import UnsupportedError
from benchsuite.estimators.one_shot.sampling import FairRounds, sampler
from benchsuite.estimators.one_shot.subspaces import Subspace, best, without_worst
from benchsuite.spaces.macro.space import Macro


def test_fair_rounds_of_a_part_use_what_is_left_equally_often() -> None:
    row = ("none", "skip_connect", "nor_conv_1x1")
    part = Subspace(SPACE, choices=(("nor_conv_3x3",), *[row] * 5))
    for update in range(3):
        columns = list(zip(*map(SPACE.operations, FairRounds(part, 0)(update)), strict=True))
        assert columns[0] == ("nor_conv_3x3",) * 3
        assert all(sorted(column) == sorted(row) for column in columns[1:])


@pytest.mark.parametrize("name", ["uniform", "class"])
def test_parts_are_drawn_from_uniformly(name: str) -> None:
    choices = (("none", "nor_conv_1x1"), ("skip_connect",), *[("nor_conv_3x3",)] * 3, ("none", "nor_conv_3x3"))
    inside = [SPACE.with_operations(SPACE.every_string()[0], row) for row in product(*choices)]
    if name == "class":
        inside = [one for one in inside if SPACE.canonical(one) == one]
    for part in (Subspace(SPACE, choices=choices), Subspace(SPACE, listed=tuple(inside))):
        draw = sampler(name, part, 0, number=100)
        counts = Counter(one for update in range(4) for one in draw(update))
        assert set(counts) == set(inside)
        assert min(counts.values()) > 400 / len(inside) / 2
    with pytest.raises(UnsupportedError, match="every canonical architecture has other operations than"):
        sampler("class", Subspace(SPACE, choices=(("none",),) * 5 + (("nor_conv_3x3",),)), 0)


def test_operations_nobody_has_are_dropped_first_and_one_architecture_is_always_kept() -> None:
    accuracies = {"0" * 8: 20.0, "1" * 8: 10.0}
    assert without_worst(Macro(), accuracies, 1) == (("identity", "MB3_K3"),) * 8
    assert without_worst(Macro(), accuracies, 2) == (("identity",),) * 8
    assert best(accuracies, 0.01) == ("0" * 8,)
