"""Official archives of NAS-Bench-201 and NATS-Bench read to the published values, or are refused with one line."""

from __future__ import annotations

import bz2
import pickle
import shutil

import pandas as pd
import pytest

from benchsuite.core.errors import DataCorruptError
from benchsuite.data.readers import analog, nasbench201_archive, nats_bench, nats_csv
from benchsuite.data.sources import source

DATASETS = {"c10": "nasbench201/cifar10", "c100": "nasbench201/cifar100", "in16": "nasbench201/imagenet16-120"}
OFFICIAL = {"c10": "cifar10", "c100": "cifar100", "in16": "ImageNet16-120"}


def tables(pieces, kind="table"):
    """All rows by benchmark."""
    rows = {}
    for piece in pieces:
        if piece.kind == kind:
            rows.setdefault(piece.benchmark, []).append(piece.rows.astype({"architecture": str, "split": str}))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in rows.items()}


def values(table, architecture, epochs, split):
    chosen = table[(table.architecture == architecture) & (table.epochs == epochs) & (table.split == split)]
    return chosen.sort_values("trial").accuracy.tolist()


@pytest.fixture(scope="module")
def real(shared):
    return tables(nats_bench.read(shared / "data" / "nats"))


@pytest.fixture(scope="module")
def published(shared):
    return pd.read_parquet(shared / "data" / "nasbench201.parquet").set_index("index").loc[[0, 11, 284]]


@pytest.mark.parametrize("short", DATASETS)
def test_real_records_read_to_the_published_accuracies(real, published, short):
    table = real[DATASETS[short]]
    for row in published.itertuples():
        found = values(table, row.architecture, 200, "test")
        known = [getattr(row, f"{short}_test200_v{number}") for number in (1, 2, 3)]
        assert sum(found) / 3 == pytest.approx(getattr(row, f"{short}_test200_mean"), abs=1e-6)
        if known[0] == known[0]:  # not stored for one of them
            assert sorted(found) == pytest.approx(known, abs=1e-6)
        assert values(table, row.architecture, 12, "test") == pytest.approx([getattr(row, f"{short}_test12")], abs=1e-6)


def test_real_records_read_to_the_published_validation_accuracies(real, published):
    for row in published.itertuples():
        half = real["nasbench201/cifar10"]
        assert pd.Series(values(half, row.architecture, 200, "valid")).mean() == pytest.approx(
            row.c10valid_val200_mean, abs=1e-6
        )
        assert pd.Series(values(half, row.architecture, 200, "test-25k")).mean() == pytest.approx(
            row.c10valid_test200_mean, abs=1e-6
        )
        assert pd.Series(values(half, row.architecture, 12, "valid")).mean() == pytest.approx(
            row.c10valid_val12_mean, abs=1e-6
        )
        for short in ("c100", "in16"):
            known = getattr(row, f"{short}_val12")
            assert values(real[DATASETS[short]], row.architecture, 12, "valid") == pytest.approx([known], abs=1e-6)


def test_real_records_equal_the_published_csv(real, shared):
    csv = tables(nats_csv.read(shared / "data" / "nats_bench.csv"))
    for name, table in real.items():
        final = table[(table.epochs == 200) & (table.split == "test")].groupby("architecture").accuracy.mean()
        known = csv[name].set_index("architecture").accuracy[final.index]
        assert final.tolist() == pytest.approx(known.tolist(), abs=1e-9)


def test_curves_of_real_records_hold_every_epoch_of_training(shared):
    curves = tables(nats_bench.read(shared / "data" / "nats"), kind="curve")
    for table in curves.values():
        train = table[table.split == "train"].groupby(["architecture", "trial"])
        assert set(train.epochs.count()) == {200}
        assert (train.loss.sum() / 200).between(0, 4.8).all()
    cell = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    last = curves["nasbench201/cifar10"].query("trial == 777 and split == 'test'")
    assert last[(last.epochs == 200) & (last.architecture == cell)].accuracy.tolist() == [85.62]


def test_best_published_accuracies_are_found(shared):
    found = tables(nats_csv.read(shared / "data" / "nats_bench.csv"))
    best = {short: round(float(found[name].accuracy.max()), 3) for short, name in DATASETS.items()}
    assert best == {"c10": 94.373, "c100": 73.513, "in16": 47.311}
    assert {len(table) for table in found.values()} == {15625}


def test_the_archive_reads_as_the_official_package_understands_it(archive, save_archive):
    api = pytest.importorskip("nas_201_api").NASBench201API(archive, verbose=False)
    found = tables(nasbench201_archive.read(save_archive(archive)))
    for short, name in DATASETS.items():
        for index, architecture in ((0, api[0]), (2, api[2])):
            for epochs, seeds in ((12, [111]), (200, [777, 888])):
                official = [
                    api.get_more_info(index, OFFICIAL[short], hp=str(epochs), is_random=seed)["test-accuracy"]
                    for seed in seeds
                ]
                assert values(found[name], architecture, epochs, "test") == official
            half = api.get_more_info(index, "cifar10-valid", hp="200", is_random=888)["valid-accuracy"]
            assert values(found["nasbench201/cifar10"], architecture, 200, "valid")[1] == half


def test_both_official_formats_give_the_same_rows(archive, save_archive, nats_folder):
    for kind in ("table", "curve"):
        one, other = (
            tables(nasbench201_archive.read(save_archive(archive)), kind),
            tables(nats_bench.read(nats_folder), kind),
        )
        assert set(one) == set(DATASETS.values())
        for name, table in one.items():
            pd.testing.assert_frame_equal(table, other[name])


def test_flattened_file_names_are_read_too(nats_folder):
    expected = tables(nats_bench.read(nats_folder))
    for file in list(nats_folder.iterdir()):
        file.rename(nats_folder / f"NATS-tss-v1_0-3ffb9-simple_{file.name}")
    for name, table in tables(nats_bench.read(nats_folder)).items():
        pd.testing.assert_frame_equal(table, expected[name])


def refused(reader, path, message):
    with pytest.raises(DataCorruptError, match=message) as error:
        list(reader.read(path))
    assert "\n" not in str(error.value)


def test_a_malicious_archive_runs_nothing(save_archive, malicious, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(nasbench201_archive, save_archive({"meta_archs": [], "arch2infos": malicious}), "foreign or malicious")
    assert not (tmp_path / "harmed").exists()


def test_a_truncated_archive_is_refused_by_the_digits_in_its_name(archive, save_archive):
    path = save_archive(archive)
    path.write_bytes(path.read_bytes()[:-1000])
    refused(nasbench201_archive, path, "not ending in .*truncated or foreign")


def test_a_renamed_or_foreign_archive_is_refused(archive, save_archive, tmp_path):
    renamed = shutil.copy(save_archive(archive), tmp_path / "archive.pth")
    refused(nasbench201_archive, renamed, "was renamed")
    refused(nasbench201_archive, save_archive({"state_dict": {}}), "lacks meta_archs, so it is not")
    refused(nasbench201_archive, save_archive([1, 2]), "is not a NAS-Bench-201 archive")
    broken = {**archive, "arch2infos": {0: {"less": {}, "full": {}}}}
    refused(nasbench201_archive, save_archive(broken), "results of another architecture at 0")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw[: len(raw) // 2], "truncated or not a pickle"),
        (lambda raw: b"no bzip2", "truncated or not a pickle"),
        (lambda raw: bz2.compress(pickle.dumps([1, 2])), "not a NATS-Bench record"),
        (lambda raw: bz2.compress(pickle.dumps({"12": {"arch_str": "|none~0|"}})), "but the meta file says"),
    ],
)
def test_a_broken_record_is_refused_by_name(nats_folder, change, message):
    file = nats_folder / "000002.pickle.pbz2"
    file.write_bytes(change(file.read_bytes()))
    refused(nats_bench, nats_folder, message)


def test_a_malicious_record_runs_nothing(nats_folder, malicious, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (nats_folder / "000000.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps({"12": malicious})))
    refused(nats_bench, nats_folder, r"000000.pickle.pbz2 asks for \w+.system")
    assert not (tmp_path / "harmed").exists()


def test_a_directory_without_meta_or_with_foreign_records_is_refused(nats_folder):
    shutil.copy(nats_folder / "000000.pickle.pbz2", nats_folder / "000777.pickle.pbz2")
    refused(nats_bench, nats_folder, "a record 777, but its meta file names 3")
    (nats_folder / "meta.pickle.pbz2").unlink()
    refused(nats_bench, nats_folder, "has 0 files meta.pickle.pbz2")


def test_a_csv_of_something_else_is_refused(tmp_path):
    (tmp_path / "nats_bench.csv").write_text("architecture,accuracy\na,90\n")
    refused(nats_csv, tmp_path / "nats_bench.csv", "not the published nats_bench.csv")


def test_the_analog_package_holds_an_independent_training_of_every_cell(shared):
    packaged = source("analog-nasbench").packaged
    if packaged is None:
        pytest.skip("analog-nasbench is not installed")
    found = tables(analog.read(packaged))["nasbench201/cifar10-analog"].set_index("architecture").accuracy
    known = tables(nats_csv.read(shared / "data" / "nats_bench.csv"))["nasbench201/cifar10"]
    known = known.set_index("architecture").accuracy[found.index]
    assert len(found) == 15625
    assert found.corr(known, method="spearman") == pytest.approx(0.991, abs=5e-4)
    assert (found - known).abs().mean() == pytest.approx(0.39, abs=5e-3)


def test_a_foreign_analog_file_is_refused(tmp_path):
    (tmp_path / "data.anb").write_bytes(pickle.dumps({(0, 1, 2, 3, 4, 9): 1.0}))
    refused(analog, tmp_path / "data.anb", "not the data file of analog-nasbench")
