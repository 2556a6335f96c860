"""Benchmarks: which ground truth is found, how it is pooled, and what it says about itself."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite import benchmarks, load_benchmark, load_space
from benchsuite.benchmark import Benchmark, import_table
from benchsuite.core.errors import (
    DataCorruptError,
    DataMissingError,
    InvalidArchitectureError,
    UnknownNameError,
    UnsupportedError,
)
from benchsuite.core.types import Dataset
from benchsuite.data.cards import write_card
from benchsuite.data.sources import curve_file, import_path, source
from benchsuite.data.tables import normalise, write_table
from benchsuite.spaces.isomorphism import isomorphism_classes


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def members():
    """All strings of a class with several, and two classes of one string."""
    space = load_space("nasbench201")
    groups = [space.members(name) for name in space.architectures()]
    several = next(group for group in groups if len(group) == 3)
    single = [group[0] for group in groups if len(group) == 1][:2]
    return several, single


def write(path, rows):
    pd.DataFrame(rows, columns=["architecture", "accuracy", "trial", "epochs", "split"]).to_csv(path, index=False)
    return path


@pytest.fixture
def table(tmp_path, members):
    """Two trainings of a class of three, one of its members with a third; one training of another architecture."""
    (first, second, third), (other, _) = members
    rows = [(first, 90, 7, 200, "test"), (first, 92, 3, 200, "test"), (first, 10, 3, 12, "test")]
    rows += [(second, 80, 1, 200, "test"), (second, 86, 2, 200, "test"), (second, 83, 3, 200, "test")]
    rows += [(third, 70, 5, 200, "test"), (third, 74, 6, 200, "test"), (other, 60, 0, 200, "test")]
    rows += [(first, 55, 3, 200, "valid")]
    return write(tmp_path / "own.csv", rows)


def test_the_listed_benchmarks_are_those_of_the_space():
    assert set(benchmarks()) >= {
        f"nasbench201/{name}" for name in ("cifar10", "cifar100", "imagenet16-120", "cifar10-analog", "digits")
    }


def test_every_listed_benchmark_has_truth_or_the_command_that_brings_it():
    present, commands = {}, {}
    for name in benchmarks():
        try:
            present[name] = load_benchmark(*name.split("/"))
        except DataMissingError as error:
            commands[name] = str(error)
    assert {name for name in present if name.endswith("/digits")} == {name for name in benchmarks() if "digits" in name}
    for name, benchmark in present.items():
        assert benchmark.name == name
        assert len(benchmark.truth()) >= 100
    for said in commands.values():
        assert re.search(r"run: benchsuite data (fetch|import) |run: pip install", said)


def test_truth_is_the_mean_over_trainings_then_over_members(table, members):
    (first, second, third), (other, _) = members
    benchmark = load_benchmark("nasbench201", "cifar10", table=table)
    representative = benchmark.space.canonical(first)
    assert benchmark.truth().to_dict() == {representative: (91 + 83 + 72) / 3, other: 60}
    assert benchmark.truth(pool="none").to_dict() == {first: 91, second: 83, third: 72, other: 60}
    assert benchmark.truth(epochs=12).to_dict() == {representative: 10}
    assert benchmark.truth(split="valid").to_dict() == {representative: 55}
    assert benchmark.truth().name == "accuracy"
    assert benchmark.truth().index.name == "architecture"


def test_trials_of_a_class_are_means_of_complete_rounds(table, members):
    (first, second, _), (other, _) = members
    benchmark = load_benchmark("nasbench201", "cifar10", table=table)
    single = benchmark.trials(pool="none")
    assert single.loc[first].tolist()[:2] == [92, 90]  # in the order of trial numbers
    assert single.loc[second].tolist() == [80, 86, 83]
    pooled = benchmark.trials()
    assert pooled.loc[benchmark.space.canonical(first)].tolist() == [(92 + 80 + 70) / 3, (90 + 86 + 74) / 3]
    assert pooled.loc[other].tolist()[0] == 60
    assert np.isnan(pooled.loc[other].tolist()[1])
    assert benchmark.has_seeds


def made(rows):
    columns = ["architecture", "accuracy", "trial", "epochs", "split"]
    table = normalise(pd.DataFrame(rows, columns=columns), "rows")
    space = load_space("nasbench201")
    classes = isomorphism_classes(space, table["architecture"].cat.categories, "rows")
    return Benchmark(space, "cifar10", "cifar10", table, "rows", {}, Path("rows"), classes)


@given(st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_truth_does_not_depend_on_the_order_of_rows(random):
    strings = load_space("nasbench201").every_string()[:40]
    rows = [(name, 10 + k % 80, seed, 0, "test") for k, name in enumerate(strings) for seed in (0, 1)]
    one, other = made(rows), made(random.sample(rows, len(rows)))
    for pool in ("class", "none"):
        pd.testing.assert_series_equal(one.truth(pool=pool), other.truth(pool=pool))
        pd.testing.assert_frame_equal(one.trials(pool=pool), other.trials(pool=pool))


def test_what_a_table_lacks_is_said_with_what_it_has(table):
    benchmark = load_benchmark("nasbench201", "cifar10", table=table)
    with pytest.raises(UnsupportedError, match=r"lacks split 'test' after 50 epochs; it has .*test after 12, 200"):
        benchmark.truth(epochs=50)
    with pytest.raises(UnsupportedError, match="lacks split 'train'; it has"):
        benchmark.truth(split="train")
    with pytest.raises(UnknownNameError, match=r"no pool named 'classes'\. Did you mean 'class'"):
        benchmark.truth(pool="classes")


def test_strings_that_are_not_of_the_space_are_counted_and_the_first_is_shown(tmp_path, members):
    path = write(tmp_path / "own.csv", [("resnet50", 90, 0, 0, "test"), (members[1][0], 50, 0, 0, "test")])
    with pytest.raises(DataCorruptError, match=r"1 of 2 architectures are not of the space nasbench201.*'resnet50'"):
        load_benchmark("nasbench201", "cifar10", table=path)


def test_names_that_are_wrong_get_suggestions():
    with pytest.raises(UnknownNameError, match=r"no space named 'nasbench2001'\. Did you mean 'nasbench201'"):
        load_benchmark("nasbench2001", "cifar10")
    with pytest.raises(UnknownNameError, match="Did you mean 'nasbench201/cifar100'"):
        load_benchmark("nasbench201", "cifar-100")
    with pytest.raises(UnknownNameError, match="no source of nasbench201/cifar10 named 'nats'"):
        load_benchmark("nasbench201", "cifar10", source="nats")


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "imagenet16-120"])
def test_absent_data_names_the_command_that_brings_it(dataset):
    with pytest.raises(DataMissingError, match="run: benchsuite data fetch nats-bench-csv") as error:
        load_benchmark("nasbench201", dataset)
    assert "\n" not in str(error.value)
    with pytest.raises(DataMissingError, match=f"benchsuite data import TABLE.csv --benchmark nasbench201/{dataset}"):
        load_benchmark("nasbench201", dataset, source="own")


def test_an_imported_table_is_preferred_and_kept(table):
    place = import_table(table, "nasbench201/cifar10")
    benchmark = load_benchmark("nasbench201", "cifar10")
    assert (benchmark.source, benchmark.file) == ("own", place)
    pd.testing.assert_series_equal(benchmark.truth(), load_benchmark("nasbench201", "cifar10", table=table).truth())


def test_a_table_of_a_new_data_set_makes_a_new_benchmark(table):
    assert "nasbench201/leaves" not in benchmarks()
    import_table(table, "nasbench201/leaves")
    assert "nasbench201/leaves" in benchmarks()
    assert load_benchmark("nasbench201", "leaves").images == "leaves"
    with pytest.raises(UnknownNameError, match="no benchmark named 'leaves'"):
        import_table(table, "leaves")


def test_a_card_beside_the_table_says_sizes_and_images(table, own_data_folder):
    place = import_table(table, "nasbench201/cifar10")
    write_card(place, {"sizes": {"channels": 4, "cells": 1}, "images": "digits"})
    benchmark = load_benchmark("nasbench201", "cifar10")
    assert dict(benchmark.space.sizes) == {"channels": 4, "cells": 1}
    assert benchmark.image_dataset == Dataset("digits", classes=10, channels=1, size=8)


def test_a_card_beside_a_users_table_counts_too_and_is_imported_with_it(table):
    shape = {"name": "leaves", "classes": 7, "channels": 3, "size": 16, "training": 900}
    write_card(table, {"title": "Leaves", "sizes": {"channels": 8}, "images": "leaves", "image_set": shape})
    import_table(table, "nasbench201/foliage")
    for benchmark in (load_benchmark("nasbench201", "any", table=table), load_benchmark("nasbench201", "foliage")):
        assert dict(benchmark.space.sizes)["channels"] == 8
        assert benchmark.image_dataset == Dataset("leaves", classes=7, channels=3, size=16)
        assert benchmark.card["title"] == "Leaves"


def test_curves_come_from_the_table_or_from_the_file_of_every_epoch(table, members, own_data_folder):
    first, other = members[0][0], members[1][0]
    place = import_table(table, "nasbench201/cifar10")
    benchmark = load_benchmark("nasbench201", "cifar10")
    curve = benchmark.curve(first)
    assert curve.columns.tolist() == ["accuracy", "trial", "epochs", "split", "loss"]
    assert sorted(curve["accuracy"]) == [10, 55, 90, 92]
    before = benchmark.digest()
    every = pd.DataFrame({"architecture": other, "accuracy": 50.0, "epochs": range(1, 6), "split": "train"})
    write_table(curve_file(place), normalise(every, "rows"))
    assert benchmark.curve(other)["epochs"].tolist() == [1, 2, 3, 4, 5]
    assert set(benchmark.curves([other, first])) == {other, first}
    assert benchmark.digest() == hashlib.sha256(curve_file(place).read_bytes()).hexdigest() != before
    with pytest.raises(InvalidArchitectureError):
        benchmark.curve("resnet50")


def test_a_table_of_final_accuracies_has_no_curves(tmp_path, members):
    first, second = members[0][:2]
    path = write(tmp_path / "own.csv", [(first, 90, 0, 200, "test")])
    benchmark = load_benchmark("nasbench201", "cifar10", table=path)
    with pytest.raises(UnsupportedError, match="lacks learning curves"):
        benchmark.curve(first)
    assert not benchmark.has_seeds
    with pytest.raises(UnsupportedError, match="lacks results of"):
        benchmark.curve(members[1][1])
    with pytest.raises(UnsupportedError, match="lacks learning curves"):
        benchmark.curve(second)  # a member of the same class


def test_best_published_accuracies_and_the_number_of_classes(shared):
    import_path(shared / "data" / "nats_bench.csv")
    best = {}
    for dataset in ("cifar10", "cifar100", "imagenet16-120"):
        benchmark = load_benchmark("nasbench201", dataset)
        best[dataset] = round(float(benchmark.truth(pool="none").max()), 3)
        assert (len(benchmark.truth()), len(benchmark.truth(pool="none"))) == (6466, 15625)
    assert best == {"cifar10": 94.373, "cifar100": 73.513, "imagenet16-120": 47.311}


def test_a_few_records_of_a_preferred_source_do_not_hide_a_complete_table(shared):
    import_path(shared / "data" / "nats")
    assert load_benchmark("nasbench201", "cifar10").source == "nats-bench"
    import_path(shared / "data" / "nats_bench.csv")
    assert load_benchmark("nasbench201", "cifar10").source == "nats-bench-csv"
    few = load_benchmark("nasbench201", "cifar10", source="nats-bench")
    assert few.has_seeds
    assert few.trials().shape == (3, 3)


def test_truth_that_came_with_pip_is_converted_when_it_is_first_asked_for():
    if source("analog-nasbench").packaged is None:
        pytest.skip("analog-nasbench is not installed")
    benchmark = load_benchmark("nasbench201", "cifar10-analog")
    assert len(benchmark.truth(pool="none")) == 15625
    assert (benchmark.images, benchmark.has_seeds) == ("cifar10", False)
