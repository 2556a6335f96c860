"""The scripts in benchmarks/ that make tables and comparisons."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from benchsuite.report.results import BenchmarkResults

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
NAN = float("nan")


def script(name: str) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_wide_table_becomes_long_and_keeps_its_means() -> None:
    wide = pd.DataFrame(
        {
            "architecture": ["a", "b", "c"],
            "c10_test12": [50.0, 60.0, NAN],
            "c10_test200_mean": [91.0, 85.0, 70.5],
            "c10_test200_v1": [90.0, NAN, 70.0],
            "c10_test200_v2": [91.0, NAN, 71.0],
            "c10_test200_v3": [92.0, NAN, NAN],
        }
    )
    table = script("nasbench201_table").long_table(wide)
    full = table[table["epochs"] == 200]
    assert full.groupby("architecture")["accuracy"].mean().tolist() == [91.0, 85.0, 70.5]
    assert full.groupby("architecture")["trial"].apply(list).tolist() == [[0, 1, 2], [0], [0, 1]]
    early = table[table["epochs"] == 12]
    assert dict(zip(early["architecture"], early["accuracy"], strict=True)) == {"a": 50.0, "b": 60.0}


def test_scores_are_compared_on_the_architectures_that_both_have() -> None:
    compare = script("compare_published")
    compare.DRAWS = 20
    names = [f"cell{number:02d}" for number in range(30)]
    truth = pd.Series(np.arange(30.0), index=names)
    rows = [
        {"estimator": "snip", "seed": seed, "architecture": name, "value": NAN if position == 0 else position + seed}
        for seed in (0, 1)
        for position, name in enumerate(names)
    ]
    empty = pd.DataFrame()
    results = BenchmarkResults("", "", "", truth, empty, empty, pd.DataFrame(rows), {}, {})
    published = pd.DataFrame({"snip": -np.arange(20.0), "zen": 1.0}, index=names[:20])
    (row,) = compare.compare(results, published).itertuples(index=False)
    assert row.estimator == "snip"
    assert row.n == 20
    assert row[2:5] == pytest.approx((1.0, -1.0, 2.0))
    assert row[-1] == pytest.approx(-1.0)
