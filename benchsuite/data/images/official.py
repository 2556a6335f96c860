"""Readers of the official files of CIFAR-10, CIFAR-100 and ImageNet16-120, and how images are split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchsuite.core.errors import DataCorruptError, DataMissingError
from benchsuite.data.readers.pickles import PLAIN, load_pickle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchsuite.core.arrays import Integers

Pixels = NDArray[np.uint8 | np.float32]
_TRAINING_SHARE = 0.8  # of a user's images that come without a split


class Arrays(NamedTuple):
    """Pixels, shape (n, channels, height, width), and classes, shape (n,), of training and test images."""

    train_inputs: Pixels
    train_targets: Integers
    test_inputs: Pixels
    test_targets: Integers


def split(inputs: Pixels, targets: Integers, share: float = _TRAINING_SHARE) -> Arrays:
    """Divide images into training and test images, in a fixed random order.

    Parameters
    ----------
    inputs
        Pixels, shape (n, channels, height, width).
    targets
        Classes, shape (n,).
    share
        Share of each class that becomes training images.

    Examples
    --------
    >>> [len(array) for array in split(np.zeros((30, 1, 4, 4), np.uint8), np.arange(30) % 2)]
    [24, 24, 6, 6]
    """
    rng = np.random.default_rng(0)
    members = [rng.permutation(np.flatnonzero(targets == k)) for k in np.unique(targets)]
    cuts = [round(share * len(group)) for group in members]
    train = rng.permutation(np.concatenate([group[:cut] for group, cut in zip(members, cuts, strict=True)]))
    test = rng.permutation(np.concatenate([group[cut:] for group, cut in zip(members, cuts, strict=True)]))
    return Arrays(inputs[train], targets[train], inputs[test], targets[test])


def _empty_array(_kind: object, _shape: object, _code: object) -> NDArray[Any]:
    """Return the array that a pickle then fills: a plain one, whatever class the pickle names."""
    return np.empty(0, np.int8)


_ARRAYS: dict[tuple[str, str], Callable[..., Any]] = {
    **PLAIN,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
}


def read_cifar10(folder: Path) -> Arrays:
    """Read CIFAR-10 (Krizhevsky 2009).

    Parameters
    ----------
    folder
        The folder of the official python or binary batches, or the one above it.

    Raises
    ------
    DataMissingError
        If a file is missing.
    DataCorruptError
        If a file is truncated or foreign.
    """
    train = [f"data_batch_{number}" for number in range(1, 6)]
    return _read_cifar(folder, "cifar10", ("cifar-10-batches-py", "cifar-10-batches-bin"), (train, ["test_batch"]), 10)


def read_cifar100(folder: Path) -> Arrays:
    """Read CIFAR-100 with its 100 fine classes.

    Parameters
    ----------
    folder
        The folder of the official python or binary files, or the one above it.

    Raises
    ------
    DataMissingError
        If a file is missing.
    DataCorruptError
        If a file is truncated or foreign.
    """
    return _read_cifar(folder, "cifar100", ("cifar-100-python", "cifar-100-binary"), (["train"], ["test"]), 100)


def _read_cifar(
    folder: Path, name: str, layouts: tuple[str, str], files: tuple[list[str], list[str]], classes: int
) -> Arrays:
    binary = tuple([f"{file}.bin" for file in part] for part in files)
    for layout, parts, read in ((layouts[0], files, _python_batch), (layouts[1], binary, _binary_batch)):
        for place in (folder, folder / layout):
            if (place / parts[0][0]).is_file():
                train, test = (_join([read(_present(place / file, name), classes) for file in part]) for part in parts)
                return Arrays(*train, *test)
    raise _missing(name, folder)


def read_imagenet16(folder: Path) -> Arrays:
    """Read ImageNet16-120: the first 120 classes of ImageNet at 16x16 pixels.

    Training images are those of `train_data_batch_1` to `_10`, test images those of `val_data` (Chrabaszcz et al. 2017;
    the 120 classes are NAS-Bench-201's).

    Parameters
    ----------
    folder
        The folder of the official batches, or the one above it.

    Raises
    ------
    DataMissingError
        If a file is missing.
    DataCorruptError
        If a file is truncated or foreign.
    """
    name = "imagenet16-120"
    place = next((p for p in (folder, folder / "ImageNet16") if (p / "train_data_batch_1").is_file()), None)
    if place is None:
        raise _missing(name, folder)
    files = [[f"train_data_batch_{number}" for number in range(1, 11)], ["val_data"]]
    train, test = (_join([_imagenet_batch(_present(place / file, name)) for file in part]) for part in files)
    return Arrays(*train, *test)


def _imagenet_batch(path: Path) -> tuple[Pixels, Integers]:
    inputs, labels = _unpickled(path, "labels", side=16)
    chosen = labels <= 120  # stored classes count from 1
    return inputs[chosen], _in_range(labels[chosen] - 1, 120, path)


def _python_batch(path: Path, classes: int) -> tuple[Pixels, Integers]:
    inputs, labels = _unpickled(path, "labels" if classes == 10 else "fine_labels", side=32)
    return inputs, _in_range(labels, classes, path)


def _unpickled(path: Path, key: str, *, side: int) -> tuple[NDArray[np.uint8], Integers]:
    with path.open("rb") as stream:
        batch = load_pickle(stream, _ARRAYS, origin=str(path), encoding="latin1")  # written by Python 2
    try:
        inputs = np.asarray(batch["data"]).astype(np.uint8, casting="safe").reshape(-1, 3, side, side)
        labels = np.asarray(batch[key], dtype=np.int64)
    except (TypeError, ValueError, KeyError) as error:
        raise _foreign(
            path, f"it lacks the pixels of {side}x{side} images under 'data', or classes under {key!r}"
        ) from error
    if len(inputs) != len(labels):
        raise _foreign(path, f"{len(inputs)} images but {len(labels)} classes")
    return inputs, labels


def _binary_batch(path: Path, classes: int) -> tuple[Pixels, Integers]:
    head = 1 if classes == 10 else 2  # CIFAR-100 puts the coarse class before the fine one
    width = head + 3 * 32 * 32
    raw = np.fromfile(path, dtype=np.uint8)
    if raw.size == 0 or raw.size % width:
        raise _foreign(path, f"its {raw.size} bytes cannot be divided into records of {width} bytes")
    records = raw.reshape(-1, width)
    return records[:, head:].reshape(-1, 3, 32, 32), _in_range(records[:, head - 1].astype(np.int64), classes, path)


def _join(batches: Sequence[tuple[Pixels, Integers]]) -> tuple[Pixels, Integers]:
    inputs, targets = zip(*batches, strict=True)
    return np.concatenate(inputs), np.concatenate(targets)


def _in_range(labels: Integers, classes: int, path: Path) -> Integers:
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise _foreign(path, f"classes {labels.min()} to {labels.max()}, not within 0 to {classes - 1}")
    return labels


def _present(path: Path, name: str) -> Path:
    if not path.is_file():
        raise DataMissingError(f"{path}, a file of {name}, is missing; run: benchsuite data fetch {name}")
    return path


def _missing(name: str, folder: Path) -> DataMissingError:
    return DataMissingError(
        f"the images of {name} are not in {folder}; "
        f"run: benchsuite data fetch {name}, or: benchsuite data import DIR with the folder of its official files"
    )


def _foreign(path: Path, reason: str) -> DataCorruptError:
    return DataCorruptError(f"{path} is truncated or foreign: {reason}; get it again from its official page")
