"""Ensembles in the published layout predict the mean of their members' own predictions.

The published model files are 1.8 GB and at hand on no build machine. The ensembles here are small ones that xgboost and
lightgbm fit to encodings of random cells, saved as the published code saves them: a folder for each member with
surrogate_model.model, data_config.json and model_config.json. tests/data/test_boosters.py reads boosters that the
libraries of that time wrote.
"""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchsuite.benchmark import load_benchmark
from benchsuite.core.errors import DataCorruptError, DataMissingError, InvalidArchitectureError
from benchsuite.data.sources import import_path
from benchsuite.spaces.nasbench301 import surrogate as nasbench301_surrogate
from benchsuite.spaces.nasbench301.encoding import encode
from benchsuite.spaces.nasbench301.space import NASBench301
from benchsuite.spaces.nasbench301.surrogate import load, read

xgboost = pytest.importorskip("xgboost", reason="the surrogates are read by xgboost, which is not installed")
lightgbm = pytest.importorskip("lightgbm", reason="the surrogates are read by lightgbm, which is not installed")
MEMBERS = 3


def sample(n, seed=0):
    return NASBench301().sample(n, np.random.default_rng(seed))


def accuracies(rows, seed):
    """Made-up percent: convolutions help."""
    noise = np.random.default_rng(seed).normal(0, 0.1, len(rows))
    return 91 + 0.2 * (rows[:, 10:12] >= 3).sum(axis=1) + 0.1 * (rows[:, 32:] >= 3).sum(axis=1) + noise


def fitted(kind, rows, seed):
    targets = accuracies(rows, seed)
    if kind == "xgb":
        parameters = {"objective": "reg:squarederror", "max_depth": 4, "seed": seed}
        return xgboost.train(parameters, xgboost.DMatrix(rows, label=targets), num_boost_round=20)
    parameters = {"objective": "regression", "num_leaves": 8, "seed": seed, "verbose": -1}
    return lightgbm.train(parameters, lightgbm.Dataset(rows, label=targets), num_boost_round=20)


def save(folder, booster, model):
    folder.mkdir(parents=True)
    (folder / "surrogate_model.model").write_bytes(pickle.dumps(booster))
    (folder / "data_config.json").write_text(json.dumps({"seed": 1}))
    (folder / "model_config.json").write_text(json.dumps({"model": model, "param:eta": 0.1}))


@pytest.fixture(scope="module")
def boosters():
    rows = encode(sample(200, seed=1))
    return {kind: [fitted(kind, rows, seed) for seed in range(MEMBERS)] for kind in ("xgb", "lgb")}


@pytest.fixture
def models(tmp_path, boosters):
    """A folder like nb_models: accuracies by xgboost, seconds by lightgbm; with the accuracies' boosters."""
    for seed in range(MEMBERS):
        save(tmp_path / "nb_models/xgb_v1.0" / f"ensemble_member_{seed}", boosters["xgb"][seed], "xgb")
        save(tmp_path / "nb_models/lgb_runtime_v1.0" / f"ensemble_member_{seed}", boosters["lgb"][seed], "lgb_time")
    return tmp_path / "nb_models"


def test_an_xgboost_ensemble_predicts_the_mean_of_its_members(models, boosters):
    architectures = sample(50)
    data = xgboost.DMatrix(encode(architectures))
    expected = np.mean([booster.predict(data).astype(float) for booster in boosters["xgb"]], axis=0)
    predictions = load(models / "xgb_v1.0").predict(architectures)
    np.testing.assert_allclose(predictions, expected, rtol=1e-12)
    assert predictions.std() > 0.1


def test_a_lightgbm_ensemble_predicts_the_mean_of_its_members(tmp_path, boosters):
    for seed, booster in enumerate(boosters["lgb"]):
        save(tmp_path / "own" / str(seed), booster, "lgb")
    architectures = sample(50)
    expected = np.mean([booster.predict(encode(architectures)) for booster in boosters["lgb"]], axis=0)
    np.testing.assert_allclose(load(tmp_path / "own").predict(architectures), expected, rtol=1e-12)


def test_the_whole_folder_and_the_published_archive_give_the_same_ensemble(models, tmp_path):
    architectures = sample(20)
    expected = load(models / "xgb_v1.0").predict(architectures)
    archive = Path(shutil.make_archive(str(tmp_path / "models"), "zip", tmp_path, "nb_models"))
    for path in (models, archive):
        surrogate = load(path)
        assert len(surrogate.members) == MEMBERS
        np.testing.assert_array_equal(surrogate.predict(architectures), expected)


def test_reading_gives_one_validation_accuracy_for_each_sampled_architecture(models, monkeypatch):
    monkeypatch.setattr(nasbench301_surrogate, "ARCHITECTURES", 30)
    monkeypatch.setattr(nasbench301_surrogate, "_CHUNK", 20)
    told = []
    (piece,) = read(models / "xgb_v1.0", lambda done, total: told.append((done, total)))
    assert told == [(20, 30), (30, 30)]
    assert (piece.benchmark, piece.kind) == ("nasbench301/cifar10", "table")
    names = piece.rows["architecture"].astype(str).tolist()
    assert names == sorted(sample(30))
    assert set(zip(piece.rows["trial"], piece.rows["epochs"], piece.rows["split"], strict=True)) == {(0, 100, "valid")}
    expected = pd.Series(load(models / "xgb_v1.0").predict(sample(30)), index=sample(30))
    assert dict(zip(names, piece.rows["accuracy"], strict=True)) == pytest.approx(expected.to_dict())


@pytest.mark.parametrize("folder", ["nb_models", "nb_models/xgb_v1.0"])
def test_an_imported_ensemble_is_the_truth_of_a_benchmark(models, tmp_path, monkeypatch, folder):
    """As `benchsuite data import` takes the folder that the official archive unpacks to, or the one of the ensemble."""
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path / "home"))
    monkeypatch.setattr(nasbench301_surrogate, "ARCHITECTURES", 30)
    import_path(models.parent / folder)
    benchmark = load_benchmark("nasbench301", "cifar10")
    assert benchmark.source == "nasbench301-xgb"
    assert not benchmark.has_seeds
    truth = benchmark.truth(split="valid")
    np.testing.assert_allclose(truth, load(models / "xgb_v1.0").predict(truth.index.tolist()), rtol=1e-12)


def test_no_architectures_have_no_predictions(models):
    assert load(models).predict([]).shape == (0,)


def test_the_operation_none_has_no_prediction(models):
    cell = "+".join(["|none~0|skip_connect~1|"] * 4)
    with pytest.raises(
        InvalidArchitectureError, match="operation 'none', which the surrogates of NAS-Bench-301 do not know"
    ):
        load(models).predict([f"{cell}/{cell}"])


def refusal(path):
    """The one line with which a path is refused."""
    with pytest.raises(DataCorruptError) as error:
        load(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_ensemble_of_running_times_is_refused(models):
    assert "does not contain an ensemble that predicts accuracies (xgb, lgb); its models: lgb_time" in refusal(
        models / "lgb_runtime_v1.0"
    )


def test_a_folder_without_models_is_refused(tmp_path):
    assert "its models: none" in refusal(tmp_path)


def test_the_version_of_a_folder_above_is_no_other_ensemble(models, tmp_path):
    models.rename(tmp_path / "nasbench301_models_v1.0")
    assert len(load(tmp_path).members) == MEMBERS


def test_several_ensembles_are_not_mixed(models, boosters):
    save(models / "xgb_v0.9/0", boosters["xgb"][0], "xgb")
    assert "several ensembles (xgb_v0.9, xgb_v1.0)" in refusal(models)
    shutil.move(models / "xgb_v0.9", models / "own")
    assert "several ensembles (others, xgb_v1.0)" in refusal(models)
    shutil.rmtree(models / "own")
    save(models / "own/0", boosters["lgb"][0], "lgb")
    assert "several ensembles (lgb, xgb)" in refusal(models)


def test_a_member_without_a_configuration_is_named(models):
    (models / "xgb_v1.0/ensemble_member_1/model_config.json").unlink()
    assert "xgb_v1.0/ensemble_member_1 has a surrogate_model.model but no model_config.json" in refusal(
        models / "xgb_v1.0"
    )


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '"xgb"', "[" * 99_999])
def test_a_broken_configuration_is_named(models, content):
    (models / "xgb_v1.0/ensemble_member_1/model_config.json").write_text(content)
    assert "ensemble_member_1/model_config.json does not name its model" in refusal(models)


def test_a_truncated_member_is_named(models):
    file = models / "xgb_v1.0/ensemble_member_2/surrogate_model.model"
    file.write_bytes(file.read_bytes()[:1000])
    assert "ensemble_member_2/surrogate_model.model is truncated or not a pickle" in refusal(models)


class Harm:
    def __reduce__(self):
        return Path.touch, (Path("harmed"),)


def test_a_malicious_member_is_refused_and_runs_nothing(models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (models / "xgb_v1.0/ensemble_member_0/surrogate_model.model").write_bytes(pickle.dumps(Harm()))
    assert "foreign or malicious and was not read" in refusal(models)
    assert not (tmp_path / "harmed").exists()


def test_members_of_other_features_are_refused(tmp_path):
    booster = fitted("xgb", encode(sample(30))[:, :40], 0)
    save(tmp_path / "0", booster, "xgb")
    assert "predicts from 40 features, NAS-Bench-301 has 56" in refusal(tmp_path)


def test_a_truncated_archive_is_refused(models, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "models"), "zip", tmp_path, "nb_models"))
    archive.write_bytes(archive.read_bytes()[:-100])
    assert "models.zip is truncated, encrypted or not a zip archive" in refusal(archive)


def test_an_encrypted_archive_is_refused(models, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "models"), "zip", tmp_path, "nb_models"))
    content = bytearray(archive.read_bytes())
    place = content.find(b"PK\x01\x02")
    while place >= 0:  # the first bit of the flags in each entry of the directory
        content[place + 8] |= 1
        place = content.find(b"PK\x01\x02", place + 1)
    archive.write_bytes(content)
    assert "models.zip is truncated, encrypted or not a zip archive" in refusal(archive)


def test_a_path_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(DataMissingError, match=r"absent does not exist; give an ensemble"):
        load(tmp_path / "absent")
