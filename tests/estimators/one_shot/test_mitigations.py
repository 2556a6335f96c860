"""Second stages of supernets' trainings, and means over supernets and over the strings of a class."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from benchsuite.core.errors import BenchsuiteError, SuiteError, UnsupportedError
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.one_shot.estimators import Uniform
from benchsuite.estimators.one_shot.sampling import FairRounds, sampler
from benchsuite.estimators.one_shot.stages import StagedTrainer
from benchsuite.estimators.one_shot.subspaces import Subspace, best, subspaces, without_worst
from benchsuite.estimators.one_shot.training import PathTraining
from benchsuite.estimators.supernets.folder import TrainingFolder
from benchsuite.estimators.supernets.readout_task import ReadoutTask
from benchsuite.estimators.supernets.split import Split
from benchsuite.estimators.supernets.task import TrainingTask
from benchsuite.spaces.macro.space import Macro
from benchsuite.spaces.nasbench101.space import NASBench101
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench201.strings import OPERATIONS
from benchsuite.spaces.nasbench301.space import NASBench301

if TYPE_CHECKING:
    from pathlib import Path

    from benchsuite.core.supernet import Supernet

SIZES = {"channels": 2, "cells": 1}
SPACE = NASBench201(**SIZES)
DIGITS = load_images("digits")
SPLIT = PathTraining(epochs=1, images=64, batch=32, augmentation="crop", kept=2, tuning=2, split=3)
KEEP = replace(SPLIT, split=None, keep=0.25)
DROP = replace(SPLIT, split=None, drop=2)
STAGES = pytest.mark.parametrize("training", [SPLIT, KEEP, DROP], ids=["split", "keep", "drop"])


@pytest.fixture(autouse=True)
def _few_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchsuite.estimators.one_shot.stages.CANDIDATES", 20)


def staged(training: PathTraining, epochs: int) -> StagedTrainer:
    trainer = StagedTrainer(SPACE, DIGITS, training, 0)
    for _ in range(epochs):
        trainer.run_epoch()
    return trainer


@cache
def uninterrupted(training: PathTraining) -> StagedTrainer:
    return staged(training, training.last_epoch)


def activated(trainer: StagedTrainer, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Architectures that each copy is trained on in the next epoch."""
    found: dict[str, list[str]] = {name: [] for name in trainer.copies}
    for name, copy in trainer.copies.items():
        inner = copy._sampled
        monkeypatch.setattr(
            copy, "_sampled", lambda n, inner=inner, name=name: found[name].append(inner(n)) or inner(n)
        )
    trainer.run_epoch()
    return {name: [one for update in drawn for one in update] for name, drawn in found.items()}


def accuracy(supernet: Supernet, architecture: str, images: int, batch: int) -> float:
    """Percent of validation images, by plain passes in training mode."""
    supernet.train().activate(architecture)
    with torch.no_grad():
        right = [
            int((supernet(inputs).argmax(1) == targets).sum())
            for inputs, targets in Split.validation(DIGITS, images, 1, "cpu").in_order(batch)
        ]
    return 100 * sum(right) / (images or 239)


def same(one: dict[str, dict[str, torch.Tensor]], other: dict[str, dict[str, torch.Tensor]]) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(one[copy][name], other[copy][name]) for copy in one for name in one[copy]
    )


def test_copies_of_a_split_are_trained_on_their_operation_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = staged(replace(SPLIT, architectures=8), 2)
    drawn = activated(trainer, monkeypatch)
    assert tuple(drawn) == OPERATIONS
    for name, architectures in drawn.items():
        assert len(architectures) == 2 * 8
        assert {SPACE.operations(one)[3] for one in architectures} == {name}
        others = [SPACE.operations(one)[place] for one in architectures for place in (0, 1, 2, 4, 5)]
        assert set(others) == set(OPERATIONS)


def test_shared_epochs_of_a_split_are_those_of_a_training_without_one() -> None:
    plain = staged(replace(SPLIT, split=None, tuning=0, epochs=2), 1)
    assert not same(plain.checkpoint(), staged(SPLIT, 1).checkpoint())  # the cosine ends earlier
    plateau = replace(SPLIT, schedule="plateau")
    plain = staged(replace(plateau, split=None, tuning=0), 1)
    assert same(plain.checkpoint(), staged(plateau, 1).checkpoint())


def test_a_copy_starts_from_the_shared_weights_and_leaves_other_operations_alone() -> None:
    trainer = staged(SPLIT, 1)
    (shared,) = trainer.checkpoint().values()
    shared = {name: value.clone() for name, value in shared.items()}
    trainer.run_epoch()
    for name, state in trainer.checkpoint().items():
        moved = {part for part, value in state.items() if not torch.equal(value, shared[part])}
        of_position = {part.split("edge_3_0_")[1].split(".")[0] for part in moved if "edge_3_0_" in part}
        assert of_position == ({name} if name.startswith("nor_conv") else set())
        assert any("stem" in part for part in moved)


def test_fair_rounds_of_a_part_use_what_is_left_equally_often() -> None:
    row = ("none", "skip_connect", "nor_conv_1x1")
    part = Subspace(SPACE, choices=(("nor_conv_3x3",), *[row] * 5))
    for update in range(3):
        columns = list(zip(*map(SPACE.operations, FairRounds(part, 0)(update)), strict=True))
        assert columns[0] == ("nor_conv_3x3",) * 3
        assert all(sorted(column) == sorted(row) for column in columns[1:])


@pytest.mark.parametrize("name", ["uniform", "class"])
def test_parts_are_drawn_from_uniformly(name: str) -> None:
    choices = (("none", "nor_conv_1x1"), ("skip_connect",), *[("nor_conv_3x3",)] * 3, ("none", "nor_conv_3x3"))
    inside = [SPACE.with_operations(SPACE.every_string()[0], row) for row in product(*choices)]
    if name == "class":
        inside = [one for one in inside if SPACE.canonical(one) == one]
    for part in (Subspace(SPACE, choices=choices), Subspace(SPACE, listed=tuple(inside))):
        draw = sampler(name, part, 0, number=100)
        counts = Counter(one for update in range(4) for one in draw(update))
        assert set(counts) == set(inside)
        assert min(counts.values()) > 400 / len(inside) / 2
    with pytest.raises(UnsupportedError, match="every canonical architecture has other operations than"):
        sampler("class", Subspace(SPACE, choices=(("none",),) * 5 + (("nor_conv_3x3",),)), 0)


def test_the_space_is_pruned_to_the_candidates_that_validate_best(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = staged(KEEP, 1)
    candidates = trainer.copies["shared"].upcoming(20)
    assert 18 <= len(candidates) <= 20
    supernet = TrainingTask(SPACE, "digits", KEEP, 0).supernet([trainer.checkpoint()["shared"]])
    accuracies = {one: accuracy(supernet, one, 0, 100) for one in candidates}
    wanted = sorted(candidates, key=lambda one: -accuracies[one])[: round(len(candidates) / 4)]
    trainer.run_epoch()
    kept = trainer.state_dict()["parts"]["shared"]["listed"]
    assert sorted(accuracies[one] for one in kept) == sorted(accuracies[one] for one in wanted)
    drawn = activated(trainer, monkeypatch)
    assert set(drawn["shared"]) <= set(kept)


def test_operations_that_come_worst_on_average_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = staged(replace(DROP, sampling="fair", accumulation="sum"), 1)
    candidates = trainer.copies["shared"].upcoming(20)
    supernet = TrainingTask(SPACE, "digits", DROP, 0).supernet([trainer.checkpoint()["shared"]])
    accuracies = {one: accuracy(supernet, one, 0, 100) for one in candidates}
    trainer.run_epoch()
    choices = trainer.state_dict()["parts"]["shared"]["choices"]
    for position, left in enumerate(choices):
        means = {
            name: np.mean([value for one, value in accuracies.items() if SPACE.operations(one)[position] == name])
            for name in OPERATIONS
        }
        assert set(left) == set(sorted(OPERATIONS, key=lambda name: means[name])[2:])
    for one in activated(trainer, monkeypatch)["shared"]:
        assert all(name in left for name, left in zip(SPACE.operations(one), choices, strict=True))


def test_operations_nobody_has_are_dropped_first_and_one_architecture_is_always_kept() -> None:
    accuracies = {"0" * 8: 20.0, "1" * 8: 10.0}
    assert without_worst(Macro(), accuracies, 1) == (("identity", "MB3_K3"),) * 8
    assert without_worst(Macro(), accuracies, 2) == (("identity",),) * 8
    assert best(accuracies, 0.01) == ("0" * 8,)


@STAGES
def test_choosing_the_part_leaves_the_shared_weights_alone(training: PathTraining) -> None:
    trainer = staged(training, 1)
    shared = trainer.copies["shared"].supernet
    before = {name: value.clone() for name, value in shared.state_dict().items()}
    found = subspaces(training, SPACE, trainer._accuracies)
    assert tuple(found) == training.copies(SPACE)
    assert all(torch.equal(value, before[name]) for name, value in shared.state_dict().items())
    assert {module.momentum for module in shared.modules() if isinstance(module, torch.nn.BatchNorm2d)} == {0.1}


@STAGES
@pytest.mark.parametrize("done", [1, 2])
def test_a_training_stopped_in_any_stage_ends_with_the_weights_of_one_that_was_not(
    training: PathTraining, done: int, tmp_path: Path
) -> None:
    whole, folder = uninterrupted(training), TrainingFolder(tmp_path)

    def stop(epoch: object) -> None:
        if len(folder.curve()) == done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder.run(StagedTrainer(SPACE, DIGITS, training, 0), {}, stop)
    assert not folder.finished(training.last_epoch)
    folder.run(StagedTrainer(SPACE, DIGITS, training, 0), {}, lambda _: None)
    assert folder.finished(training.last_epoch)
    assert same(folder.weights(3), whole.checkpoint())
    assert [point.loss for point in folder.curve()] == [point.loss for point in whole.curve]
    assert sorted(file.name for file in tmp_path.glob("epoch_*.pt")) == [f"epoch_000{epoch}.pt" for epoch in (1, 2, 3)]


@STAGES
def test_a_tuned_training_begins_with_the_finished_one_of_its_shared_epochs(
    training: PathTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned = TrainingTask(SPACE, "digits", training, 0)
    plain = replace(tuned, training=replace(training, tuning=0, split=None, keep=1.0, drop=0))
    root = str(tmp_path)
    plain.run(root)
    trained: list[int] = []
    run_epoch = StagedTrainer.run_epoch
    monkeypatch.setattr(StagedTrainer, "run_epoch", lambda self: trained.append(self.epoch + 1) or run_epoch(self))
    assert tuned.estimate(root) > 0
    tuned.run(root)
    assert trained == [2, 3]
    whole, folder = uninterrupted(training), tuned.folder(root)
    assert same(folder.weights(3), whole.checkpoint())
    assert same(folder.weights(1), plain.folder(root).weights(1))
    assert [point.loss for point in folder.curve()] == [point.loss for point in whole.curve]


def test_a_tuned_training_begins_with_no_other_than_its_own_shared_epochs(tmp_path: Path) -> None:
    tuned = TrainingTask(SPACE, "digits", SPLIT, 0)
    shared = replace(SPLIT, tuning=0, split=None)
    for training, seed in ((shared, 1), (replace(shared, lr=0.1), 0), (replace(shared, epochs=3), 0)):
        replace(tuned, training=training, seed=seed).run(str(tmp_path))
    tuned.run(str(tmp_path))
    assert same(tuned.folder(str(tmp_path)).weights(3), uninterrupted(SPLIT).checkpoint())


def test_an_architecture_is_read_of_the_copy_for_its_operation(tmp_path: Path) -> None:
    source = TrainingTask(SPACE, "digits", SPLIT, 0)
    source.run(str(tmp_path))
    weights = source.folder(str(tmp_path)).weights(3)
    assert tuple(weights) == OPERATIONS
    estimator = Uniform(SPLIT, images=60, batch=20)
    architectures = SPACE.sample(12, np.random.default_rng(0))
    assert {SPLIT.copy_of(SPACE, one) for one in architectures} == set(OPERATIONS)
    task = ReadoutTask((source,), str(tmp_path), (estimator,))
    early = ReadoutTask((source,), str(tmp_path), (replace(estimator, epoch=1),))
    shared = source.folder(str(tmp_path)).weights(1)["shared"]
    for one, (_, score), (_, before) in zip(
        architectures, task.scores(architectures), early.scores(architectures), strict=True
    ):
        supernet = source.supernet([weights[SPACE.operations(one)[3]]])
        assert score.value == pytest.approx(accuracy(supernet, one, 60, 20))
        assert before.value == pytest.approx(accuracy(source.supernet([shared]), one, 60, 20))
    (foreign,) = task.scores(["no architecture"])
    assert "is not a NAS-Bench-201 architecture" in foreign[1].reason
    assert task.estimate(architectures[0]) > 0
    assert source.estimate(str(tmp_path)) == 0


def test_scores_are_means_over_supernets_and_over_the_strings_of_a_class(tmp_path: Path) -> None:
    training = PathTraining(epochs=1, images=64, batch=32, augmentation="none", kept=1)
    estimator = Uniform(training, images=40, batch=20, readout="loss")
    sources, root = tuple(TrainingTask(SPACE, "digits", training, seed) for seed in (0, 1)), str(tmp_path)
    for source in sources:
        source.run(root)
    rng = np.random.default_rng(0)
    drawn = [one for one in SPACE.sample(60, rng) if len(SPACE.members(one)) > 1][:3]
    strings = [name for one in drawn for name in SPACE.members(one)]
    single = [
        {score.architecture: score.value for _, score in ReadoutTask((source,), root, (estimator,)).scores(strings)}
        for source in sources
    ]
    joined = ReadoutTask(sources, root, (replace(estimator, supernets=2, members="all"),))
    assert joined.scores(drawn[:0]) == []
    for _, score in joined.scores(drawn):
        values = [values[name] for values in single for name in SPACE.members(score.architecture)]
        assert score.value == pytest.approx(np.mean(values), rel=1e-12)
        assert len(set(values)) > 1


def test_trials_share_no_supernets_and_single_ones_are_among_them() -> None:
    assert [list(Uniform(supernets=3).seeds(seed)) for seed in (0, 1)] == [[0, 1, 2], [3, 4, 5]]
    assert list(Uniform().seeds(4)) == [4]


def test_members_are_all_strings_of_a_class() -> None:
    for space in (SPACE, Macro()):
        strings = space.every_string()
        one = space.canonical(strings[1234])
        assert sorted(space.members(strings[1234])) == sorted(name for name in strings if space.canonical(name) == one)
    for other in (NASBench101(), NASBench301()):
        with pytest.raises(UnsupportedError, match="does not offer a list of its architecture strings"):
            other.members(other.sample(1, np.random.default_rng(0))[0])


def _tried(estimator: Uniform) -> None:
    estimator.check()
    estimator.check_space(SPACE, DIGITS.dataset, SPACE.every_string()[0])


def test_second_stages_that_cannot_be_are_refused_in_one_line() -> None:
    for training, message in (
        (replace(SPLIT, tuning=0), "tuning = 0, split = 3, .* set `tuning` together with one of split, keep and drop"),
        (replace(SPLIT, split=None), "tuning = 2, split = None, keep = 1.0, drop = 0"),
        (replace(SPLIT, drop=1), "one of split, keep and drop"),
        (replace(KEEP, keep=1.5), "keep above 0 and at most 1"),
        (replace(KEEP, keep=0), "keep above 0 and at most 1"),
        (replace(DROP, drop=-1), "tuning and drop must be at least 0"),
        (replace(KEEP, sampling="fair"), "`keep` cannot be combined with sampling = 'fair'; use `drop`"),
        (replace(SPLIT, split=6), "split = 6; must be a position of nasbench201, 0 to 5"),
        (replace(SPLIT, split=-1), "split = -1; must be a position of nasbench201, 0 to 5"),
        (replace(DROP, drop=5), "drop = 5, but position 0 of nasbench201 has 5 operations; drop at most 4"),
        (replace(DROP, tuning_lr=0), "tuning_lr = 0; must be positive"),
    ):
        with pytest.raises(SuiteError, match=message) as caught:
            _tried(Uniform(training=training))
        assert "\n" not in str(caught.value)
        with pytest.raises(BenchsuiteError, match=message):
            StagedTrainer(SPACE, DIGITS, training, 0)


def test_what_a_space_lacks_for_a_second_stage_is_said_before_it_is_trained() -> None:
    space = NASBench101(channels=8, cells=1)
    architecture = space.sample(1, np.random.default_rng(0))[0]
    for training in (SPLIT, DROP):
        with pytest.raises(UnsupportedError, match="table of choices"):
            Uniform(training=training).check_space(space, DIGITS.dataset, architecture)
    with pytest.raises(UnsupportedError, match="does not offer a list of its architecture strings"):
        Uniform(members="all").check_space(space, DIGITS.dataset, architecture)
    Uniform(training=KEEP).check_space(space, DIGITS.dataset, architecture)
    for estimator, message in (
        (Uniform(members="some"), "no choice of members named 'some'"),
        (Uniform(supernets=0), "supernets = 0; must be a positive integer"),
    ):
        with pytest.raises(BenchsuiteError, match=message):
            estimator.check()


def test_reports_say_how_supernets_were_tuned_and_what_was_averaged() -> None:
    assert "then 2 epochs of tuning from learning rate 0.01, one copy of the weights for each operation" in SPLIT.words(
        64, 8
    )
    assert "on the best 25% of 200 sampled architectures, by accuracy on 500 validation images" in KEEP.words(64, 8)
    assert "without the 2 worst operations of each position" in DROP.words(64, 8)
    assert "tuning" not in PathTraining().words(64, 8)
    words = Uniform(supernets=3, members="all").words(100)
    assert words.endswith("mean over 3 supernets; mean over the strings of a class")
