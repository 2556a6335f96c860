"""What is said of searches by methods' own rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from benchsuite.report.render.words import MINUS
from benchsuite.report.results import (
    COURSE_COLUMNS,
    PROBABILITY_COLUMNS,
    TRAINING_COLUMNS,
    BenchmarkResults,
    Results,
    searched_before,
)
from benchsuite.report.sections.own_rule import choices as choices_of
from benchsuite.report.sentences.own_rule import choice_words

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


def _twins(part: BenchmarkResults) -> pd.DataFrame:
    return pd.DataFrame([(key, each.twin) for key, each in part.searches.items()], columns=["training", "twin"])


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


@pytest.fixture
def choices(searched: Results) -> pd.DataFrame:
    return choices_of(searched.benchmarks[0]).set_index("training")


def test_words_are_those_of_the_tables(searched: Results) -> None:
    part = searched.benchmarks[0]
    said = (
        "At least half of the chosen operations are skip connections in 1 of 2 searches of darts, and in no other "
        "search.\n"
        "In the last epoch the layer alignment of lambda is 0.30 to 0.50 over 2 seeds; without the regulariser "
        f"(darts) it is {MINUS}0.05 to 0.05 over 2 seeds: every search with it is above every search without.\n"
        "Of the choices with known accuracy (4 of 7), that of lambda with seed 1 has the highest true accuracy: "
        "94.00 %, above 44.0 % of the known architectures, 1.00 points below the best known architecture, "
        "2.00 above the best of "
        "darts.\n"
        "Mean true accuracy over seeds: lambda 92.50 %, darts 91.00 %.\n"
        "CPU seconds of an epoch, as multiples of the mean of DARTS of first order: lambda 2.50 and partial 0.50.\n"
        "Memory of an epoch, above what was held when it began, as multiples of the mean of DARTS of first "
        "order: lambda 3.00."
    )
    assert "\n".join(choice_words(choices_of(part), _twins(part))) == said


def test_words_for_searches_without_collapse_without_truth_and_with_other_hyperparameters(searched: Results) -> None:
    part = searched.benchmarks[0]
    table = choices_of(part).assign(truth=NAN, skips_last=2, seconds_to_darts=NAN, memory_to_darts=NAN)
    table = table[table["training"].isin(["d0", "l0"])].assign(alignment_last=[0.4, 0.4])
    said = (
        "In no search are half of the chosen operations skip connections; the most are 2 of 6 (lambda, seed 0).\n"
        "In the last epoch the layer alignment of lambda is 0.40 with one seed; without the regulariser (darts, "
        "whose other hyperparameters differ) it is 0.40 with one seed: the two overlap.\n"
        "The true accuracy of none of the choices is known."
    )
    other = replace(part, searches={**part.searches, "l0": searched_before({**LAMBDA, "epochs": 100})})
    assert "\n".join(choice_words(table, _twins(other))) == said


def test_every_search_without_the_regulariser_is_named(searched: Results) -> None:
    part = searched.benchmarks[0]
    table = choices_of(part)
    table.loc[table["training"] == "d1", "supernet"] = "slow darts"
    other = replace(part, searches={**part.searches, "l0": searched_before({**LAMBDA, "epochs": 100})})
    said = "\n".join(choice_words(table, _twins(other)))
    assert "without the regulariser (darts and slow darts, whose other hyperparameters differ) it is" in said
