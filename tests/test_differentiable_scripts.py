"""The scripts that measure what differentiable searches cost and what random alpha does to FreeDARTS."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau
from scripts import script

from benchsuite.data.images.datasets import dataset
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench201.strings import OPERATIONS as CELL_OPERATIONS
from benchsuite.spaces.nasbench201.strings import parse
from benchsuite.spaces.nasbench301.cells import OPERATIONS, CellPart
from benchsuite.spaces.nasbench301.layout import layout, plan, plan_cost
from benchsuite.spaces.nasbench301.mixed import EDGES
from benchsuite.spaces.nasbench301.space import NASBench301


def test_multiply_adds_are_those_of_all_operations_of_all_edges():
    space, data = NASBench301(channels=4, cells=3), dataset("cifar10")
    every = CellPart(tuple((*edge, name) for edge in EDGES for name in OPERATIONS), (0, 1))
    shapes = layout(space.channels, space.cells, data)
    expected = plan_cost(plan(shapes, every, every), data).macs - 4 * shapes[-1].width * data.classes  # the classifier
    module = script("differentiable_costs")
    found = module.measure(space, 1, 2)
    assert found.macs == expected
    fewer = module.measure(space, 2, 2)
    assert fewer.params < found.params
    assert fewer.saved < found.saved


@pytest.mark.slow
def test_ratios_are_those_of_the_published_code():
    module = script("differentiable_costs")
    space = NASBench301(channels=16, cells=8)
    darts = module.measure(space, 1, 8)
    for partial, (saved, macs) in module.PUBLISHED.items():
        costs = module.measure(space, partial, 8)
        assert darts.saved / costs.saved == pytest.approx(saved, rel=module.TOLERANCE)
        assert darts.macs / costs.macs == pytest.approx(macs, rel=module.TOLERANCE)


@pytest.mark.parametrize("space", ["nasbench201", "nasbench301"])
def test_updates_of_a_training_take_time_and_memory(space, monkeypatch):
    module = script("differentiable_costs")
    small = {"nasbench201": NASBench201(channels=4, cells=1), "nasbench301": NASBench301(channels=4, cells=4)}
    monkeypatch.setattr(module, "SPACES", small)
    first = module.train(space, "DARTS, first order", 1, 8)
    second = module.train(space, "DARTS, second order", 1, 8)
    assert second.seconds > first.seconds > 0
    assert first.memory >= 0 or np.isnan(first.memory)  # tests before this one may have held more


def test_scores_of_all_strings_are_sums_over_their_edges():
    table, module = np.random.default_rng(0).random((6, 5)), script("freedarts_alpha")
    expected = [
        sum(table[edge, CELL_OPERATIONS.index(name)] for edge, name in enumerate(parse(architecture)))
        for architecture in NASBench201().every_string()
    ]
    assert sorted(module.string_scores(table)) == pytest.approx(sorted(expected))


def test_saliencies_that_are_the_sizes_of_alpha_agree_with_them_alone():
    rng, module = np.random.default_rng(0), script("freedarts_alpha")
    alphas = [rng.standard_normal((6, 5)) * [0, 1, 1, 1, 1] for _ in range(2)]
    constant = rng.random((6, 5))
    draws, halves, sizes, whole = module.compare(alphas, [np.abs(alpha) for alpha in alphas], constant)
    one, other = (module.string_scores(np.abs(alpha)) for alpha in alphas)
    assert draws == halves == pytest.approx(kendalltau(one, other).statistic)
    assert sizes == pytest.approx(1)
    assert whole == pytest.approx(kendalltau(one + other, module.string_scores(constant)).statistic, abs=1e-6)
