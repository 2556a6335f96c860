"""What the folders of trainings tell a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from small import write_table

from benchsuite import load_space
from benchsuite.report.collect import collect
from benchsuite.report.trainings import ReadTraining, names_of
from benchsuite.report.write import write_report
from benchsuite.running.jobs import missing_jobs
from benchsuite.running.runner import execute
from benchsuite.running.store import Store
from benchsuite.suites.plan import make_plan
from benchsuite.suites.record import record
from benchsuite.suites.schema import load_suite

if TYPE_CHECKING:
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


def _read(key: str, parameters: dict[str, object], *titles: str) -> ReadTraining:
    return ReadTraining(Path(key), 0, parameters, titles)


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
