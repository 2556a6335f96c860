"""How sure the ground truth is."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

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


@pytest.fixture(scope="module")
def folder(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    assert write_report(results, folder) == folder / "index.html"
    return folder


@pytest.fixture(scope="module")
def html(folder):
    return (folder / "index.html").read_text(encoding="utf-8")


def test_one_training_per_architecture_means_no_ceiling_and_the_page_says_why(make_results, tmp_path):
    html = write_report(make_results(n=30, estimators=("nwot",), seeds=1, trials=1), tmp_path).read_text(
        encoding="utf-8"
    )
    assert "Each architecture was trained only once" in html
    assert "ceiling 0" not in html
