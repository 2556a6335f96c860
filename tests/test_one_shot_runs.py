"""Runs that train supernets, then read scores of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from supernets import held_elsewhere

from benchsuite.core.errors import BusyError, SuiteError, UnknownNameError
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.supernets.readout_task import ReadoutTask
from benchsuite.estimators.supernets.split import Split
from benchsuite.estimators.supernets.task import mean_state
from benchsuite.running.jobs import estimate_cpu_seconds, missing_jobs, missing_trainings
from benchsuite.running.runner import execute, train
from benchsuite.running.store import Store
from benchsuite.suites.plan import make_plan
from benchsuite.suites.record import record
from benchsuite.suites.schema import load_suite

if TYPE_CHECKING:
    from pathlib import Path

    from benchsuite.suites.plan import Plan

SUITE = """
schema = 1
seeds = [0, 1]
[[benchmark]]
space = "{space}"
dataset = "digits"
sizes = {sizes}
architectures = {{number = 6, seed = 0}}
batch = {{images = "digits"}}
"""
ONE_SHOT = """
[[estimator]]
name = "{name}"
parameters.images = 60
parameters.batch = 20
parameters.training = {{epochs = 2, kept = 2, images = 128, batch = 64, augmentation = "none"{more}}}
grid = {grid}
"""


def _suite(
    folder: Path, *estimators: str, space: str = "nasbench201", sizes: str = "{channels = 2, cells = 1}"
) -> Path:
    file = folder / "one.toml"
    file.write_text(SUITE.format(space=space, sizes=sizes) + "".join(estimators), encoding="utf-8")
    return file


def _uniform(grid: str = "{}", name: str = "uniform", more: str = "") -> str:
    return ONE_SHOT.format(name=name, grid=grid, more=more)


def _run(plan: Plan, store: Store) -> tuple[int, dict[str, str]]:
    jobs = missing_jobs(plan, store)
    failed = train(missing_trainings(jobs, store.trainings), store.trainings, "cpu")
    return execute(jobs, store, plan).computed, failed


def test_readouts_of_one_training_share_it_and_its_readings(tmp_path: Path) -> None:
    plan = make_plan(load_suite(_suite(tmp_path, _uniform('{readout = ["accuracy", "loss"], epoch = [1, 2]}'))))
    with Store(tmp_path) as store:
        jobs = missing_jobs(plan, store)
        assert len(missing_trainings(jobs, store.trainings)) == 2  # one a seed
        assert [len(job.keys) for job in jobs] == 4 * [2]  # two epochs of two trainings; accuracy and loss together
        assert estimate_cpu_seconds(jobs, store.trainings) > 0
        assert _run(plan, store) == (4 * 2 * 6, {})
        assert missing_jobs(plan, store) == []
        again = make_plan(load_suite(_suite(tmp_path, _uniform('{statistics = ["running"]}'))))
        assert missing_trainings(missing_jobs(again, store), store.trainings) == []
        scores = store.scores([trial.key for trial in plan.benchmarks[0].trials])
    assert set(scores["status"]) == {"ok"}
    (part,) = plan.benchmarks
    assert [trial.title for trial in part.trials[::2]] == [
        "uniform(epoch=1)", "uniform(epoch=2)", "uniform(epoch=1, readout=loss)", "uniform(epoch=2, readout=loss)",
    ]  # fmt: skip
    protocol = record(plan, "").benchmarks[0].protocol
    assert protocol["Supernet of uniform(epoch=1)"].startswith("2 epochs of 128 images (8x8 pixels), batch size 64")


def test_a_score_is_what_the_trained_supernet_gives_on_validation_images(tmp_path: Path) -> None:
    plan = make_plan(load_suite(_suite(tmp_path, _uniform('{readout = ["accuracy", "loss"], averaged = [2]}'))))
    with Store(tmp_path) as store:
        _run(plan, store)
        (part,) = plan.benchmarks
        values = {
            trial.estimator.parameters()["readout"]: store.scores([trial.key]).set_index("architecture")["value"]
            for trial in part.trials
            if trial.seed == 0
        }
        (source,) = part.trials[0].trainings
        folder = source.folder(store.trainings)
        supernet = source.supernet([mean_state([folder.weights(epoch)["shared"] for epoch in (1, 2)])]).train()
    batches = list(Split.validation(load_images("digits"), 60, 1, "cpu").in_order(20))
    for architecture in part.architectures:
        supernet.activate(architecture)
        logits = [(supernet(inputs), targets) for inputs, targets in batches]
        right = sum(int((found.argmax(1) == targets).sum()) for found, targets in logits)
        assert values["accuracy"][architecture] == pytest.approx(100 * right / 60)
        assert values["loss"][architecture] < 0


def test_what_a_space_cannot_do_is_skipped_with_its_reason(tmp_path: Path) -> None:
    sizes = "{channels = 8, cells = 1}"
    estimators = (_uniform(), _uniform(name="fair", more=', accumulation = "mean"'))
    plan = make_plan(load_suite(_suite(tmp_path, *estimators, space="nasbench101", sizes=sizes)))
    (part,) = plan.benchmarks
    assert {trial.title for trial in part.trials} == {"uniform"}
    assert list(part.skipped) == ["fair"]
    assert "table of choices" in part.skipped["fair"]


def test_a_training_that_fails_leaves_scores_that_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan(load_suite(_suite(tmp_path, _uniform())))

    def broken(*_: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr("benchsuite.estimators.one_shot.trainer.PathTrainer.run_epoch", broken)
    with Store(tmp_path) as store:
        computed, failed = _run(plan, store)
        scores = store.scores([trial.key for trial in plan.benchmarks[0].trials])
    assert computed == 2 * 6
    assert set(failed.values()) == {"RuntimeError: no memory"}
    assert set(scores["status"]) == {"failed"}
    assert all("lacks a checkpoint of epoch 2" in reason for reason in scores["reason"])
    assert all(math.isnan(value) for value in scores["value"])


def test_a_training_that_another_process_works_on_ends_the_run_and_fails_no_score(tmp_path: Path) -> None:
    plan = make_plan(load_suite(_suite(tmp_path, _uniform())))
    with Store(tmp_path) as store:
        first, _ = missing_trainings(missing_jobs(plan, store), store.trainings)
        lock = first.folder(store.trainings).path / "lock"
        with held_elsewhere(lock), pytest.raises(BusyError, match="process 1 on elsewhere"):
            _run(plan, store)
        assert len(store) == 0


def test_what_is_misspelt_or_not_kept_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="training named 'epoch'"):
        make_plan(
            load_suite(_suite(tmp_path, '[[estimator]]\nname = "uniform"\nparameters = {training = {epoch = 1}}\n'))
        )
    with pytest.raises(SuiteError, match="must be a table, such as training"):
        make_plan(load_suite(_suite(tmp_path, '[[estimator]]\nname = "uniform"\nparameters = {training = 3}\n')))
    with pytest.raises(SuiteError, match="the training keeps the epochs 1, 2"):
        make_plan(load_suite(_suite(tmp_path, _uniform("{epoch = [3]}"))))
    with pytest.raises(SuiteError, match="readout = 'los'; must be 'accuracy' or 'loss'"):
        make_plan(load_suite(_suite(tmp_path, _uniform('{readout = ["los"]}'))))


def test_jobs_of_a_supernet_stay_small_and_read_alike_architectures_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReadoutTask, "chunk", 4)
    plan = make_plan(load_suite(_suite(tmp_path, _uniform())))
    with Store(tmp_path) as store:
        jobs = missing_jobs(plan, store)
    assert all(isinstance(job.task, ReadoutTask) for job in jobs)
    assert [len(job.architectures) for job in jobs] == [4, 2, 4, 2]
    space = plan.benchmarks[0].benchmark.space
    read = [space.operations(name) for job in jobs[:2] for name in job.architectures]
    assert read == sorted(read)


def test_estimators_are_not_judged_where_the_suite_does_not_ask_for_them_or_gives_noise(tmp_path: Path) -> None:
    second = '[[benchmark]]\nspace = "macro"\ndataset = "digits"\nbatch = {images = "noise"}\n'
    snip = '[[estimator]]\nname = "snip"\nbenchmarks = ["nasbench201/digits"]\n'
    file = tmp_path / "two.toml"
    file.write_text(_suite(tmp_path, second, _uniform(), snip).read_text(encoding="utf-8"), encoding="utf-8")
    first, other = make_plan(load_suite(file)).benchmarks
    assert {trial.title for trial in first.trials} == {"uniform", "snip"}
    assert other.trials == ()
    assert other.skipped["snip"] == "the suite asks for it on nasbench201/digits alone"
    assert "gives this benchmark noise" in other.skipped["uniform"]


def test_an_estimator_of_other_hyperparameters_on_another_benchmark_has_the_same_name(tmp_path: Path) -> None:
    """Combinations find it by that name on both; on a third benchmark it is not asked for."""
    entries = [
        f'[[estimator]]\nname = "{name}"\nbenchmarks = ["{place}/digits"]\nparameters = {{batch = {batch}}}\n'
        for place, batch in (("nasbench201", 50), ("macro", 100))
        for name in ("scarlet", "uniform")
    ]
    both = '[[combination]]\nname = "rank_mean"\nof = ["scarlet", "uniform"]\n'
    others = "".join(f'[[benchmark]]\nspace = "{place}"\ndataset = "digits"\n' for place in ("macro", "nds_resnet"))
    plan = make_plan(load_suite(_suite(tmp_path, *entries, both, others)))
    for part, batch in zip(plan.benchmarks, (50, 100), strict=False):
        assert {(trial.title, trial.recipe["parameters"]["batch"]) for trial in part.trials} == {
            ("scarlet", batch),
            ("uniform", batch),
        }
        assert not part.skipped
        assert part.combinations[0].of == ("scarlet", "uniform")
    assert plan.benchmarks[2].skipped["uniform"] == "the suite asks for it on macro/digits alone"


def test_the_same_estimator_twice_is_refused(tmp_path: Path) -> None:
    twice = '[[estimator]]\nname = "synflow"\n[[estimator]]\nname = "synflow"\nparameters = {log = false}\n'
    with pytest.raises(SuiteError, match="'synflow' stands twice"):
        make_plan(load_suite(_suite(tmp_path, twice)))


def test_a_title_of_the_suite_takes_the_place_of_the_name_and_of_agreed_hyperparameters(tmp_path: Path) -> None:
    text = _uniform('{readout = ["accuracy", "loss"]}', more=", clip = 1.0")
    titled = text.replace('name = "uniform"', 'name = "uniform"\ntitle = "clipped"')
    log = '[[estimator]]\nname = "synflow"\ntitle = "sum of logarithms"\nparameters = {log = true}\n'
    (part,) = make_plan(load_suite(_suite(tmp_path, _uniform(), titled, log))).benchmarks
    assert {trial.title for trial in part.trials} == {
        "uniform",
        "clipped",
        "clipped(readout=loss)",
        "sum of logarithms",
    }
    twice = '[[estimator]]\nname = "snip"\ntitle = "alike"\n[[estimator]]\nname = "nwot"\ntitle = "alike"\n'
    with pytest.raises(SuiteError, match="'alike' stands twice; remove one, or give one of them another title"):
        make_plan(load_suite(_suite(tmp_path, twice)))


def test_scores_of_several_supernets_share_trainings_with_those_of_one(tmp_path: Path) -> None:
    tuned = _uniform("{supernets = [1, 2]}", more=", tuning = 1, split = 0")
    plan = make_plan(load_suite(_suite(tmp_path, tuned)))
    (part,) = plan.benchmarks
    with Store(tmp_path) as store:
        jobs = missing_jobs(plan, store)
        assert sorted(task.seed for task in missing_trainings(jobs, store.trainings)) == [0, 1, 2, 3]
        assert _run(plan, store) == (2 * 2 * 6, {})
        scores = {
            (trial.estimator.parameters()["supernets"], trial.seed): store.scores([trial.key])
            .set_index("architecture")["value"]
            .sort_index()
            for trial in part.trials
        }
    mean = (scores[1, 0] + scores[1, 1]) / 2
    assert scores[2, 0].tolist() == pytest.approx(mean.tolist())
    assert scores[2, 0].tolist() != scores[2, 1].tolist()
    recorded = record(plan, "").benchmarks[0]
    assert [list(trial.trainings.values()) for trial in recorded.trials] == [[0], [1], [0, 1], [2, 3]]
    assert all(trial.recipe["sources"] == [task.key for task in trial.trainings] for trial in part.trials)
    words = recorded.protocol["Supernet of uniform(supernets=2)"]
    assert "then 1 epochs of tuning" in words
    assert words.endswith("weights of epoch 3; mean over 2 supernets")


def test_trainings_of_a_single_stage_come_first_since_others_begin_with_them(tmp_path: Path) -> None:
    tuned, plain = (
        _uniform(more=", tuning = 1, split = 0").replace("[[estimator]]", '[[estimator]]\ntitle = "tuned"'),
        _uniform(),
    )
    plan = make_plan(load_suite(_suite(tmp_path, tuned, plain)))
    with Store(tmp_path) as store:
        missing = missing_trainings(missing_jobs(plan, store), store.trainings)
    assert [(task.training.tuning, task.seed) for task in missing] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_captions_name_the_images_of_supernets(tmp_path: Path) -> None:
    plan = make_plan(load_suite(_suite(tmp_path, _uniform())))
    assert "supernets on images of 8x8 pixels (digits images)" in record(plan, "").benchmarks[0].caption
