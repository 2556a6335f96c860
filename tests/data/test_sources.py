"""Sources are fetched from a local server or a folder, imported by what they are, and converted once."""

from __future__ import annotations

import bz2
import dataclasses
import hashlib
import io
import pickle
import tarfile
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchsuite.core.errors import DataCorruptError, DataMissingError, UnknownNameError
from benchsuite.data import sources
from benchsuite.data.cards import read_card
from benchsuite.data.home import shipped
from benchsuite.data.sources import curve_file, fetch, import_path, truth_file
from benchsuite.data.tables import load_table

LONG = b"(0)@nor_conv_3x3+" * 2000
CSV = (
    b"CIFAR10TestAccuracy200Epochs,CIFAR100TestAccuracy200Epochs,ImageNetTestAccuracy200Epochs,ArchitectureString,"
    b"UniqueString\n"
    b"90.5,70.5,40.5,|skip_connect~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|," + LONG + b"\n"
    b"10,1,0.83,|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|," + LONG + b"\n"
)
BINARY = {f"data_batch_{number}.bin": bytes([number]) * 3073 for number in range(1, 6)} | {
    "test_batch.bin": b"t" * 3073
}


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def tar_of(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


ARCHIVE = tar_of({f"cifar-10-batches-bin/{name}": content for name, content in BINARY.items()})


@pytest.fixture(autouse=True)
def declared(web, monkeypatch):
    """The declared sources, with small files on the local server in place of two of them."""
    small = {"nats-bench-csv": CSV, "cifar10-binary": ARCHIVE}
    changed = {item.name: item for item in sources.sources()}
    for name, content in small.items():
        file = changed[name].file
        web.files[f"/{file}"] = content
        changed[name] = dataclasses.replace(changed[name], url=f"{web.address}/{file}", digest=sha256(content))
    monkeypatch.setattr(sources, "sources", lambda: tuple(changed.values()))


def left_in(home):
    """Files of data; those of locks stay and are empty."""
    return [path for path in home.rglob("*") if path.is_file() and path.parent.name != "locks"]


def one_line(error):
    assert "\n" not in str(error.value)


def test_every_declared_source_has_what_its_kind_needs():
    for item in tomllib.loads(shipped("data", "sources.toml").read_text())["source"]:
        assert item["licence"]
        assert item["page"].startswith(("https://", "PyPI, package "))
        if "url" in item:
            assert item["digest"].startswith("sha256:")
            assert len(item["digest"]) == 71
            assert item["bytes"] > 0


def test_the_declared_csv_is_the_published_one(shared):
    entries = {item["name"]: item for item in tomllib.loads(shipped("data", "sources.toml").read_text())["source"]}
    content = (shared / "data" / "nats_bench.csv").read_bytes()
    assert entries["nats-bench-csv"]["digest"] == sha256(content)
    assert entries["nats-bench-csv"]["bytes"] == len(content)


def test_a_fetched_table_is_converted_once_and_its_download_is_not_kept(web, own_data_folder):
    places = fetch("nasbench201/cifar10")
    assert places == [
        truth_file(f"nasbench201/{name}", "nats-bench-csv") for name in ("cifar10", "cifar100", "imagenet16-120")
    ]
    assert load_table(places[0])["accuracy"].tolist() == [10.0, 90.5]
    assert read_card(places[0])["architectures"] == 2
    assert not list((own_data_folder / "downloads").iterdir())
    assert fetch("nats-bench-csv") == places
    assert len(web.ranges) == 1


def test_of_two_that_fetch_at_once_one_downloads_and_the_other_waits_for_it(web):
    together = threading.Barrier(2)

    def bring(_):
        together.wait()
        return fetch("nats-bench-csv")

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(bring, range(2))
    assert first == second
    assert len(web.ranges) == 1


def test_a_broken_download_continues_where_it_stopped(web, own_data_folder):
    web.breaks_after = 40_000
    with pytest.raises(DataMissingError, match="bytes are kept: run the same command again") as error:
        fetch("nats-bench-csv")
    one_line(error)
    kept = (own_data_folder / "downloads" / "nats_bench.csv.partial").stat().st_size
    assert 20_000 < kept <= 40_000
    web.breaks_after = None
    seen = []
    fetch("nats-bench-csv", progress=lambda done, total: seen.append((done, total)))
    assert web.ranges == [None, f"bytes={kept}-"]
    assert kept < seen[0][0] <= len(CSV)
    assert (len(CSV), len(CSV)) in seen


def test_a_download_that_was_whole_but_not_checked_is_not_brought_again(web, own_data_folder):
    (own_data_folder / "downloads").mkdir(parents=True)
    (own_data_folder / "downloads" / "nats_bench.csv.partial").write_bytes(CSV)
    assert load_table(fetch("nats-bench-csv")[0])["accuracy"].tolist() == [10.0, 90.5]
    assert web.ranges == [f"bytes={len(CSV)}-"]


def test_a_download_with_another_digest_is_not_kept(web, own_data_folder):
    web.files["/nats_bench.csv"] = CSV.replace(b"90.5", b"99.9")
    with pytest.raises(DataCorruptError, match=r"digest is not sha256:.*was not kept") as error:
        fetch("nats-bench-csv")
    one_line(error)
    assert not left_in(own_data_folder)


def test_a_server_without_the_file_or_none_at_all_gets_one_line(web, monkeypatch):
    del web.files["/nats_bench.csv"]
    with pytest.raises(DataMissingError, match="could not be downloaded") as error:
        fetch("nats-bench-csv")
    one_line(error)
    gone = dataclasses.replace(sources.source("nats-bench-csv"), url="http://127.0.0.1:9/nats_bench.csv")
    monkeypatch.setattr(sources, "sources", lambda: (gone,))
    with pytest.raises(DataMissingError, match="could not be downloaded") as error:
        fetch("nats-bench-csv")
    one_line(error)


def test_a_file_from_a_folder_needs_no_network_but_the_digest(web, tmp_path):
    with pytest.raises(DataMissingError, match=r"does not contain nats_bench\.csv"):
        fetch("nats-bench-csv", folder=tmp_path)
    (tmp_path / "nats_bench.csv").write_bytes(CSV[:-5])
    with pytest.raises(DataCorruptError, match=r"nats_bench\.csv has sha256 .*expected") as error:
        fetch("nats-bench-csv", folder=tmp_path)
    one_line(error)
    (tmp_path / "nats_bench.csv").write_bytes(CSV)
    assert fetch("nats-bench-csv", folder=tmp_path)[0].is_file()
    assert not web.ranges


def test_what_cannot_be_downloaded_says_how_to_import_it():
    with pytest.raises(DataMissingError, match=r"benchsuite data import PATH .*https://github\.com/D-X-Y/NATS-Bench"):
        fetch("nats-bench")
    with pytest.raises(UnknownNameError, match="Did you mean 'nats-bench-csv'"):
        fetch("natsbench-csv")


def test_images_are_unpacked_into_their_official_folder(own_data_folder):
    (place,) = fetch("cifar10-binary")
    assert place == own_data_folder / "images" / "cifar10" / "cifar-10-batches-bin"
    assert {file.name: file.read_bytes() for file in place.iterdir()} == BINARY
    assert [item.name for item in place.parent.iterdir()] == [place.name]


@pytest.mark.parametrize("nested", [False, True])
def test_a_folder_of_images_is_recognised_by_its_files(nested, tmp_path, own_data_folder):
    folder = tmp_path / "given" / "cifar-10-batches-bin" if nested else tmp_path / "given"
    folder.mkdir(parents=True)
    for name, content in BINARY.items():
        (folder / name).write_bytes(content)
    (place,) = import_path(tmp_path / "given")
    assert place == own_data_folder / "images" / "cifar10" / "cifar-10-batches-bin"
    assert {file.name: file.read_bytes() for file in place.iterdir()} == BINARY


def test_an_archive_that_is_truncated_is_refused_by_its_digest(tmp_path):
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(ARCHIVE[:-50])
    with pytest.raises(DataCorruptError, match="has sha256"):
        import_path(tmp_path / "cifar-10-binary.tar.gz")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tar_of({"ImageNet16/val_data": b"x"}), "does not contain all of train_data_batch_1"),
        (tar_of({"../outside": b"x"}), "truncated or not an archive"),
        (tar_of({"ImageNet16/val_data": bytes(range(256)) * 200})[:300], "truncated or not an archive"),
        (b"no archive", "truncated or not an archive"),
    ],
)
def test_a_bad_archive_without_a_digest_gets_one_line_and_leaves_nothing(content, message, tmp_path, own_data_folder):
    (tmp_path / "ImageNet16.tar.gz").write_bytes(content)
    with pytest.raises(DataCorruptError, match=message) as error:
        import_path(tmp_path / "ImageNet16.tar.gz")
    one_line(error)
    assert not left_in(own_data_folder)
    assert not (tmp_path / "outside").exists()


def test_official_results_are_recognised_and_converted_with_their_curves(nats_folder, archive, save_archive):
    for path, name in ((nats_folder, "nats-bench"), (save_archive(archive), "nas-bench-201")):
        places = import_path(path)
        assert places == [truth_file(f"nasbench201/{data}", name) for data in ("cifar10", "cifar100", "imagenet16-120")]
        assert set(load_table(places[0])["epochs"]) == {12, 200}
        curve = load_table(curve_file(places[0]))
        assert set(curve["epochs"]) == set(range(1, 201))
        assert curve["architecture"].astype(str).is_monotonic_increasing
        assert read_card(places[0])["architectures"] == 2


def test_a_broken_record_leaves_no_table(nats_folder, own_data_folder):
    (nats_folder / "000000.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps({})))
    with pytest.raises(DataCorruptError):
        import_path(nats_folder)
    assert not left_in(own_data_folder)


def test_what_is_not_recognised_says_what_is_allowed(tmp_path):
    (tmp_path / "results.bin").write_bytes(b"?")
    (tmp_path / "own.csv").write_text("architecture,accuracy\n")
    with pytest.raises(DataCorruptError, match=r"give one of .*nats_bench\.csv.*cifar-10-python\.tar\.gz") as error:
        import_path(tmp_path / "results.bin")
    one_line(error)
    with pytest.raises(DataCorruptError, match="--benchmark SPACE/DATASET"):
        import_path(tmp_path / "own.csv")
    with pytest.raises(DataMissingError, match="does not exist"):
        import_path(tmp_path / "absent")
    with pytest.raises(DataCorruptError, match="which nats-bench needs"):
        import_path(tmp_path / "own.csv", name="nats-bench")


def test_the_package_is_read_without_being_imported(own_data_folder):
    import sys

    if sources.source("analog-nasbench").packaged is None:
        pytest.skip("analog-nasbench is not installed")
    (place,) = fetch("nasbench201/cifar10-analog")
    assert len(load_table(place)) == 15625
    assert "analognasbench" not in sys.modules


def test_a_package_file_with_another_digest_is_not_read(tmp_path, monkeypatch):
    package = tmp_path / "analognasbench"
    package.mkdir()
    (package / "data.anb").write_bytes(b"changed")
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DataCorruptError, match=r"data\.anb has sha256"):
        fetch("analog-nasbench")
