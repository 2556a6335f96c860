"""Charts that several sections draw."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from benchsuite.report.render.charts import by_epoch_chart, probability_chart
from benchsuite.report.render.svg import render
from benchsuite.report.results import (
    COURSE_COLUMNS,
    PROBABILITY_COLUMNS,
    TRAINING_COLUMNS,
    BenchmarkResults,
    Results,
    searched_before,
)

if TYPE_CHECKING:
    from collections.abc import Callable


NAN = float("nan")


DARTS = {
    "epochs": 2,
    "images": 64,
    "batch": 32,
    "order": 1,
    "partial": 1,
    "edge_normalisation": False,
    "alignment": "none",
    "strength": 0.0,
    "operations": "all",
    "shrink": 1,
}


LAMBDA = {**DARTS, "alignment": "corr", "strength": 0.25}


SEARCHES = {  # key: supernet, seed, hyperparameters, CPU seconds of an epoch, MiB, skips, alignments, truth of the last
    "d0": ("darts", 0, DARTS, 2.0, 100.0, (0, 3), (0.1, -0.05), 90.0),
    "d1": ("darts", 1, DARTS, 4.0, 110.0, (1, 0), (0.2, 0.05), 92.0),
    "l0": ("lambda", 0, LAMBDA, 6.0, 210.0, (4, 1), (0.1, 0.3), 91.0),
    "l1": ("lambda", 1, LAMBDA, 9.0, 420.0, (0, 2), (0.1, 0.5), 94.0),
    "p0": ("partial", 0, {**DARTS, "partial": 4, "batch": 64}, 1.5, 50.0, (0, 0), (0.0, 0.0), NAN),
    "m0": ("more images", 0, {**DARTS, "partial": 4, "images": 128}, 1.5, 50.0, (0, 0), (0.0, 0.0), NAN),
    "f0": ("free", 0, {"saliency": "snip", "images": 64, "batch": 32, "shrink": 1}, 0.1, 40.0, (2,), (NAN,), NAN),
}


CELL = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_3x3~1|+|none~0|nor_conv_1x1~1|skip_connect~2|"


def _with_searches(part: BenchmarkResults, *, called: str = "darts") -> BenchmarkResults:
    """The results with SEARCHES; `called` is what the first method is called."""
    curves, courses, alpha = [], [], []
    for key, (name, seed, _, cost, memory, skips, alignments, truth) in SEARCHES.items():
        said = (called if name == "darts" else name, seed, key)
        for epoch, (number, alignment) in enumerate(zip(skips, alignments, strict=True), 1):
            last = truth if epoch == len(skips) else 10.0
            courses.append((*said, epoch, CELL, number, alignment, 0.0, last, last - 50, 95 - last))
            curves.append((*said, epoch, name, 2.0, 50.0, cost, memory + {1: 10, 2: -10}.get(epoch, 0)))
            rows = [(*said, epoch, "cell", 0, 1, operation, 0.5) for operation in ("none", "skip_connect")]
            alpha += rows if len(skips) > 1 else []
    return replace(
        part,
        trainings=pd.DataFrame(curves, columns=list(TRAINING_COLUMNS)),
        searches={key: searched_before(each[2]) for key, each in SEARCHES.items()},
        courses=pd.DataFrame(courses, columns=list(COURSE_COLUMNS)),
        probabilities=pd.DataFrame(alpha, columns=list(PROBABILITY_COLUMNS)),
        operations={"a": ["none"] * 6},
    )


@pytest.fixture
def plain(make_results: Callable[..., Results]) -> Results:
    return make_results(n=20, estimators=("snip",))


@pytest.fixture
def searched(plain: Results) -> Results:
    return replace(plain, benchmarks=tuple(map(_with_searches, plain.benchmarks)))


def test_lines_of_whole_numbers_are_drawn_apart_and_single_epochs_not_at_all(searched: Results) -> None:
    courses = searched.benchmarks[0].courses
    (skips,), (aligned,) = (by_epoch_chart(courses, name, "").axes for name in ("skips", "alignment"))
    drawn = [line.get_ydata() for line in skips.lines if len(line.get_ydata())]
    expected = [each[5] for each in SEARCHES.values() if len(each[5]) > 1]
    assert [np.round(values).tolist() for values in drawn] == [list(values) for values in expected]
    starts = [round(float(values[0] - wanted[0]), 6) for values, wanted in zip(drawn, expected, strict=True)]
    assert len(set(starts)) == len(starts)
    assert [list(line.get_ydata()) for line in aligned.lines][:4] == [list(each[6]) for each in SEARCHES.values()][:4]


def test_long_trajectories_of_many_edges_stay_light() -> None:
    epochs, edges, operations = range(1, 51), range(28), range(8)
    rows = [(epoch, "cell", 0, edge, str(name), 1 / 7) for epoch in epochs for edge in edges for name in operations]
    alpha = pd.DataFrame(rows, columns=["epoch", "table", "source", "target", "operation", "probability"])
    lines = probability_chart(alpha).axes[0].lines
    assert [(line.get_xdata()[0], line.get_xdata()[-1], len(line.get_xdata())) for line in lines] == 8 * [(1, 50, 30)]
    assert len(render(partial(probability_chart, alpha), "alpha", "")) < 250_000


def test_all_operations_are_named_where_edges_differ_in_them() -> None:
    rows = [(1, "cell", 0, 1, "skip", 0.5), (1, "cell", 0, 1, "edge", 1.0), (1, "cell", 0, 2, "pool", 0.5)]
    alpha = pd.DataFrame(rows, columns=["epoch", "table", "source", "target", "operation", "probability"])
    (legend,) = probability_chart(alpha).legends
    assert [text.get_text() for text in legend.get_texts()] == ["skip", "share of the edge", "pool"]
