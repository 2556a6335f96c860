"""What a report says of searches by methods' own rules, recomputed by hand from small tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from judged import judge

from benchsuite.report.results import (
    COURSE_COLUMNS,
    PROBABILITY_COLUMNS,
    TRAINING_COLUMNS,
    BenchmarkResults,
    Results,
    searched_before,
)
from benchsuite.report.sections.own_rule import choices as choices_of
from benchsuite.report.write import write_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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


@pytest.fixture
def choices(searched: Results) -> pd.DataFrame:
    return choices_of(searched.benchmarks[0]).set_index("training")


def test_a_row_for_each_search_says_what_it_chose_and_how_it_went(choices: pd.DataFrame) -> None:
    assert choices.index.tolist() == list(SEARCHES)
    for key, (name, seed, _, _, _, skips, alignments, truth) in SEARCHES.items():
        row = choices.loc[key]
        assert (row["supernet"], row["seed"], row["epochs"], row["operations"]) == (name, seed, len(skips), 6)
        assert (row["skips_first"], row["skips_most"], row["skips_last"]) == (skips[0], max(skips), skips[-1])
        assert row[["alignment_first", "alignment_last"]].tolist() == pytest.approx(
            [alignments[0], alignments[-1]], nan_ok=True
        )
        assert row[["truth", "percentile", "regret"]].tolist() == pytest.approx(
            [truth, truth - 50, 95 - truth], nan_ok=True
        )


def test_costs_stand_beside_the_mean_of_darts_where_images_and_batches_are_alike(choices: pd.DataFrame) -> None:
    # DARTS: (2 + 4) / 2 = 3 CPU s an epoch, (100 + 110) / 2 = 105 MiB
    assert choices["cpu_seconds"].tolist() == [4, 8, 12, 18, 3, 3, 0.1]
    assert choices["seconds_to_darts"].tolist() == pytest.approx([2 / 3, 4 / 3, 2, 3, 0.5, NAN, NAN], nan_ok=True)
    memory = [100 / 105, 110 / 105, 2, 4, NAN, NAN, NAN]
    assert choices["memory_to_darts"].tolist() == pytest.approx(memory, nan_ok=True)


def test_the_tab_its_files_and_its_figures_are_there_where_methods_chose_and_hostile_names_are_text(
    plain: Results, tmp_path: Path
) -> None:
    (part,) = plain.benchmarks
    hostile = _with_searches(part, called='<script>alert("1")</script>|$x$')
    shown = write_report(replace(plain, benchmarks=(hostile,)), tmp_path)
    assert shown.read_text(encoding="utf-8").count(">Own rule</button>") == 1
    for name in ("index.html", "report.md"):
        text = (shown.parent / name).read_text(encoding="utf-8")
        questions = ("What do the methods choose by themselves?", "How did their searches go?")
        assert all(question in text for question in questions)
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text
    assert all("<script" not in file.read_text(encoding="utf-8") for file in shown.parent.glob("figures/*.svg"))
    figures = {path.stem.partition("cifar10-")[2] for path in (shown.parent / "figures").iterdir()}
    assert {"skips", "alignment", "training"} <= figures
    assert len([name for name in figures if name.startswith("probabilities-")]) == 4  # first seeds, FreeDARTS has none
    assert CELL.replace("|", r"\|") in (shown.parent / "report.md").read_text(encoding="utf-8")
    assert (shown.parent / "latex" / "nasbench201-cifar10-choices.tex").is_file()
    for name, rows in {"choices": 7, "courses": 13, "probabilities": 24}.items():
        table = pd.read_csv(shown.parent / "tables" / f"{name}.csv")
        assert len(table) == len(pd.read_parquet(shown.parent / "tables" / f"{name}.parquet")) == rows
        assert set(table["benchmark"]) == {"nasbench201/cifar10"}


def test_a_stopped_search_of_one_epoch_has_a_row_and_no_curves(searched: Results, tmp_path: Path) -> None:
    (part,) = searched.benchmarks
    first = {name: getattr(part, name)[getattr(part, name)["epoch"] == 1] for name in ("trainings", "courses")}
    stopped = replace(part, **first, probabilities=part.probabilities.iloc[:0])
    page = write_report(replace(searched, benchmarks=(stopped,)), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "What do the methods choose by themselves?" in text
    assert "How did their searches go?" not in text
    assert "How were the supernets trained?" in text
    assert not list(page.parent.glob("figures/*skips.svg"))


def test_suites_without_such_methods_have_no_such_tab(plain: Results) -> None:
    judgement = judge(plain.benchmarks[0])
    assert all(table.empty for table in (judgement.choices, judgement.courses, judgement.probabilities))
    assert "Own rule" not in [tab.title for tab in judgement.page().tabs]
