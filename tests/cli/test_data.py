"""`benchsuite data` lists, fetches and imports, and says in one line what is wrong."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from benchsuite.benchmark import load_benchmark
from benchsuite.cli.app import app
from benchsuite.core.errors import DataCorruptError, DataMissingError, UnknownNameError
from benchsuite.data.images.minibatches import describe_images

CELL = "|skip_connect~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


def invoke(*arguments, code=0):
    result = CliRunner().invoke(app, ["data", *map(str, arguments)])
    if code is None:
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def test_the_list_names_every_source_with_its_licence_and_command():
    text = invoke("list")
    for name in ("nats-bench-csv", "nas-bench-201", "analog-nasbench", "cifar10-python", "imagenet16-120"):
        assert name in text
    assert [line.split()[-1] for line in text.splitlines() if line.startswith("nats-bench-csv")] == ["fetch"]
    assert [line.split()[-2:] for line in text.splitlines() if line.startswith("nats-bench ")] == [["MIT", "import"]]


def test_the_official_csv_is_fetched_from_a_folder(shared, own_data_folder):
    text = invoke("fetch", "nasbench201/cifar10", "--from", shared / "data")
    assert "15,625 architectures" in text
    assert (own_data_folder / "truth" / "nasbench201-cifar10" / "nats-bench-csv.parquet").is_file()


def test_official_records_are_imported(shared):
    assert "nasbench201-imagenet16-120/nats-bench.parquet: 3 architectures" in invoke(
        "import", shared / "data" / "nats"
    )


def test_a_table_of_the_users_own_is_imported(tmp_path, own_data_folder):
    (tmp_path / "own.csv").write_text(f"architecture,accuracy\n{CELL},90\n")
    invoke("import", tmp_path / "own.csv", "--benchmark", "nasbench201/cifar10")
    assert (own_data_folder / "truth" / "nasbench201-cifar10" / "own.parquet").is_file()


def test_what_is_wrong_is_raised_for_the_command_line_to_print(tmp_path):
    (tmp_path / "own.csv").write_text("architecture,accuracy\nresnet50,90\n")
    with pytest.raises(DataCorruptError, match="not of the space"):
        invoke("import", tmp_path / "own.csv", "--benchmark", "nasbench201/cifar10", code=None)
    with pytest.raises(UnknownNameError, match="no data source named 'cifar11'"):
        invoke("fetch", "cifar11", code=None)
    with pytest.raises(DataMissingError, match="does not exist"):
        invoke("import", tmp_path / "absent", code=None)
    assert "not both" in invoke("import", tmp_path / "own.csv", "--benchmark", "a/b", "--source", "c", code=2)


@pytest.mark.parametrize("command", ["list", "fetch", "import"])
def test_help_teaches_by_example(command):
    assert f"benchsuite data {command}" in invoke(command, "--help")


def test_a_copy_that_is_not_quite_official_says_so_in_captions(tmp_path):
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for name in (*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"):
        (folder / name).write_bytes(bytes([3]) + bytes(3072))
    invoke("import", folder, "--title", "CIFAR-10 images after JPEG compression")
    assert describe_images("cifar10") == "CIFAR-10 images after JPEG compression"
    invoke("import", folder)
    assert describe_images("cifar10") == "CIFAR-10 images, binary layout"


def test_a_table_goes_by_the_title_that_it_is_given(tmp_path):
    (tmp_path / "mine.csv").write_text(f"architecture,accuracy\n{CELL},90.5\n")
    invoke("import", tmp_path / "mine.csv", "--benchmark", "nasbench201/cifar10", "--title", "My trainings")
    assert load_benchmark("nasbench201", "cifar10").card["title"] == "My trainings"
