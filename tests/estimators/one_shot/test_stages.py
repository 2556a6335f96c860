"""Second stages of trainings: copies of the weights, each tuned on a part of the space."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from path_trainings import DIGITS, DROP, KEEP, SPACE, SPLIT, accuracy, same, staged, uninterrupted

from benchsuite.estimators.one_shot.stages import StagedTrainer
from benchsuite.estimators.one_shot.subspaces import subspaces
from benchsuite.estimators.supernets.folder import TrainingFolder
from benchsuite.estimators.supernets.task import TrainingTask
from benchsuite.spaces.nasbench201.strings import OPERATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from benchsuite.estimators.one_shot.training import PathTraining

STAGES = pytest.mark.parametrize("training", [SPLIT, KEEP, DROP], ids=["split", "keep", "drop"])


@pytest.fixture(autouse=True)
def _few_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchsuite.estimators.one_shot.stages.CANDIDATES", 20)


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
