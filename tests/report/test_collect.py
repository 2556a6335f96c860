"""Reports are made from the store alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from judged import judge
from small import write_suite

from benchsuite.benchmark import load_benchmark
from benchsuite.core.errors import UnknownNameError
from benchsuite.report.collect import collect, score_table
from benchsuite.running.jobs import missing_jobs
from benchsuite.running.runner import execute
from benchsuite.running.store import Store, StoreError
from benchsuite.suites.plan import make_plan
from benchsuite.suites.record import record
from benchsuite.suites.schema import load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with a run of which the last job is missing: nwot is not scored."""
    plan = make_plan(load_suite(write_suite(tmp_path, seeds=(0, 1), number=6, estimators=("params", "snip"))))
    wider = make_plan(load_suite(write_suite(tmp_path, seeds=(0, 1), number=6, estimators=("params", "snip", "nwot"))))
    with Store(tmp_path) as store:
        execute(missing_jobs(plan, store), store, plan)
        store.save_suite("small", record(wider, "benchsuite run small.toml"))
        yield store


def test_what_was_asked_for_and_not_scored_yet_is_said(store: Store) -> None:
    (results,) = collect(store, "small").benchmarks
    assert results.skipped == {"nwot": "not scored yet"}
    assert set(results.scores["estimator"]) == {"params", "snip"}


def test_truth_complexity_and_scores_are_of_the_sampled_architectures(store: Store) -> None:
    (results,) = collect(store, "small").benchmarks
    assert len(results.truth) == len(results.trials) == len(results.complexity) == 6
    assert results.trials.shape == (6, 3)
    assert results.trials.mean(axis=1).to_numpy() == pytest.approx(results.truth.to_numpy())
    assert set(results.scores["architecture"]) == set(results.truth.index)
    assert len(score_table(collect(store, "small"))) == 6 * (1 + 2)


def test_captions_say_scale_images_and_truth(store: Store) -> None:
    (results,) = collect(store, "small").benchmarks
    for words in (
        "reduced networks with channels 2, cells 1",
        "one minibatch of 8",
        "random noise, no images",
        "table.csv",
    ):
        assert words in results.caption


def test_the_command_and_the_machine_are_told(store: Store) -> None:
    provenance = collect(store, "small").provenance
    assert provenance["command"] == "benchsuite run small.toml"
    assert provenance["python"] == ".".join(map(str, sys.version_info[:3]))
    assert provenance["device"] == "cpu"
    assert provenance["CPU time of all scores"].endswith(" min, each counted as if scored alone")
    assert provenance["CPU time of all trainings"] == "no supernet was trained"
    assert "scipy" in provenance["report made with"]


def test_a_suite_that_was_not_run_is_named(store: Store) -> None:
    with pytest.raises(StoreError, match="suites there: small"):
        collect(store, "large")


def test_combinations_are_made_again_from_the_store_alone(tmp_path: Path) -> None:
    file = write_suite(tmp_path, number=6, estimators=("params", "snip", "nwot"))
    file.write_text(file.read_text() + '[[combination]]\nname = "vote"\nof = ["params", "snip"]\n')
    plan = make_plan(load_suite(file))
    with Store(tmp_path) as store:
        execute(missing_jobs(plan, store), store, plan)
        store.save_suite("small", record(plan, ""))
    file.unlink()
    with Store(tmp_path) as store:
        results = collect(store, "small")
    (judgement,) = (judge(benchmark) for benchmark in results.benchmarks)
    row = judgement.leaderboard.set_index("estimator").loc["vote(params, snip)"]
    assert (row["family"], row["trials"], row["n"], row["n_missing"]) == ("combination", 2, 6, 0)
    assert "vote(params, snip)" not in set(score_table(results)["estimator"])


def test_a_combination_waits_for_its_parts(tmp_path: Path) -> None:
    file = write_suite(tmp_path, number=3, seeds=(0,), estimators=("params", "snip"))
    plan = make_plan(load_suite(file))
    file.write_text(file.read_text() + '[[combination]]\nname = "rank_mean"\nof = ["params", "snip"]\ntitle = "both"\n')
    with Store(tmp_path) as store:
        keys = [trial.key for trial in plan.benchmarks[0].trials if trial.title == "params"]
        jobs = [job for job in missing_jobs(plan, store) if list(job.keys) == keys]
        execute(jobs, store, plan)
        store.save_suite("small", record(make_plan(load_suite(file)), ""))
        (results,) = collect(store, "small").benchmarks
    assert results.skipped == {"both": "not scored yet", "snip": "not scored yet"}
    assert results.combinations == ()


def test_published_figures_stand_beside_the_benchmark_they_are_of(tmp_path: Path) -> None:
    file = write_suite(tmp_path, number=3, seeds=(0,), estimators=("params",))
    file.write_text(file.read_text().replace('dataset = "digits"', 'dataset = "cifar10"'))
    plan = make_plan(load_suite(file))
    with Store(tmp_path) as store:
        execute(missing_jobs(plan, store), store, plan)
        store.save_suite("small", record(plan, ""))
        published = collect(store, "small").published
    assert published is not None
    assert published.loc[published["estimator"] == "plain", "value"].tolist() == [-0.23]


def test_the_truth_of_other_data_sets_is_read_for_the_population_and_missing_ones_are_named(tmp_path: Path) -> None:
    file = write_suite(tmp_path, number=6, seeds=(0,), estimators=("params",))
    text = file.read_text().replace('dataset = "digits"', 'dataset = "cifar10"\ntransfer = ["digits"]')
    file.write_text(text)
    plan = make_plan(load_suite(file))
    with Store(tmp_path) as store:
        execute(missing_jobs(plan, store), store, plan)
        store.save_suite("small", record(plan, ""))
        (results,) = collect(store, "small").benchmarks
    known = load_benchmark("nasbench201", "digits").truth()
    shared = results.truth.index.intersection(known.index)
    pd.testing.assert_series_equal(results.elsewhere["digits"].sort_index(), known[shared].sort_index())
    file.write_text(text.replace('["digits"]', '["svhn"]'))
    with pytest.raises(UnknownNameError, match="svhn"):
        make_plan(load_suite(file))


def test_operations_and_the_data_card_of_the_truth_are_read(store: Store) -> None:
    (results,) = collect(store, "small").benchmarks
    assert set(results.operations) == set(results.truth.index)
    assert all(len(operations) == 6 for operations in results.operations.values())
    assert results.card["title"] == "table.csv"
    titles = [section.title for tab in judge(results).page().tabs for section in tab.sections]
    assert "Where does it come from?" in titles


def test_references_are_those_that_the_store_has_recorded(store: Store) -> None:
    (results,) = collect(store, "small").benchmarks
    assert {name: traits.reference for name, traits in results.traits.items()} == {
        "params": True,
        "snip": False,
        "nwot": False,
    }
    assert results.traits_of("snip", "zero-shot").seeds == "initialisations"
