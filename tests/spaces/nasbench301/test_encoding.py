"""The encoding of NAS-Bench-301 is the one that the benchmark's own code makes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchsuite.core.errors import InvalidArchitectureError
from benchsuite.spaces.nasbench301.cells import OPERATIONS
from benchsuite.spaces.nasbench301.encoding import ABSENT, NAMES, encode
from benchsuite.spaces.nasbench301.strings import render

FIRST_EDGE = {0: 0, 1: 2, 2: 5, 3: 9}
PREFIX = "NetworkSelectorDatasetInfo:darts:"


def architecture_of(config):
    """The architecture string of a point of the configuration space, read from its names."""
    cells = []
    for kind in ("normal", "reduce"):
        cell = []
        for node, first in FIRST_EDGE.items():
            sources = config.get(f"{PREFIX}inputs_node_{kind}_{node + 2}", "0_1").split("_")
            cell.append(tuple((config[f"{PREFIX}edge_{kind}_{first + int(s)}"], int(s)) for s in sources))
        cells.append(tuple(cell))
    return render(*cells)


@pytest.fixture(scope="module")
def golden(shared):
    return json.loads((shared / "golden" / "nasbench301_encoding.json").read_text())


def test_the_encoding_is_that_of_the_published_code_on_all_golden_genotypes(golden):
    assert list(NAMES) == golden["names"]
    architectures = [architecture_of(case["config"]) for case in golden["cases"]]
    expected = np.array([case["features"] for case in golden["cases"]])
    assert len(expected) == 25
    np.testing.assert_allclose(encode(architectures), expected, rtol=1e-12, atol=0)


def random_cell(rng):
    def node(position):
        sources = rng.choice(position + 2, 2, replace=False)
        return tuple((OPERATIONS[rng.integers(7)], int(source)) for source in sources)

    return tuple(node(position) for position in range(4))


def test_different_cells_have_different_encodings_and_all_edges_are_there():
    rng = np.random.default_rng(0)
    cells = [(random_cell(rng), random_cell(rng)) for _ in range(200)]
    rows = encode([render(*pair) for pair in cells])
    edges = [column for column, name in enumerate(NAMES) if ":edge_" in name]
    assert ((rows[:, edges] != ABSENT).sum(axis=1) == 16).all()
    assert len(np.unique(rows, axis=0)) == len({render(*map(tuple, map(ordered, pair))) for pair in cells})


def ordered(cell):
    return tuple(tuple(sorted(node, key=lambda choice: choice[1])) for node in cell)


def test_the_order_of_the_two_edges_of_a_node_does_not_matter():
    rng = np.random.default_rng(1)
    for _ in range(20):
        normal, reduction = random_cell(rng), random_cell(rng)
        turned = tuple(node[::-1] for node in normal)
        rows = encode([render(normal, reduction), render(turned, reduction)])
        np.testing.assert_array_equal(rows[0], rows[1])


def test_the_operation_none_is_refused_in_one_line():
    cell = "+".join(["|none~0|skip_connect~1|"] * 4)
    with pytest.raises(
        InvalidArchitectureError, match="operation 'none', which the surrogates of NAS-Bench-301 do not know"
    ) as error:
        encode([f"{cell}/{cell}"])
    assert "\n" not in str(error.value)


def test_no_architectures_have_an_empty_encoding():
    assert encode([]).shape == (0, 56)
