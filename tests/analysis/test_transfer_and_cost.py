import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchsuite.analysis.cost import break_even, pareto_front
from benchsuite.analysis.evaluate import evaluate
from benchsuite.analysis.transfer import TRUTH, transfer


def test_transfer_is_scipys_tau_on_the_common_architectures():
    rng = np.random.default_rng(0)
    names = [f"cell{i}" for i in range(80)]
    truths = {
        "cifar10": pd.Series(rng.normal(size=80).round(1), names),
        "cifar100": pd.Series(rng.normal(size=60).round(1), names[20:]),
    }
    trials = {name: {"snip": [truth + rng.normal(size=len(truth)) for _ in range(2)]} for name, truth in truths.items()}
    table = transfer(trials, truths).set_index(["estimator", "scored_on", "judged_on"])
    assert len(table) == 6
    for scored_on, judged_on in (("cifar10", "cifar100"), ("cifar100", "cifar10"), ("cifar10", "cifar10")):
        common = truths[scored_on].index.intersection(truths[judged_on].index)
        known = truths[judged_on][common]
        taus = [stats.kendalltau(trial[common], known).statistic for trial in trials[scored_on]["snip"]]
        row = table.loc[("snip", scored_on, judged_on)]
        assert (row["n"], row["kendall_tau"]) == (len(common), pytest.approx(np.mean(taus)))
        assert row["low"] < row["kendall_tau"] < row["high"]
    row = table.loc[(TRUTH, "cifar10", "cifar100")]
    single = evaluate(truths["cifar10"], truths["cifar100"]).iloc[0]
    assert row[["kendall_tau", "low", "high"]].tolist() == pytest.approx(single[["value", "low", "high"]].tolist())


def test_data_sets_without_common_architectures_have_no_row():
    truths = {"a": pd.Series({"x": 1.0, "y": 2.0}), "b": pd.Series({"z": 1.0})}
    assert transfer({}, truths).empty


def test_training_pays_from_where_both_cost_the_same():
    number = break_even(training=1000.0, reading=0.2, other=0.7)
    assert 1000 + 0.2 * number == pytest.approx(0.7 * number)
    assert break_even(1000, 0.7, 0.7) == np.inf
    assert break_even(0, 0.1, 0.7) == 0
    assert np.isnan(break_even(np.nan, 0.1, 0.7))


def test_front_holds_what_no_other_point_beats():
    rng = np.random.default_rng(0)
    for _ in range(20):
        cost, worth = rng.integers(0, 5, 12), rng.integers(0, 5, 12)
        beaten = [
            any(
                c <= cost[i] and w >= worth[i] and (c, w) != (cost[i], worth[i])
                for c, w in zip(cost, worth, strict=True)
            )
            for i in range(12)
        ]
        assert pareto_front(cost, worth).tolist() == np.logical_not(beaten).tolist()
    assert pareto_front([1, np.nan], [np.nan, 2]).tolist() == [False, False]
