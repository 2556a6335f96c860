"""Files in the official NAS-Bench-101 format, written here byte by byte, read to what was written or are refused.

The official files are not on the machines that test; the format is that of google-research/nasbench (api.py,
model_metrics.proto) and of TensorFlow's record files.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import struct
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.core.errors import DataCorruptError
from benchsuite.data import sources
from benchsuite.data.readers import nasbench101_records
from benchsuite.data.readers.protobuf import fields
from benchsuite.data.readers.tfrecord import records
from benchsuite.data.sources import import_path, source
from benchsuite.data.tables import load_table, table_writer
from benchsuite.spaces.nasbench101.space import NASBench101
from benchsuite.spaces.nasbench101.strings import parse

OFFICIAL = {"conv3x3": "conv3x3-bn-relu", "conv1x1": "conv1x1-bn-relu", "maxpool3x3": "maxpool3x3"}
DIAMOND = "conv3x3,maxpool3x3:0-1,0-2,1-3,2-3"
EMPTY = ":0-1"
LARGE = "conv3x3,maxpool3x3,conv3x3,conv3x3,conv1x1:0-1,0-4,0-5,1-2,2-3,2-6,3-5,4-5,5-6"


# An independent writer


def crc32c(data):
    """Bit by bit, from the definition (RFC 3720)."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def framed(data):
    def masked(part):
        crc = crc32c(part)
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def varint(number):
    groups = [number >> shift & 0x7F for shift in range(0, max(1, number.bit_length()), 7)]
    return bytes([*[group | 0x80 for group in groups[:-1]], groups[-1]])


def evaluation(epoch, accuracies, path=b""):
    values = (epoch, 31.25 * epoch, *accuracies)
    message = b"".join(bytes([number << 3 | 1]) + struct.pack("<d", value) for number, value in enumerate(values, 1))
    return message + (b"\x32" + varint(len(path)) + path if path else b"")


def metrics(epochs, start, halfway, end, path=b""):
    parts = [evaluation(epochs * share, each, path) for share, each in ((0, start), (0.5, halfway), (1, end))]
    message = b"".join(b"\x0a" + varint(len(part)) + part for part in parts)
    return message + b"\x10" + varint(8_555_530) + b"\x19" + struct.pack("<d", 1769.0)


def official(architecture):
    """The adjacency text and the operations text of the official file."""
    matrix, operations = parse(architecture)
    names = ["input", *[OFFICIAL[operation] for operation in operations], "output"]
    return "".join(str(entry) for row in matrix for entry in row), ",".join(names)


def result(architecture, epochs, valid, test, *, path=b""):
    """One record: accuracies from 0 to 1 at the end; those before are ten and twenty percent."""
    end = (0.99, float(np.float32(valid)), float(np.float32(test)))
    text = base64.encodebytes(metrics(epochs, (0.1,) * 3, (0.2,) * 3, end, path)).decode()  # with line ends
    name = f"{crc32c(architecture.encode()):032x}"
    return json.dumps([name, epochs, *official(architecture), text]).encode()


@pytest.fixture
def save(tmp_path):
    """A function that saves records as an official file."""

    def written(*contents):
        path = tmp_path / "nasbench_full.tfrecord"
        path.write_bytes(b"".join(map(framed, contents)))
        return path

    return written


def table(path):
    pieces = list(nasbench101_records.read(path))
    assert {(piece.benchmark, piece.kind) for piece in pieces} == {("nasbench101/cifar10", "table")}
    return pd.concat([piece.rows.astype({"architecture": str, "split": str}) for piece in pieces], ignore_index=True)


def reason(path):
    """The one line with which a file is refused."""
    with pytest.raises(DataCorruptError) as caught:
        list(nasbench101_records.read(path))
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)
    return str(caught.value)


# What is read


@pytest.mark.parametrize("path", [b"", b"/path/to/" + b"a" * 200 + b"/model.ckpt-1"])
def test_accuracies_at_the_end_become_percent_by_trial_epochs_and_split(save, path):
    contents = [
        result(module, epochs, 0.5 + trial / 8 + epochs / 1024, 0.25 + trial / 8 + place / 64, path=path)
        for trial in range(3)
        for place, module in enumerate((LARGE, EMPTY, DIAMOND))
        for epochs in (108, 4)
    ]
    rows = table(save(*contents)).set_index(["architecture", "trial", "epochs", "split"]).accuracy
    assert len(rows) == 3 * 3 * 2 * 2
    for trial in range(3):
        for place, module in enumerate((LARGE, EMPTY, DIAMOND)):
            for epochs in (108, 4):
                assert rows[module, trial, epochs, "valid"] == 100 * (0.5 + trial / 8 + epochs / 1024)
                assert rows[module, trial, epochs, "test"] == 100 * (0.25 + trial / 8 + place / 64)


def test_single_precision_accuracies_are_read_exactly(save):
    accuracy = float(np.float32(9299 / 9984))
    rows = table(save(result(DIAMOND, 108, accuracy, accuracy)))
    assert rows.accuracy.tolist() == [100 * accuracy] * 2


def test_pieces_come_in_the_order_of_the_strings_and_do_not_overlap(save, monkeypatch, tmp_path):
    monkeypatch.setattr(nasbench101_records, "_AT_ONCE", 7)
    modules = [
        f"{','.join(ops)}:0-1,1-2,2-3,3-4" for ops in np.array(np.meshgrid(*[list(OFFICIAL)] * 3)).T.reshape(-1, 3)
    ]
    path = save(*[result(module, 108, 0.5, 0.25) for module in modules for _ in range(3)])
    pieces = list(nasbench101_records.read(path))
    order = [name for piece in pieces for name in piece.rows.architecture.astype(str).unique()]
    assert [piece.rows.architecture.nunique() for piece in pieces] == [7, 7, 7, 6]
    assert order == sorted(modules)
    with table_writer(tmp_path / "table.parquet") as append:
        for piece in pieces:
            append(piece.rows)
    assert len(load_table(tmp_path / "table.parquet", [modules[3]])) == 6


def test_the_strings_are_those_of_the_space():
    space = NASBench101()
    listed = space.architectures()
    for position in range(0, len(listed), 20_011):
        written = nasbench101_records.architecture(*official(listed[position]))
        assert written == listed[position] == space.canonical(written)


def test_strings_of_the_published_sample_are_canonical(shared):
    published = pd.read_parquet(shared / "data" / "nasbench101_30k.parquet")
    space = NASBench101()
    for row in published.iloc[::300].itertuples():
        operations = f"input,{row.ops},output" if row.ops else "input,output"
        architecture = nasbench101_records.architecture(row.adjacency, operations)
        assert space.canonical(architecture) == architecture
        assert space.module_hash(architecture) == row.module_hash


def test_reading_tells_its_progress_in_bytes(save):
    seen = []
    path = save(result(DIAMOND, 108, 0.5, 0.5))
    list(nasbench101_records.read(path, lambda done, total: seen.append((done, total))))
    assert seen == [(path.stat().st_size,) * 2]


def test_the_declared_sources_are_read_by_this_reader():
    for name in ("nasbench101-full", "nasbench101-only108"):
        declared = source(name)
        assert (declared.reader, declared.provides) == ("nasbench101_records", ("nasbench101/cifar10",))
        assert declared.url.endswith(declared.file)
        assert len(declared.digest) == len("sha256:") + 64


# What is refused


@pytest.fixture
def good(save):
    return save(*[result(DIAMOND, 108, 0.5, 0.5)] * 3)


def test_a_truncated_file_is_refused(good):
    content = good.read_bytes()
    one = len(content) // 3
    for cut in (1, 4, one - 12, one - 1, one + 5):
        good.write_bytes(content[:-cut])
        assert f"truncated in record {3 - cut // one}" in reason(good)


@pytest.mark.parametrize(("place", "meaning"), [(3, "length"), (9, "its checksum"), (40, "data"), (-1, "its checksum")])
@pytest.mark.parametrize("record", [0, 2])
def test_a_changed_bit_is_found_before_anything_is_read(good, place, meaning, record, monkeypatch):
    content = bytearray(good.read_bytes())
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    declared = dataclasses.replace(source("nasbench101-full"), digest=digest)
    monkeypatch.setattr(sources, "sources", lambda: (declared,))
    one = len(content) // 3
    content[record * one + place % one] ^= 4
    good.write_bytes(content)
    with pytest.raises(DataCorruptError, match=r"nasbench_full\.tfrecord has sha256"):
        import_path(good)
    assert not declared.ready
    content[record * one + place % one] ^= 4
    good.write_bytes(content)
    (place_of_table,) = import_path(good)
    assert load_table(place_of_table)["accuracy"].tolist() == [50.0] * 6


def test_a_foreign_file_is_refused(good):
    good.write_bytes(b"PK\x03\x04" + bytes(500))
    assert "truncated in record 1, or not a TFRecord file" in reason(good)
    good.write_bytes(b"{}")
    assert "truncated in record 1" in reason(good)
    good.write_bytes(b"")
    assert "is empty" in reason(good)


def changed(place, value):
    record = json.loads(result(DIAMOND, 108, 0.5, 0.5))
    record[place] = value
    return json.dumps(record).encode()


def encoded(message):
    return base64.b64encode(message).decode()


@pytest.mark.parametrize(
    "foreign",
    [
        b"image bytes \xff",
        b"{}",
        b'["three", 108, "01"]',
        b"[" * 100_000,
        changed(1, "108"),
        changed(1, -4),
        changed(1, 1 << 40),
        changed(2, "0110000100010000"[:-1]),
        changed(2, "0110100100010000"),
        changed(2, "0" * 16),
        changed(2, 110),
        changed(3, "input,conv5x5-bn-relu,maxpool3x3,output"),
        changed(3, "conv3x3-bn-relu,input,maxpool3x3,output"),
        changed(3, "input"),
        changed(4, "#"),
        changed(4, None),
        changed(4, encoded(b"")),
        changed(4, encoded(metrics(4, (0.1,) * 3, (0.2,) * 3, (0.5,) * 3)[:-5])),
        changed(4, encoded(metrics(4, (0.1,) * 3, (0.2,) * 3, (0.5,)))),
        changed(4, encoded(b"\x0b" * 40)),
    ],
)
def test_a_foreign_record_is_refused_by_its_number(save, foreign):
    assert "record 2 is not a NAS-Bench-101 result" in reason(save(result(DIAMOND, 108, 0.5, 0.5), foreign))


@pytest.mark.parametrize("accuracy", [1.5, -0.25, float("nan")])
def test_an_accuracy_that_is_no_share_is_refused(save, accuracy):
    assert "accuracy" in reason(save(result(DIAMOND, 108, accuracy, 0.5)))


# Frames and protocol buffers


@given(st.lists(st.binary(max_size=60), max_size=10), st.integers(2, 64))
def test_records_are_what_was_framed_however_the_file_is_read(tmp_path_factory, contents, at_once):
    path = tmp_path_factory.mktemp("records") / "any.tfrecord"
    path.write_bytes(b"".join(map(framed, contents)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchsuite.data.readers.tfrecord._STEP", at_once)
        assert list(records(path)) == contents


@given(st.integers(0, 2**64 - 1), st.floats(), st.floats(width=32), st.binary(max_size=300))
def test_fields_of_every_wire_type_are_read(number, double, single, text):
    message = b"\x08" + varint(number) + b"\x11" + struct.pack("<d", double) + b"\x9d\x7d" + struct.pack("<f", single)
    found = dict(fields(message + b"\x22" + varint(len(text)) + text))
    assert (found[1], found[4]) == (number, text)
    np.testing.assert_array_equal([found[2], found[0x7D << 4 | 3]], [double, single])


@given(st.binary(max_size=40))
def test_bytes_that_are_no_message_raise_nothing_but_value_errors(data):
    with suppress(ValueError):
        list(fields(data))
