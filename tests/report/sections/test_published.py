"""Published results next to ours."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchsuite.report.render.words import MISSING
from benchsuite.report.write import write_report

HOSTILE = '<script>alert("1")</script> $x_1$ |b| `c` #1d2330'


OPERATION = "<b>$1$&`"  # short: it labels the columns of a figure


@pytest.fixture(scope="module")
def results(make_results):
    benchmarks = ("nasbench201/cifar10", "nasbench201/digits")
    made = make_results(benchmarks, n=40, estimators=("nwot", "synflow", HOSTILE), seeds=2)
    return replace(made, benchmarks=tuple(_hostile(each) for each in made.benchmarks))


def _hostile(part):
    """The same with markup in the names of architectures and operations, and in the reason of a failure."""
    names = {name: f"{name}{HOSTILE}" for name in part.truth.index}
    renamed = {table: getattr(part, table).rename(index=names) for table in ("truth", "trials", "complexity")}
    scores = part.scores.assign(architecture=part.scores["architecture"].map(names))
    failed = scores.index[scores["estimator"] == "nwot"][0]
    scores.loc[failed, ["value", "status", "reason"]] = [np.nan, "failed", f"no {HOSTILE}"]
    words = itertools.product((OPERATION, "conv", "pool"), repeat=3)
    return replace(part, **renamed, scores=scores, operations=dict(zip(names.values(), words, strict=False)))


def test_published_figures_stand_beside_ours_with_a_difference_on_the_same_population_only(make_results, tmp_path):
    results = make_results(n=40, estimators=("nwot",), seeds=1)
    population = results.benchmarks[0].population
    rows = [("nwot", 0.5, population, "a paper"), ("params", 0.578, "all 15,625 strings", "another")]
    published = pd.DataFrame(rows, columns=["estimator", "value", "population", "source"])
    published = published.assign(benchmark="nasbench201/cifar10", criterion="kendall_tau")
    write_report(replace(results, published=published), tmp_path)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "a paper" in line or "another" in line]
    assert "the same architectures" in lines[0]
    assert f"| {MISSING} | all 15,625 strings |" in lines[1]
