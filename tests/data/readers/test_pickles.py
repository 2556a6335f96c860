"""Pickles of third parties run nothing."""

from __future__ import annotations

import io
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from benchsuite.core.errors import DataCorruptError
from benchsuite.data.readers.pickles import load_pickle


class Runs:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_containers_and_numpy_numbers_are_read_in_every_protocol(protocol):
    content = OrderedDict(accuracy=[93.5, np.float64(0.1), np.int64(7)], names=("a", {"b": None}), flag=np.bool_(True))
    read = load_pickle(pickle.dumps(content, protocol=protocol), origin="file")
    assert read == content
    assert [type(item) for item in read["accuracy"]] == [float, float, int]


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (os.system, ("touch harmed",), f"{os.system.__module__}.system"),
        (eval, ("open('harmed', 'w')",), "builtins.eval"),
        (np.load, ("x",), "numpy.load"),
    ],
)
def test_a_pickle_that_would_run_something_is_refused_by_name(function, arguments, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataCorruptError, match=named) as error:
        load_pickle(pickle.dumps({"accuracy": Runs(function, *arguments)}), origin="file.pickle")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("length", [0, 1, 20, 60])
def test_a_truncated_pickle_gets_one_line(length):
    whole = pickle.dumps({"accuracy": list(range(100)), "names": ["x"] * 10})
    with pytest.raises(DataCorruptError, match="record is truncated or not a pickle") as error:
        load_pickle(io.BytesIO(whole[:length]), origin="record")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"architecture,accuracy\n", b"\x80\x05\xff\xff", b"PAR1" * 9, b"\x80\x04}(.."])
def test_bytes_that_are_no_pickle_get_one_line(content):
    with pytest.raises(DataCorruptError, match="truncated or not a pickle"):
        load_pickle(content, origin="record")


def test_a_numpy_scalar_of_objects_is_refused():
    kind = np.dtype("O")
    hidden = Runs(np.float64(0).__reduce__()[0], kind, b"\x00" * 8)
    with pytest.raises(DataCorruptError):
        load_pickle(pickle.dumps(hidden), origin="record")


def test_a_stand_in_takes_the_place_of_a_class():
    class Point:
        pass

    stream = b"\x80\x04\x8c\x05there\x8c\x05Point\x93."
    assert load_pickle(stream, {("there", "Point"): Point}, origin="record") is Point
