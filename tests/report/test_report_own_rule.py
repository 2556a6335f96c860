"""What the report of a suite says of searches by methods' own rules, recomputed by hand from small tables."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from judged import judge
from small import write_table

from benchsuite import load_space
from benchsuite.report.collect import collect
from benchsuite.report.render.charts import by_epoch_chart, probability_chart
from benchsuite.report.render.svg import render
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
from benchsuite.report.trainings import ReadTraining, names_of
from benchsuite.report.write import write_report
from benchsuite.running.jobs import missing_jobs
from benchsuite.running.runner import execute
from benchsuite.running.store import Store
from benchsuite.suites.plan import make_plan
from benchsuite.suites.record import record
from benchsuite.suites.schema import load_suite

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchsuite.suites.plan import Plan

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
SUITE = """
schema = 1
seeds = [0, 1]
[[benchmark]]
space = "nasbench201"
dataset = "digits"
sizes = {channels = 4, cells = 1}
truth = {table = "table.csv"}
architectures = {number = 4}
[[estimator]]
name = "params"
[[estimator]]
name = "darts_likelihood"
parameters.training = {epochs = 2, images = 64, batch = 32, augmentation = "none"}
[[estimator]]
name = "darts_weights"
parameters.training = {epochs = 2, images = 64, batch = 32, augmentation = "none"}
grid = {readout = ["accuracy", "loss"]}
"""


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


def test_words_are_those_of_the_tables(searched: Results) -> None:
    part = searched.benchmarks[0]
    said = (
        "At least half of the chosen operations are skip connections in 1 of 2 searches of darts, and in no other "
        "search.\n"
        "In the last epoch the layer alignment of lambda is 0.30 to 0.50 over 2 seeds; without the regulariser "
        f"(darts) it is {MINUS}0.05 to 0.05 over 2 seeds: every search with it is above every search without.\n"
        "Of the choices whose truth is known (4 of 7), that of lambda with seed 1 is truly best: 94.00 %, above "
        "44.0 % of the known architectures, 1.00 points below the best known architecture, 2.00 above the best of "
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
        "The true accuracy of no choice is known."
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


def _read(key: str, parameters: dict[str, object], *titles: str) -> ReadTraining:
    return ReadTraining(Path(key), 0, parameters, titles)


@pytest.mark.parametrize(
    ("titles", "name"),
    [
        (("darts_likelihood", "darts_weights", "darts_weights(readout=loss)"), "darts"),
        (("darts_weights of second order", "darts_likelihood of second order"), "darts of second order"),
        (("uniform(epoch=4)", "uniform(epoch=8, readout=loss)", "uniform, 3 checkpoints averaged"), "uniform"),
        (("ELS, identity at first(epoch=4)", "ELS, identity at first(epoch=8)"), "ELS, identity at first"),
        (("mine", "yours"), "mine"),
        (("(mine)",), "(mine)"),
    ],
)
def test_a_supernet_is_called_by_what_the_names_of_its_readers_have_in_common(
    titles: tuple[str, ...], name: str
) -> None:
    assert names_of([_read("a", {}, *titles)]) == {"a": name}


def test_seeds_share_a_name_and_other_supernets_do_not() -> None:
    one, two = {"epochs": 1}, {"epochs": 2}
    read = [
        _read("a", one, "darts_weights(training=1)"),
        _read("b", one, "darts_weights(training=1)", "darts_likelihood(training=1)"),
        _read("c", two, "darts_weights(training=2)"),
    ]
    first, second = "darts_weights(training=1)", "darts_weights(training=2)"
    assert names_of(read) == {"a": first, "b": first, "c": second}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    write_table(tmp_path)
    file = tmp_path / "small.toml"
    file.write_text(SUITE, encoding="utf-8")
    return make_plan(load_suite(file))


def _run(plan: Plan, folder: Path) -> list[Path]:
    """Score what needs no training; the folders that the trainings would have."""
    with Store(folder) as store:
        execute([job for job in missing_jobs(plan, store) if "params" in str(job)], store, plan)
        store.save_suite("small", record(plan, ""))
        keys = {source.key for trial in plan.benchmarks[0].trials for source in trial.trainings}
        return [Path(store.trainings) / key for key in sorted(keys)]


def _leave(folder: Path, derived: list[str], *, peak: bool) -> None:
    """Write what a training leaves: an older one had measured no memory."""
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text(json.dumps({"training": DARTS}), encoding="utf-8")
    epochs = range(1, len(derived) + 1)
    curve = pd.DataFrame({"epoch": epochs, "loss": 2.0, "accuracy": 50.0, "lr": 0.1, "cpu_seconds": 3.0})
    (curve.assign(peak_memory=300.0) if peak else curve).to_csv(folder / "curve.csv", index=False)
    course = pd.DataFrame({"epoch": epochs, "architecture": derived, "skips": 1, "alignment": 0.5, "strength": 0.0})
    course.to_csv(folder / "derived.csv", index=False)


def test_choices_are_judged_by_their_own_truth_else_by_that_of_their_class(plan: Plan, tmp_path: Path) -> None:
    first, second = _run(plan, tmp_path)
    space = load_space("nasbench201")
    known = pd.read_csv(tmp_path / "table.csv").groupby("architecture")["accuracy"].mean()
    in_class = next(name for name in space.every_string() if name not in known and space.canonical(name) in known)
    unknown = next(name for name in space.every_string() if space.canonical(name) not in known)
    own = str(known.index[3])
    _leave(first, [own, in_class], peak=True)
    _leave(second, [unknown], peak=False)
    with Store(tmp_path) as store:
        (found,) = collect(store, "small").benchmarks
    by_name = found.courses.set_index("architecture")
    truth = {own: known[own], in_class: known[space.canonical(in_class)]}
    for name, accuracy in truth.items():
        row = by_name.loc[name]
        assert row["truth"] == pytest.approx(accuracy)
        assert row["percentile"] == pytest.approx(100 * sum(value < accuracy for value in known) / len(known))
        assert row["regret"] == pytest.approx(known.max() - accuracy)
    assert by_name.loc[unknown, ["truth", "percentile", "regret"]].isna().all()
    assert set(found.courses["supernet"]) == {"darts"}
    assert found.trainings is not None
    memory = found.trainings.groupby("training")["peak_memory"].max()
    assert memory[[first.name, second.name]].tolist() == pytest.approx([300.0, NAN], nan_ok=True)
    assert found.probabilities.empty


@pytest.mark.parametrize("left", ["nothing", "no recipe", "the curve alone"])
def test_stores_whose_trainings_are_cleaned_away_give_a_report(plan: Plan, tmp_path: Path, left: str) -> None:
    folder, _ = _run(plan, tmp_path)
    if left != "nothing":
        _leave(folder, [CELL], peak=False)
        (folder / ("recipe.json" if left == "no recipe" else "derived.csv")).unlink()
    with Store(tmp_path) as store:
        results = collect(store, "small")
    page = write_report(results, tmp_path / "report")
    text = page.read_text(encoding="utf-8")
    assert ("Own rule" in text) == (left == "no recipe")
    assert ("How were the supernets trained?" in text) == (left != "nothing")


def test_suites_without_such_methods_have_no_such_tab(plain: Results) -> None:
    judgement = judge(plain.benchmarks[0])
    assert all(table.empty for table in (judgement.choices, judgement.courses, judgement.probabilities))
    assert "Own rule" not in [tab.title for tab in judgement.page().tabs]
