"""Files in the layout of `nds_data`, written by hand: no copy of the official ones is at hand to read in a test."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from benchsuite.core.errors import DataCorruptError
from benchsuite.data.readers import nds_json as nds_data
from benchsuite.data.sources import import_path, sources
from benchsuite.spaces.nds.space import NDSResNet, NDSResNeXtA, NDSResNeXtB, NDSVanilla

EPOCHS = 4
RESNET = {
    "block_type": "res_basic_block",
    "ds": [1, 3, 24, 1],
    "ws": [16, 64, 16, 256],
    "ss": [1, 1, 2, 2],
    "bot_muls": [],
    "num_gs": [],
}
OTHER = {**RESNET, "ds": [1, 1, 1, 1]}
RESNEXT = {  # the network that the documentation of NNI queries
    "block_type": "res_bottleneck_block",
    "bot_muls": [0.0, 0.25, 0.25, 0.25],
    "ds": [1, 16, 1, 4],
    "num_gs": [1, 2, 1, 2],
    "ss": [1, 1, 2, 2],
    "ws": [16, 64, 128, 16],
}
WIDE = {**RESNEXT, "ws": [16, 64, 1024, 256], "num_gs": [1, 16, 1, 8]}
VANILLA = {**RESNET, "block_type": "double_plain_block"}


def training(net, seed=1, errors=(60.0, 20.0, 7.5, 8.25), **changes):
    """A training as the official files hold it; what the reader ignores is there too."""
    return {
        "net": net,
        "optim": {"lr_policy": "cos", "max_ep": EPOCHS, "base_lr": 0.1, "wd": 0.0005, "mom": 0.9},
        "rng_seed": seed,
        "job_id": "0a1b",
        "params": 272474,
        "flops": 40813184,
        "iter_time": 0.05,
        "train_ep_loss": [2.0, 1.0, 0.5, 0.25],
        "train_ep_top1": [70.0, 30.0, 10.0, 2.5],
        "test_ep_top1": list(errors),
        "train_it_loss": [],
        "train_it_top1": [],
        "min_test_top1": min(errors),
        **changes,
    }


def folder_of(tmp_path, files):
    folder = tmp_path / "nds_data"
    folder.mkdir()
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def tables(folder, kind="table"):
    rows = {}
    for piece in nds_data.read(folder):
        if piece.kind == kind:
            rows.setdefault(piece.benchmark, []).append(piece.rows.astype({"architecture": str, "split": str}))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in rows.items()}


def refused(folder, message):
    with pytest.raises(DataCorruptError, match=message) as error:
        list(nds_data.read(folder))
    assert "\n" not in str(error.value)


def test_accuracies_are_100_minus_the_errors_after_the_last_epoch(tmp_path):
    table = tables(folder_of(tmp_path, {"ResNet.json": [training(RESNET)]}))["nds_resnet/cifar10"]
    found = table.set_index("split").accuracy.to_dict()
    assert found == {"train": 97.5, "test": 91.75, "test-best": 92.5}
    assert set(table.epochs) == {EPOCHS}
    assert table.set_index("split").loss["train"] == 0.25


def test_curves_hold_every_epoch_with_the_loss_of_the_training_images(tmp_path):
    curve = tables(folder_of(tmp_path, {"ResNet.json": [training(RESNET)]}), "curve")["nds_resnet/cifar10"]
    test, train = (curve[curve.split == split] for split in ("test", "train"))
    assert test.epochs.tolist() == train.epochs.tolist() == [1, 2, 3, 4]
    assert test.accuracy.tolist() == [40.0, 80.0, 92.5, 91.75]
    assert train.accuracy.tolist() == [30.0, 70.0, 90.0, 97.5]
    assert train.loss.tolist() == [2.0, 1.0, 0.5, 0.25]
    assert test.loss.isna().all()


def test_every_family_becomes_strings_of_its_space(tmp_path):
    files = {
        "ResNet.json": (RESNET, NDSResNet, "d3-w64/d24-w16/d1-w256"),
        "Vanilla.json": (VANILLA, NDSVanilla, "d3-w64/d24-w16/d1-w256"),
        "ResNeXt-A.json": (RESNEXT, NDSResNeXtA, "d16-w64-b0.25-g2/d1-w128-b0.25-g1/d4-w16-b0.25-g2"),
        "ResNeXt-B.json": (WIDE, NDSResNeXtB, "d16-w64-b0.25-g16/d1-w1024-b0.25-g1/d4-w256-b0.25-g8"),
    }
    found = tables(folder_of(tmp_path, {name: [training(net)] for name, (net, *_) in files.items()}))
    for _, space, expected in files.values():
        table = found.pop(f"{space.name}/cifar10")
        assert set(table.architecture) == {expected}
        assert space().canonical(expected) == expected
    assert not found


def test_other_seeds_are_further_trials_and_a_training_in_two_files_counts_once(tmp_path):
    files = {
        "ResNet.json": [training(RESNET), training(OTHER, errors=(50, 50, 50, 40))],
        "ResNet_rng1.json": [training(RESNET)],
        "ResNet_rng2.json": [training(RESNET, seed=2, errors=(60, 20, 9, 9))],
        "ResNet_rng3.json": [training(RESNET, seed=3, errors=(60, 20, 6, 6))],
    }
    table = tables(folder_of(tmp_path, files))["nds_resnet/cifar10"]
    test = table[table.split == "test"]
    assert test.architecture.tolist() == ["d1-w64/d1-w16/d1-w256", *3 * ["d3-w64/d24-w16/d1-w256"]]
    assert test.trial.tolist() == [0, 0, 1, 2]
    assert test.accuracy.tolist() == [60.0, 91.75, 91.0, 94.0]


def test_rows_come_in_the_order_of_the_strings_whatever_the_order_in_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(nds_data, "_CHUNK", 2)
    nets = [{**RESNET, "ds": [1, *depths]} for depths in np.random.default_rng(0).choice([1, 2, 3, 4], (9, 3)).tolist()]
    folder = folder_of(tmp_path, {"ResNet.json": [training(net, seed) for seed, net in enumerate(nets)]})
    for kind in ("table", "curve"):
        pieces = [piece.rows.architecture.astype(str) for piece in nds_data.read(folder) if piece.kind == kind]
        assert len(pieces) == 5
        for before, after in pairwise(pieces):
            assert before.max() <= after.min()


def test_files_of_cells_imagenet_other_rates_and_reruns_are_left_alone(tmp_path):
    names = ["DARTS.json", "ResNet_in.json", "ResNeXt-A_in.json", "ResNet_lr-wd.json", "ResNet_reruns.json"]
    folder = folder_of(tmp_path, {"Vanilla.json": [training(VANILLA)], **dict.fromkeys(names, "not even JSON")})
    assert set(tables(folder)) == {"nds_vanilla/cifar10"}


def test_a_diverged_training_keeps_its_accuracy_without_its_loss(tmp_path):
    diverged = training(RESNET, train_ep_loss=[2.0, float("inf"), float("nan"), float("nan")])
    curve = tables(folder_of(tmp_path, {"ResNet.json": [diverged]}), "curve")["nds_resnet/cifar10"]
    train = curve[curve.split == "train"]
    assert train.loss.isna().tolist() == [False, True, True, True]
    assert train.accuracy.notna().all()


def test_white_space_in_a_file_does_not_matter(tmp_path):
    trainings = [training(RESNET), training(OTHER)]
    files = {"ResNet.json": "\n" + json.dumps(trainings, indent=2) + "\n"}
    assert len(tables(folder_of(tmp_path, files))["nds_resnet/cifar10"]) == 6


def test_progress_ends_at_the_number_of_files(tmp_path):
    seen = []
    files = {"ResNet.json": [training(RESNET)], "Vanilla.json": [training(VANILLA)]}
    list(nds_data.read(folder_of(tmp_path, files), lambda done, total: seen.append((done, total))))
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps([training(RESNET)])[:-40], "ResNet.json is truncated or not a JSON file"),
        (json.dumps([training(RESNET)])[:-1], "ResNet.json is truncated or not a JSON file"),
        ("", "truncated or not a JSON file"),
        ("[" * 100_000, "truncated or not a JSON file"),
        ({"top": [training(RESNET)], "mid": []}, "ResNet.json is not a list of trainings"),
        ([training(RESNET), 7], "ResNet.json, training 2, does not belong to nds_resnet"),
        ([{"net": RESNET}], "training 1, .*KeyError: 'test_ep_top1'"),
        ([training(RESNEXT)], "its blocks are res_bottleneck_block"),
        ([training({**RESNET, "ss": [1, 2, 2, 2]})], r"its strides are \[2, 2, 2\]"),
        ([training({**RESNET, "ws": [64, 64, 16, 256]})], "its stem is"),
        ([training({**RESNET, "ds": [1, 3, 24]})], "training 1, does not belong to nds_resnet .ValueError"),
        ([training(RESNET, errors=(60.0, 20.0, 7.5))], "do not have max_ep = 4 epochs"),
        ([training(RESNET, errors=(60.0, 20.0, 7.5, 120.0))], "accuracy is -20; must be 0 to 100"),
        ([training(RESNET, test_ep_top1=["a", 1, 2, 3])], "training 1, does not belong to nds_resnet .ValueError"),
    ],
)
def test_a_broken_file_is_refused_with_one_line_that_names_it(tmp_path, content, message):
    refused(folder_of(tmp_path, {"ResNet.json": content}), message)


def test_a_folder_of_something_else_is_refused(tmp_path):
    refused(folder_of(tmp_path, {"DARTS.json": "[]"}), "nds_data lacks ResNet.json, ResNeXt-A.json")


def test_an_imported_folder_becomes_ground_truth(tmp_path):
    if "nds" not in {source.name for source in sources()}:
        pytest.skip("the source is not declared")
    folder = folder_of(tmp_path, {"ResNet.json": [training(RESNET)], "ResNeXt-A.json": [training(RESNEXT)]})
    assert sorted(path.parent.name for path in import_path(folder)) == ["nds_resnet-cifar10", "nds_resnext_a-cifar10"]
