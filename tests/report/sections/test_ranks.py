"""Ranks by score and by ground truth."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import rankdata

from benchsuite.report.sections.ranks import ranks_by_estimator

OPERATIONS = ("conv", "pool", "skip")


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 81 cells of four operations, whose multiply-adds and live parameters go their own ways."""
    made = make_results(n=81, estimators=("nwot", "synflow"), seeds=2)
    (part,) = made.benchmarks
    sizes, rng = part.complexity, np.random.default_rng(0)
    sizes = sizes.assign(macs=rng.integers(1, 40, 81) * 1000, live_params=sizes["params"] // 2 + rng.integers(0, 9, 81))
    sizes["live_macs"] = sizes["macs"]
    cells = dict(zip(part.truth.index, product(OPERATIONS, repeat=4), strict=True))
    return replace(made, benchmarks=(replace(part, complexity=sizes, operations=cells),))


@pytest.fixture(scope="module")
def part(results):
    return results.benchmarks[0]


def _trials(part, name):
    rows = part.scores[part.scores["estimator"] == name]
    return [each.set_index("architecture")["value"] for _, each in rows.groupby("seed")]


def _groups(size):
    """The fifth in which the middle of an architecture's ranks by size falls; empty fifths do not count."""
    return rankdata(np.floor((rankdata(size) - 0.5) * 5 / len(size)), method="dense")


def test_rank_scatters_colour_architectures_by_the_size_groups_of_all(part):
    size, nwot = part.complexity["params"], _trials(part, "nwot")[0]
    large = nwot[size[nwot.index] > size.median()]
    rows = ranks_by_estimator({"nwot": [nwot], "part": [large]}, part.truth, size)
    groups = dict(zip(size.index, _groups(size), strict=True))
    assert rows["group"].tolist() == [groups[name] for name in (*nwot.index, *large.index)]
