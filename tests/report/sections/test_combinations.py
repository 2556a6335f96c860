"""Which estimators may be combined."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from judged import judge

from benchsuite.report.evidence import Evidence
from benchsuite.report.sections import combinations


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 60 architectures on two data sets."""
    return make_results(("nasbench201/cifar10", "nasbench201/digits"), 60, ("nwot", "synflow", "plain"), seeds=2)


@pytest.fixture(scope="module")
def judgement(results):
    return judge(results.benchmarks[0])


def _trials(judgement, name):
    rows = judgement.scores[judgement.scores["estimator"] == name]
    return [each.set_index("architecture")["value"] for _, each in rows.groupby("seed")]


def test_combinations_are_not_chosen_of_readers_of_the_truth_nor_of_few_architectures(judgement, results):
    trials = {name: _trials(judgement, name) for name in ("nwot", "synflow")}
    truth = judgement.truth

    def chosen(family, number):
        rows = [
            pd.DataFrame({"architecture": names.index[:number], "value": names.iloc[:number], "estimator": name})
            for name, names in (("nwot", trials["nwot"][0]), ("synflow", truth))
        ]
        known = pd.concat(rows).assign(seed=0, batch_seed=0, status="ok", reason="", cpu_seconds=1.0)
        known["family"] = known["estimator"].map({"nwot": family, "synflow": "zero-shot"})
        evidence = Evidence(replace(results.benchmarks[0], scores=known, truth=truth.iloc[:number]))
        return combinations.tables(evidence)["subsets"]["estimators"].tolist()

    assert "nwot" not in " ".join(chosen("curve", 60))
    assert "nwot" in " ".join(chosen("zero-shot", 60))
    assert chosen("zero-shot", 30) == []
