"""Ground-truth tables: what is allowed, what is refused with one line, what a file keeps."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.core.errors import DataCorruptError, DataMissingError
from benchsuite.data.tables import COLUMNS, load_table, normalise, read_table, table_writer, write_table

ROWS = st.lists(
    st.tuples(
        st.text("abc|~0+", min_size=1, max_size=6),
        st.floats(0, 100),
        st.integers(0, 9),
        st.integers(0, 300),
        st.sampled_from(["train", "valid", "test"]),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda row: (row[0], *row[2:]),
)


def frame_of(rows):
    return pd.DataFrame(rows, columns=list(COLUMNS[:5]))


@given(ROWS)
@settings(max_examples=30)
def test_a_table_reads_back_as_it_was_written(rows):
    table = normalise(frame_of(rows), "rows")
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder) / "truth.parquet", table)
        pd.testing.assert_frame_equal(load_table(Path(folder) / "truth.parquet"), table)
        assert [file.name for file in Path(folder).iterdir()] == ["truth.parquet"]


@given(ROWS, st.sampled_from(["own.csv", "own.csv.gz", "own.parquet"]))
@settings(max_examples=30)
def test_a_users_file_gives_its_own_rows_in_any_format(rows, name):
    rows = [*rows, ("last", 99.5, 0, 0, "test")]  # one above 1 percent, so that they are no fractions
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        frame = frame_of(rows)
        frame.to_parquet(path) if name.endswith("parquet") else frame.to_csv(path, index=False)
        read = read_table(path)
    assert [*read[list(COLUMNS[:5])].itertuples(index=False, name=None)] == rows


def test_missing_columns_get_the_documented_defaults(tmp_path):
    (tmp_path / "own.csv").write_text("accuracy, architecture, params\n90.5, a, 3\n10, b, 4\n")
    table = read_table(tmp_path / "own.csv")
    assert table.drop(columns="loss").to_dict("list") == {
        "architecture": ["a", "b"],
        "accuracy": [90.5, 10.0],
        "trial": [0, 0],
        "epochs": [0, 0],
        "split": ["test", "test"],
    }
    assert table["loss"].isna().all()
    assert [str(table[name].dtype) for name in ("architecture", "split")] == ["category", "category"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("architecture,accurcy\na,90\n", "lacks the column 'accuracy' (is it 'accurcy'"),
        ("arch,accuracy\na,90\n", "lacks the column 'architecture' (is it 'arch'"),
        ("architecture,accuracy,epoch\na,90,12\n", "'epoch'; did you mean 'epochs'"),
        ("architecture,accuracy\na,90\nb,ninety\n", "row 2: accuracy is 'ninety'"),
        ("architecture,accuracy\na,90\nb,\n", "row 2: accuracy is ''"),
        ("architecture,accuracy\na,90\nb,nan\n", "row 2: accuracy is 'nan'"),
        ("architecture,accuracy\na,90\nb,inf\n", "row 2: accuracy is 'inf'"),
        ("architecture,accuracy\na,90\nb,100.5\n", "row 2: accuracy is 100.5; must be 0 to 100"),
        ("architecture,accuracy\na,-1\n", "row 1: accuracy is -1; must be 0 to 100"),
        ("architecture,accuracy\na,0.93\nb,0.1\n", "looks like fractions; give percent"),
        ("architecture,accuracy\n,90\n", "row 1: architecture is ''"),
        (
            "architecture,accuracy,trial\na,90,0\na,91,0\n",
            "row 2: 'a' with trial 0, epochs 0, split 'test' repeats an",
        ),
        ("architecture,accuracy\na,90\na,91\n", "number the trainings of an architecture in a column 'trial'"),
        ("architecture,accuracy,trial\na,90,0.5\n", "row 1: trial is 0.5; must be a non-negative integer"),
        ("architecture,accuracy,epochs\na,90,-3\n", "row 1: epochs is -3; must be a non-negative integer"),
        ("architecture,accuracy\n", "is empty below its header"),
        ("", "is empty"),
        ('architecture,accuracy\n"a,90\n', "not a CSV file"),
    ],
)
def test_a_table_that_is_not_allowed_gets_one_line(text, message, tmp_path):
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(DataCorruptError) as error:
        read_table(tmp_path / "own.csv")
    assert message in str(error.value)
    assert str(error.value).startswith("own.csv")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"architecture,accuracy\na,90\n", b"PAR1" + bytes(100) + b"PAR1"])
def test_a_file_that_is_not_parquet_gets_one_line(content, tmp_path):
    path = tmp_path / "own.parquet"
    path.write_bytes(content)
    with pytest.raises(DataCorruptError, match="not a Parquet file") as error:
        read_table(path)
    assert "\n" not in str(error.value)
    with pytest.raises(DataCorruptError, match="not a Parquet file"):
        load_table(path)


def test_a_truncated_table_gets_one_line(tmp_path):
    path = tmp_path / "truth.parquet"
    write_table(path, normalise(pd.DataFrame({"architecture": ["a"], "accuracy": [90]}), "rows"))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataCorruptError, match="import or fetch it again"):
        load_table(path)


def test_a_parquet_file_with_other_columns_is_no_ground_truth(tmp_path):
    pd.DataFrame({"architecture": ["a"], "score": [1.0]}).to_parquet(tmp_path / "scores.parquet")
    with pytest.raises(DataCorruptError, match="not a ground-truth table"):
        load_table(tmp_path / "scores.parquet")


def test_architectures_that_are_numbers_are_refused(tmp_path):
    pd.DataFrame({"architecture": [17], "accuracy": [90.0]}).to_parquet(tmp_path / "own.parquet")
    with pytest.raises(DataCorruptError, match=r"row 1: architecture is 17; must be a text"):
        read_table(tmp_path / "own.parquet")


def test_another_format_and_no_file_say_what_is_allowed(tmp_path):
    (tmp_path / "own.xlsx").write_bytes(b"PK")
    with pytest.raises(DataCorruptError, match=r"\.csv or \.parquet"):
        read_table(tmp_path / "own.xlsx")
    with pytest.raises(DataMissingError, match="does not exist"):
        read_table(tmp_path / "absent.csv")


def test_a_table_that_breaks_off_leaves_the_old_file(tmp_path):
    path = tmp_path / "truth.parquet"
    old = normalise(pd.DataFrame({"architecture": ["a"], "accuracy": [90]}), "rows")
    write_table(path, old)
    with pytest.raises(KeyboardInterrupt), table_writer(path) as append:  # noqa: PT012 - both happen in one block
        append(old)
        raise KeyboardInterrupt
    pd.testing.assert_frame_equal(load_table(path), old)
    assert [file.name for file in tmp_path.iterdir()] == ["truth.parquet"]


def test_a_part_of_a_table_can_be_read(tmp_path):
    names = [f"cell{number:03d}" for number in range(300)]
    table = normalise(pd.DataFrame({"architecture": names, "accuracy": np.linspace(0, 99, 300)}), "rows")
    with table_writer(tmp_path / "truth.parquet") as append:
        for start in range(0, 300, 100):
            append(table[start : start + 100])
    part = load_table(tmp_path / "truth.parquet", ["cell007", "cell250"])
    assert part["accuracy"].tolist() == table["accuracy"][[7, 250]].tolist()
    for absent in ("cell", "cell0075", "zzz"):  # before all, between two, behind all
        nothing = load_table(tmp_path / "truth.parquet", [absent])
        assert nothing.empty
        assert list(nothing.columns) == list(table.columns)


@pytest.mark.parametrize("losses", [[0.5, np.nan, 0.25, 1.0], [np.nan] * 4])
def test_a_table_written_in_pieces_is_read_as_it_was(tmp_path, losses):
    """Pieces in any order, with categories and losses that some pieces lack."""
    rows = {"architecture": ["d", "b", "a", "d"], "accuracy": [1.5, 2.5, 3.5, 4.5], "trial": [0, 0, 0, 1]}
    table = normalise(pd.DataFrame({**rows, "split": ["test", "test", "valid", "test"], "loss": losses}), "rows")
    with table_writer(tmp_path / "truth.parquet") as append:
        for start in range(4):
            append(table[start : start + 1])
    pd.testing.assert_frame_equal(load_table(tmp_path / "truth.parquet"), table)
