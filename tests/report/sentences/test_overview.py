"""What is said over several benchmarks: who leads, next to size, by ranks, and which benchmark is meant."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from judged import judge

from benchsuite.analysis.critical_difference import critical_difference
from benchsuite.report.overview import overview
from benchsuite.report.sentences.overview import mean_rank

TWICE = ("nasbench201/cifar10", "nasbench201/cifar10")


def _judged(made, change=lambda scores: scores):
    return [judge(replace(part, scores=change(part.scores))) for part in made.benchmarks]


def _over(judgements):
    return overview([each.judgement for each in judgements])


def _mean(judgements, name):
    return np.mean([each.leaderboard.set_index("estimator").loc[name, "kendall_tau"] for each in judgements])


def test_an_only_estimator_is_called_so_and_benchmarks_of_one_name_are_told_apart_by_number(make_results):
    judgements = _judged(make_results(TWICE, n=40, estimators=("plain",), seeds=1))
    found = _over(judgements)
    mean = f"{_mean(judgements, 'plain'):.3f}".replace("-", "\N{MINUS SIGN}")
    only = "plain, the only estimator besides the baselines judged on all 2 benchmarks, has mean tau-b"
    assert found.verdict[0] == f"{only} {mean}."
    assert found.verdict[1].endswith("significantly worse than one on nasbench201/cifar10 and nasbench201/cifar10 (2).")
    lowest = min(range(2), key=lambda place: _mean(judgements[place : place + 1], "plain"))
    where = ("nasbench201/cifar10", "nasbench201/cifar10 (2)")[lowest]
    assert found.verdict[2].endswith(f", on {where}.")  # no better one but baselines
    assert "; nasbench201/cifar10 (2) (full-size" in found.caption
    assert [column.title for column in found.parts[0].columns[2:]] == [
        "nasbench201/cifar10",
        "nasbench201/cifar10 (2)",
    ]


def test_equal_highest_means_are_shared_and_each_leader_is_judged(make_results):
    def twin(scores):
        return pd.concat([scores, scores[scores["estimator"] == "nwot"].assign(estimator="twin")], ignore_index=True)

    judgements = _judged(make_results(TWICE, n=40, estimators=("nwot", "plain"), seeds=1), twin)
    first, *others = _over(judgements).verdict
    assert " nwot and twin share the highest mean tau-b (" in first
    assert f"({_mean(judgements, 'nwot'):.3f}), before plain (" in first
    for start in ("Compared with parameter count and MAC count, {} is", "The lowest tau-b of {} is"):
        assert [sum(said.startswith(start.format(name)) for said in others) for name in ("nwot", "twin")] == [1, 1]


def test_what_was_not_tested_against_size_is_said(make_results):
    few, many = (make_results(TWICE, n=n, estimators=("nwot", "plain"), seeds=1) for n in (9, 150))
    assert _over(_judged(few)).verdict[1].endswith("nwot is not tested on any benchmark.")
    mixed = [_judged(few)[0], _judged(many)[1]]
    said = _over(mixed).verdict[1]
    assert said.endswith(
        "nwot is significantly better than both on nasbench201/cifar10 (2) and not tested on nasbench201/cifar10."
    )


@pytest.mark.parametrize(
    ("name", "sides"), [("a", "better than 2 and worse than 0"), ("d", "better than 0 and worse than 2")]
)
def test_mean_ranks_say_who_is_better_and_who_worse(name, sides):
    found = critical_difference(pd.DataFrame({i: [0.9, 0.8, 0.3, 0.2] for i in range(6)}, index=list("abcd")))
    assert 1 < found.difference < 2  # Nemenyi: 2.569 (4 x 5 / 36)^(1/2) = 1.91
    assert f"benchmarks: significantly {sides} of 3 others (critical difference 1.9 ranks)." in mean_rank(found, name)


def test_mean_ranks_of_two_count_one_other():
    found = critical_difference(pd.DataFrame({i: [0.9, 0.8] for i in range(2)}, index=list("ab")))
    assert "significantly better than 0 and worse than 0 of 1 other " in mean_rank(found, "a")


SIZES = {"params", "flops"}


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


def test_the_verdict_over_benchmarks_names_the_best_mean_and_where_it_beats_counting_parameters(results):
    judgements = [judge(benchmark) for benchmark in results.benchmarks]
    boards = [each.leaderboard.set_index("estimator") for each in judgements]
    means = sum(board.loc[~board["reference"], "kendall_tau"] for board in boards) / len(boards)
    first, second, third, *_ = overview([each.judgement for each in judgements]).verdict
    assert f"{means.idxmax()} ({means.max():.3f}) has the highest mean tau-b" in first
    for each in judgements:
        pairs = each.comparisons.set_index(["first", "second"])
        apart = [
            bool(pairs.loc[key, "significant"]) for key in pairs.index if set(key) & SIZES and means.idxmax() in key
        ]
        assert len(apart) == 2
        assert (each.evidence.results.benchmark in second) == all(apart)
    lowest = min(
        judgements, key=lambda each: each.leaderboard.set_index("estimator").loc[means.idxmax(), "kendall_tau"]
    )
    tau = lowest.leaderboard.set_index("estimator").loc[means.idxmax(), "kendall_tau"]
    assert third.startswith(f"The lowest tau-b of {means.idxmax()} is {tau:.3f} (")
    assert f"on {lowest.evidence.results.benchmark}" in third
