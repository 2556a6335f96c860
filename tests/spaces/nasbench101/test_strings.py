"""Strings of NAS-Bench-101."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from nasbench101_modules import written_modules

from benchsuite.core.errors import InvalidArchitectureError
from benchsuite.spaces.nasbench101.strings import parse, render


@given(written_modules())
def test_strings_and_matrices_convert_both_ways(module):
    matrix, operations = module
    assume(matrix.any())
    architecture = render(matrix, operations)
    assert parse(f" {architecture}\n") == (tuple(map(tuple, matrix.tolist())), tuple(operations))
    assert render(matrix.tolist(), [f"{it}-bn-relu" if "conv" in it else it for it in operations]) == architecture


@pytest.mark.parametrize(
    ("matrix", "operations"),
    [
        ([[0, 1], [1, 0]], []),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], []),
        ([[0, 1, 0], [0, 0, 1]], ["conv3x3"]),
        ([[0, 2, 0], [0, 0, 1], [0, 0, 0]], ["conv3x3"]),
        ([[0, 0.5, 1], [0, 0, 1], [0, 0, 0]], ["conv3x3"]),
        ([[0, "1", 0], [0, 0, 1], [0, 0, 0]], ["conv3x3"]),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input"]),
        (np.triu(np.ones((8, 8)), 1), ["conv3x3"] * 6),
        ([[0, 0], [0, 0]], []),
    ],
)
def test_what_is_no_module_is_not_rendered(matrix, operations):
    with pytest.raises(InvalidArchitectureError):
        render(matrix, operations)
