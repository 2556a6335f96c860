import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tied_columns import judged, scipy_tau

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


@settings(max_examples=25)
@given(judged(), st.data())
def test_transfer_is_the_mean_of_scipys_taus_on_what_both_have(data, choice):
    trials, truth = data
    number = choice.draw(st.integers(1, len(truth)))
    other = pd.Series(choice.draw(st.lists(st.integers(0, 3), min_size=number, max_size=number)), dtype=float)
    table = transfer({"one": trials}, {"one": truth, "two": other}).set_index(["estimator", "scored_on", "judged_on"])
    for judged_on, known in (("one", truth), ("two", other)):
        for name, column in trials.items():
            expected = np.mean([scipy_tau(each[: len(known)], known) for each in column])
            row = table.loc[(name, "one", judged_on)]
            assert row["n"] == len(known)
            assert row["kendall_tau"] == pytest.approx(expected, nan_ok=True)
    row = table.loc[(TRUTH, "one", "two"), "kendall_tau"]
    assert row == pytest.approx(scipy_tau(truth[:number], other), nan_ok=True)
