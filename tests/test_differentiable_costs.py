"""The script that measures what partial channels save."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchsuite.data.datasets import dataset
from benchsuite.spaces.nasbench301 import OPERATIONS, NASBench301
from benchsuite.spaces.nasbench301_layout import Part, layout, plan, plan_cost
from benchsuite.spaces.nasbench301_mixed import EDGES

if TYPE_CHECKING:
    from types import ModuleType


def script() -> ModuleType:
    file = Path(__file__).resolve().parents[1] / "benchmarks" / "differentiable_costs.py"
    spec = importlib.util.spec_from_file_location("differentiable_costs", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look it up
    spec.loader.exec_module(module)
    return module


def test_multiply_adds_are_those_of_all_operations_of_all_edges():
    space, data = NASBench301(channels=4, cells=3), dataset("cifar10")
    every = Part(tuple((*edge, name) for edge in EDGES for name in OPERATIONS), (0, 1))
    places = layout(space, data)
    expected = plan_cost(plan(places, every, every), data).macs - 4 * places[-1].width * data.classes  # the classifier
    found = script().measure(space, 1, 2)
    assert found.macs == expected
    fewer = script().measure(space, 2, 2)
    assert fewer.params < found.params
    assert fewer.saved < found.saved


@pytest.mark.slow
def test_ratios_are_those_of_the_published_code():
    module = script()
    space = NASBench301(channels=16, cells=8)
    darts = module.measure(space, 1, 8)
    for partial, (saved, macs) in module.PUBLISHED.items():
        costs = module.measure(space, partial, 8)
        assert darts.saved / costs.saved == pytest.approx(saved, rel=module.TOLERANCE)
        assert darts.macs / costs.macs == pytest.approx(macs, rel=module.TOLERANCE)
