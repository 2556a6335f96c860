"""Trained supernets: sampling, training that goes on where it was killed, readouts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from supernets import held_elsewhere
from torch.nn.functional import cross_entropy

from benchsuite.core.errors import (
    BenchsuiteError,
    BusyError,
    DataMissingError,
    SuiteError,
    UnknownNameError,
    UnsupportedError,
)
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.one_shot.sampling import FairRounds, sampler
from benchsuite.estimators.one_shot.stages import StagedTrainer
from benchsuite.estimators.one_shot.trainer import PathTrainer
from benchsuite.estimators.one_shot.training import PathTraining
from benchsuite.estimators.supernets import folder as one_shot_folder
from benchsuite.estimators.supernets.folder import TrainingFolder
from benchsuite.estimators.supernets.readouts import Evaluation
from benchsuite.estimators.supernets.split import Split, augmented
from benchsuite.spaces.nasbench101.space import NASBench101
from benchsuite.spaces.nasbench201.space import NASBench201

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPACE = NASBench201(channels=2, cells=1)
DIGITS = load_images("digits")
SHORT = PathTraining(epochs=3, images=64, batch=32, augmentation="crop", kept=3)


def trained(training: PathTraining, *, epochs: int | None = None, seed: int = 0) -> PathTrainer:
    trainer = PathTrainer(SPACE, DIGITS, training, seed)
    for _ in range(epochs or training.epochs):
        trainer.run_epoch()
    return trainer


def weights(trainer: PathTrainer) -> list[torch.Tensor]:
    return list(trainer.supernet.state_dict().values())


def equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


class Uneven:
    """Two positions, with two and with three operations."""

    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        return ("a", "b"), ("x", "y", "z")

    def draw(self, rng: np.random.Generator) -> str:
        return "a x"

    def with_operations(self, architecture: str, operations: tuple[str, ...]) -> str:
        return " ".join(operations)


def test_fair_rounds_use_every_operation_of_every_position_equally_often() -> None:
    rounds = FairRounds(SPACE, 0)
    for update in range(5):
        for column in zip(*map(SPACE.operations, rounds(update)), strict=True):
            assert set(Counter(column).values()) == {1}
    assert rounds(0) != rounds(1)
    assert rounds(0) != FairRounds(SPACE, 1)(0)


def test_unequal_numbers_of_operations_come_equally_often_in_the_end() -> None:
    rounds = FairRounds(Uneven(), 0)  # type: ignore[arg-type]  # what rounds ask of a space
    drawn = [architecture for update in range(10) for architecture in rounds(update)]
    assert Counter(name[0] for name in drawn) == {"a": 15, "b": 15}
    assert Counter(name[2] for name in drawn) == {"x": 10, "y": 10, "z": 10}
    for update in range(10):
        assert len({name[2] for name in rounds(update)}) == 3


@pytest.mark.parametrize("name", ["uniform", "class"])
def test_drawn_architectures_depend_on_the_update_alone_and_are_accepted(name: str) -> None:
    draw = sampler(name, SPACE, 0, number=4, accept=lambda architecture: "nor_conv" in architecture)
    first = [draw(update) for update in range(5)]
    assert [draw(update) for update in reversed(range(5))] == first[::-1]
    assert all("nor_conv" in architecture for drawn in first for architecture in drawn)
    assert len({architecture for drawn in first for architecture in drawn}) > 15
    if name == "class":
        assert all(SPACE.canonical(architecture) == architecture for drawn in first for architecture in drawn)


def test_sampling_says_what_it_cannot_do() -> None:
    with pytest.raises(UnknownNameError, match="no sampling named 'fairr'"):
        sampler("fairr", SPACE, 0)
    with pytest.raises(UnsupportedError, match="table of choices"):
        sampler("fair", NASBench101(), 0)
    with pytest.raises(UnsupportedError, match="lack weights to train"):
        sampler("uniform", SPACE, 0, accept=lambda _: False)(0)


def test_training_and_validation_images_are_different_and_shuffled() -> None:
    training, validation = (part(DIGITS, 0, 1, "cpu") for part in (Split.training, Split.validation))
    assert len(training) + len(validation) == len(DIGITS.train_targets)
    assert len(validation) == len(DIGITS.train_targets) // 5
    kept = {image.numpy().tobytes() for image in training.inputs}
    assert sum(image.numpy().tobytes() in kept for image in validation.inputs) <= 2  # digits repeats few images
    assert set(validation.targets[:100].tolist()) == set(range(10))
    with pytest.raises(SuiteError, match=r"must be 0 \(all\) to"):
        Split.training(DIGITS, 10**6, 1, "cpu")
    with pytest.raises(SuiteError, match="must divide the images' side"):
        Split.training(DIGITS, 0, 3, "cpu")


def test_shrunken_images_are_means_over_squares() -> None:
    split = Split.training(DIGITS, 5, 2, "cpu")
    plain = Split.training(DIGITS, 5, 1, "cpu")
    assert torch.equal(split.inputs[..., 1, 2], plain.inputs[..., 2:4, 4:6].float().mean((-2, -1)))
    (inputs, _), *_ = split.in_order(5)
    assert inputs.shape == (5, 1, 4, 4)


def test_crops_shift_and_mirror_whole_images() -> None:
    torch.manual_seed(0)
    image = torch.arange(1.0, 65.0).reshape(1, 1, 8, 8)
    windows = torch.nn.functional.pad(image, [4] * 4)[0, 0].unfold(0, 8, 1).unfold(1, 8, 1).reshape(-1, 8, 8)
    shifted = {window.numpy().tobytes() for window in windows}
    mirrored = {window.flip(1).contiguous().numpy().tobytes() for window in windows}
    images = image.repeat(600, 1, 1, 1)
    crops = {crop.contiguous().numpy().tobytes() for crop in augmented(images, "crop")[:, 0]}
    assert crops <= shifted
    assert len(crops) == 81  # all shifts in both directions
    drawn = [crop.contiguous().numpy().tobytes() for crop in augmented(images, "crop+flip")[:, 0]]
    assert set(drawn) <= shifted | mirrored
    assert 0.4 < np.mean([crop in mirrored for crop in drawn]) < 0.6
    with pytest.raises(UnknownNameError, match="no augmentation named 'flip'"):
        augmented(images, "flip")


def test_one_update_is_that_of_plain_gradient_descent() -> None:
    training = PathTraining(
        epochs=1, images=64, batch=64, augmentation="none", clip=0, schedule="plateau", lr=0.1, kept=1
    )
    trainer = PathTrainer(SPACE, DIGITS, training, 0)
    before = {name: value.clone() for name, value in trainer.supernet.named_parameters()}
    [architecture] = trainer._sampled(0)
    inputs, targets = next(trainer._split.batches(64, 0))  # in another order, which a full batch does not know
    trainer.supernet.activate(architecture)
    loss = cross_entropy(trainer.supernet.train()(inputs), targets)
    gradients = dict(
        zip(before, torch.autograd.grad(loss, list(trainer.supernet.parameters()), allow_unused=True), strict=True)
    )
    done = trainer.run_epoch()
    assert done.loss == pytest.approx(float(loss.detach()), rel=1e-4)
    for name, after in trainer.supernet.named_parameters():
        step = gradients[name]
        if step is None:
            assert torch.equal(after, before[name]), name  # unused weights do not even decay
        else:
            wanted = before[name] - 0.1 * 1.9 * (step + 5e-4 * before[name])
            assert torch.allclose(after, wanted, atol=1e-5), name


def test_gradients_of_several_architectures_are_averaged_over_those_that_use_a_weight() -> None:
    base = PathTraining(
        epochs=1, images=64, batch=64, augmentation="none", clip=0, schedule="plateau", architectures=3, kept=1
    )
    trainer = PathTrainer(SPACE, DIGITS, base, 0)
    architectures = trainer._sampled(0)
    inputs, targets = next(trainer._split.batches(64, 0))
    names = [name for name, _ in trainer.supernet.named_parameters()]
    found: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    for architecture in architectures:
        trainer.supernet.train().activate(architecture)
        loss = cross_entropy(trainer.supernet(inputs), targets)
        for name, gradient in zip(
            names, torch.autograd.grad(loss, list(trainer.supernet.parameters()), allow_unused=True), strict=True
        ):
            if gradient is not None:
                found[name].append(gradient)
    before = {name: value.clone() for name, value in trainer.supernet.named_parameters()}
    trainer.run_epoch()
    assert {len(gradients) for gradients in found.values()} >= {0, 3}
    for name, after in trainer.supernet.named_parameters():
        if found[name]:
            step = torch.stack(found[name]).mean(0) + 5e-4 * before[name]
            assert torch.allclose(after, before[name] - 0.05 * 1.9 * step, atol=1e-5), name


@pytest.mark.parametrize("changes", [{}, {"sampling": "fair", "accumulation": "sum"}, {"schedule": "plateau"}])
def test_training_that_goes_on_from_its_folder_gives_the_same_weights(changes: dict[str, str], tmp_path: Path) -> None:
    training = PathTraining(epochs=3, images=64, batch=32, kept=3, **changes)  # type: ignore[arg-type]  # all are words
    whole = trained(training)
    folder = TrainingFolder(tmp_path)
    stopped = StagedTrainer(SPACE, DIGITS, training, 0)

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder.run(stopped, {}, stop)
    assert not folder.finished(3)
    again = StagedTrainer(SPACE, DIGITS, training, 0)
    folder.run(again, {}, lambda _: None)
    assert equal(weights(again.copies["shared"]), weights(whole))
    assert equal(list(folder.weights(3)["shared"].values()), weights(whole))
    assert [(point.epoch, point.loss) for point in folder.curve()] == [(p.epoch, p.loss) for p in whole.curve]


KILLED = """
import sys, torch
from pathlib import Path
torch.set_num_threads(1)
from tests.estimators.one_shot.test_training import DIGITS, SHORT, SPACE
from benchsuite.estimators.supernets.folder import TrainingFolder
from benchsuite.estimators.one_shot.stages import StagedTrainer
trainer = StagedTrainer(SPACE, DIGITS, SHORT, 0)
TrainingFolder(Path(sys.argv[1])).run(trainer, {}, lambda epoch: print("done", flush=True))
"""


def test_training_killed_at_any_moment_ends_with_the_weights_of_one_that_was_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    path = os.pathsep.join([os.getcwd(), os.path.join(os.getcwd(), "tests")])
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / "lock.json").is_file()
    folder = TrainingFolder(tmp_path)
    assert 1 <= len(folder.curve()) <= 3
    folder.run(StagedTrainer(SPACE, DIGITS, SHORT, 0), {}, lambda _: None)
    assert equal(list(folder.weights(3)["shared"].values()), weights(trained(SHORT)))
    assert not (tmp_path / "lock.json").exists()


@pytest.mark.parametrize("file", ["curve.csv", "epoch_0003.pt", "latest.pt"])
def test_a_training_stopped_before_any_file_of_its_last_epoch_becomes_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    folder, written = TrainingFolder(tmp_path), one_shot_folder._write
    trainer = StagedTrainer(SPACE, DIGITS, SHORT, 0)

    def stopped(path: Path, content: Callable[[Any], object]) -> None:
        if trainer.epoch == 3 and path.name == file:
            raise KeyboardInterrupt
        written(path, content)

    monkeypatch.setattr(one_shot_folder, "_write", stopped)
    with pytest.raises(KeyboardInterrupt):
        folder.run(trainer, {}, lambda _: None)
    monkeypatch.undo()
    assert not folder.finished(3) or len(folder.curve()) == 3
    folder.run(StagedTrainer(SPACE, DIGITS, SHORT, 0), {}, lambda _: None)
    assert [point.epoch for point in folder.curve()] == [1, 2, 3]
    assert equal(list(folder.weights(3)["shared"].values()), weights(trained(SHORT)))


def test_folder_refuses_a_second_trainer_and_names_the_first(tmp_path: Path) -> None:
    folder, trainer = TrainingFolder(tmp_path), StagedTrainer(SPACE, DIGITS, SHORT, 0)
    with held_elsewhere(tmp_path / "lock"), pytest.raises(BusyError, match="process 1 on elsewhere"):
        folder.run(trainer, {}, lambda _: None)
    with pytest.raises(DataMissingError, match="lacks a checkpoint of epoch 2; it has: none"):
        folder.weights(2)


def test_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "epoch_0002.pt").write_bytes(b"PK")
    with pytest.raises(BenchsuiteError, match=r"epoch_0002\.pt cannot be read"):
        TrainingFolder(tmp_path).weights(2)


@pytest.mark.parametrize("statistics", ["batch", "running", "recalibrated"])
def test_readings_are_those_of_the_sub_network_alone(statistics: str) -> None:
    trainer = trained(SHORT)
    supernet = trainer.supernet
    validation, training = (part(DIGITS, 60, 1, "cpu") for part in (Split.validation, Split.training))
    rng = np.random.default_rng(0)
    architectures = [SPACE.draw(rng) for _ in range(12)]
    together = Evaluation(supernet, validation, training, batch=20, statistics=statistics).readouts(architectures)
    for architecture, readout in zip(architectures, together, strict=True):
        [alone] = Evaluation(supernet, validation, training, batch=20, statistics=statistics).readouts([architecture])
        assert alone.batches == readout.batches
        assert [batch.images for batch in readout.batches] == [20, 20, 20]
    if statistics == "batch":
        supernet.activate(architectures[0])
        losses, right = [], 0
        for inputs, targets in validation.in_order(20):
            with torch.no_grad():
                logits = supernet.train()(inputs)
            losses.append(float(cross_entropy(logits, targets)))
            right += int((logits.argmax(1) == targets).sum())
        assert together[0].loss == pytest.approx(np.mean(losses), rel=1e-6)
        assert together[0].accuracy == pytest.approx(100 * right / 60)


def test_reading_leaves_weights_and_running_statistics_alone() -> None:
    trainer = trained(SHORT)
    before = [value.clone() for value in weights(trainer)]
    names = list(trainer.supernet.state_dict())
    split = Split.validation(DIGITS, 40, 1, "cpu")
    for statistics in ("batch", "running"):
        Evaluation(trainer.supernet, split, split, batch=20, statistics=statistics).readouts([SPACE.every_string()[5]])
        for name, one, other in zip(names, before, weights(trainer), strict=True):
            assert torch.equal(one, other) or name.endswith("num_batches_tracked"), name


def test_training_learns() -> None:
    trainer = trained(PathTraining(epochs=15, batch=32, augmentation="none", kept=1))
    assert trainer.curve[-1].accuracy > 40
    assert trainer.curve[-1].loss < trainer.curve[0].loss - 0.5


def test_hyperparameters_that_make_no_training_are_refused() -> None:
    for training, message in (
        (PathTraining(schedule="linear"), "no schedule named 'linear'"),
        (PathTraining(accumulation="max"), "no accumulation named 'max'"),
        (PathTraining(epochs=0), "epochs = 0; must be positive"),
        (PathTraining(batch=10**6), "training images; choose a smaller batch"),
    ):
        with pytest.raises(BenchsuiteError, match=message):
            PathTrainer(SPACE, DIGITS, training, 0)
