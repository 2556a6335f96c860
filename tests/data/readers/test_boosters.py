"""Pickled boosters are opened as their libraries would open them, and nothing else in a pickle is.

old_boosters.json was written by the libraries of 2020, when the surrogates of NAS-Bench-301 were published, and by
xgboost 1.7: tiny boosters fitted to `rows()`, pickled, with those libraries' own predictions.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest

from benchsuite.core.errors import DataCorruptError, DataMissingError
from benchsuite.data.readers.boosters import load_booster

xgboost = pytest.importorskip("xgboost", reason="boosters are needs xgboost, which is not installed")
lightgbm = pytest.importorskip("lightgbm", reason="boosters are read by lightgbm, which is not installed")
OLD = json.loads((Path(__file__).parent / "old_boosters.json").read_text())


def rows():
    return np.array([[(7 * r + c * c + r * c) % 8 - 1 for c in range(56)] for r in range(60)], dtype=float)


def targets():
    values = rows()
    return 90 + 0.3 * values[:, 3] + 0.1 * values[:, 10] + 0.01 * values[:, 50] * values[:, 3]


def old_pickle(entry):
    return zlib.decompress(base64.b64decode(entry["pickle"]))


def xgboost_booster():
    parameters = {"objective": "reg:squarederror", "max_depth": 3}
    return xgboost.train(parameters, xgboost.DMatrix(rows(), label=targets()), num_boost_round=5)


def lightgbm_booster(**options):
    parameters = {"objective": "regression", "num_leaves": 4, "min_data_in_leaf": 3, "verbose": -1}
    return lightgbm.train(parameters, lightgbm.Dataset(rows(), label=targets()), num_boost_round=12, **options)


@pytest.mark.parametrize("entry", OLD, ids=lambda entry: entry["library"])
def test_boosters_of_older_libraries_predict_what_those_libraries_predicted(entry):
    booster = load_booster(old_pickle(entry), origin="member")
    assert booster.features == 56
    np.testing.assert_allclose(booster.predict(rows()[:40:5]), entry["predictions"], rtol=1e-6)


@pytest.mark.parametrize("protocol", range(3, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("make", [xgboost_booster, lightgbm_booster])
def test_boosters_of_the_installed_libraries_predict_what_they_predict_themselves(make, protocol):
    original = make()
    data = xgboost.DMatrix(rows()) if make is xgboost_booster else rows()
    booster = load_booster(pickle.dumps(original, protocol=protocol), origin="member")
    np.testing.assert_array_equal(booster.predict(rows()), original.predict(data))


def test_lightgbm_predicts_with_the_trees_of_its_best_moment():
    original = lightgbm_booster(keep_training_booster=True)
    original.best_iteration = 3
    booster = load_booster(pickle.dumps(original), origin="member")
    np.testing.assert_array_equal(booster.predict(rows()), original.predict(rows(), num_iteration=3))
    assert (booster.predict(rows()) != original.predict(rows(), num_iteration=12)).any()


class Runs:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("make", [xgboost_booster, lightgbm_booster])
@pytest.mark.parametrize(("call", "named"), [((os.system, "touch harmed"), "system"), ((eval, "1"), "builtins.eval")])
def test_a_booster_whose_pickle_would_run_something_is_refused(make, call, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    original = make()
    if make is xgboost_booster:
        original.harm = Runs(*call)
    else:
        original.params["harm"] = Runs(*call)
    with pytest.raises(DataCorruptError, match=named) as error:
        load_booster(pickle.dumps(original), origin="member")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_pickle_cannot_ask_for_much_memory():
    with pytest.raises(DataCorruptError, match="truncated or not a pickle"):
        load_booster(pickle.dumps(Runs(bytearray, 10**12)), origin="member")


@pytest.mark.parametrize("content", [None, {"handle": b"CONFIG-offset:"}, [1.0], "tree"])
def test_a_pickle_without_a_booster_is_refused(content):
    with pytest.raises(DataCorruptError, match="member is not a pickled xgboost or lightgbm booster"):
        load_booster(pickle.dumps(content), origin="member")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("entry", OLD, ids=lambda entry: entry["library"])
def test_a_truncated_file_gets_one_line(entry, share):
    whole = old_pickle(entry)
    with pytest.raises(DataCorruptError, match="member is truncated or not a pickle") as error:
        load_booster(whole[: int(share * len(whole))], origin="member")
    assert "\n" not in str(error.value)


class Booster:
    """Pickles as a booster of a library, with a state of one's own."""

    def __init__(self, library, handle):
        self.library, self.handle = library, handle

    def pickled(self):
        module, name = {"xgboost": b"xgboost.core", "lightgbm": b"lightgbm.basic"}[self.library], b"Booster"
        state = pickle.dumps({"handle": self.handle, "best_iteration": 0}, protocol=3)[2:-1]
        return b"\x80\x03c" + module + b"\n" + name + b"\n)\x81" + state + b"b."


def damaged():
    """Blocks cut short and empty ones, of each library."""
    old = xgboost_block()
    text = lightgbm_booster().model_to_string()
    for share in (0.1, 0.4, 0.8):
        yield "xgboost", bytearray(old[: int(share * len(old))])
        yield "lightgbm", text[: int(share * text.index("end of trees"))]
    yield from [("xgboost", bytearray()), ("lightgbm", ""), ("xgboost", bytearray(b"binf")), ("lightgbm", "tree\n")]


def xgboost_block():
    """The block inside the pickle of xgboost 1.2."""
    content = old_pickle(OLD[1])
    start = content.index(b"CONFIG-offset:")
    return content[start : start + int.from_bytes(content[start - 4 : start], "little")]


def test_the_made_up_pickle_of_a_whole_block_is_read():
    booster = load_booster(Booster("xgboost", bytearray(xgboost_block())).pickled(), origin="member")
    np.testing.assert_allclose(booster.predict(rows()[:40:5]), OLD[1]["predictions"], rtol=1e-6)


def test_damaged_blocks_are_refused_before_a_library_sees_them():
    for library, handle in damaged():
        with pytest.raises(DataCorruptError, match=f"damaged {library} booster") as error:
            load_booster(Booster(library, handle).pickled(), origin="member")
        assert "\n" not in str(error.value)


def test_what_the_library_cannot_read_gets_one_line():
    for library, handle in (("xgboost", bytearray(b"{}")), ("lightgbm", "tree\ntree_sizes=\n\nend of trees\n")):
        with pytest.raises(DataCorruptError, match=f"member is a booster that {library} .* cannot read") as error:
            load_booster(Booster(library, handle).pickled(), origin="member")
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(("number", "library"), [(0, "xgboost"), (3, "lightgbm")])
def test_a_missing_library_is_named_with_the_command_that_installs_it(number, library, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(DataMissingError, match=rf"needs {library}, .* pip install 'benchsuite\[nasbench301\]'"):
        load_booster(old_pickle(OLD[number]), origin="member")
