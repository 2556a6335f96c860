"""The public part of NAS-Bench-101."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchsuite.spaces.nasbench101.strings import render


@pytest.fixture(scope="module")
def table(shared):
    """The public part of the benchmark, with our strings."""
    table = pd.read_parquet(shared / "data" / "nasbench101_30k.parquet")
    rows = [np.array(list(bits), dtype=int).reshape(n, n) for bits, n in zip(table.adjacency, table.num_vertices)]  # noqa: B905 - columns of one table
    operations = [text.split(",") if text else [] for text in table.ops]
    return table.assign(architecture=[render(*module) for module in zip(rows, operations, strict=True)])
