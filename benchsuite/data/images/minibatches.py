"""Image sets by name or path, their normalisation, and the class-balanced minibatches that estimators see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.core.identity import seed_of
from benchsuite.core.types import Dataset
from benchsuite.data.cards import read_card
from benchsuite.data.home import data_home
from benchsuite.data.images import canvas
from benchsuite.data.images import official as image_files
from benchsuite.data.images import small as small_images
from benchsuite.data.images import user as user_images
from benchsuite.data.images.official import Arrays, Pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchsuite.core.arrays import Integers, Singles

_ROUNDED = {  # mean and standard deviation of each channel, as NAS-Bench-201 and most public code round them
    "cifar10": ((125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
    "cifar100": ((129.3, 124.1, 112.4), (68.2, 65.4, 70.4)),
    "imagenet16-120": ((122.68, 116.66, 104.01), (63.22, 61.26, 65.09)),
}
_READERS: dict[str, Callable[[Path], Arrays]] = {
    "cifar10": image_files.read_cifar10,
    "cifar100": image_files.read_cifar100,
    "imagenet16-120": image_files.read_imagenet16,
}
_MADE: dict[str, Callable[[], Arrays]] = {
    "digits": small_images.digits,
    "mnist": small_images.mnist,
    **{name: task.make for name, task in canvas.TASKS.items()},
}


@dataclass(frozen=True, slots=True)
class Images:
    """Training and test images with their classes.

    Attributes
    ----------
    name
        Name of the image set.
    dataset
        Number of classes and shape of an image.
    train_inputs, test_inputs
        Stored pixels, shape (n, channels, height, width).
    train_targets, test_targets
        Classes, counted from 0, shape (n,).
    mean, deviation
        Mean and standard deviation of each channel, in the unit of the pixels.
    digest
        sha256 of the four arrays.
    """

    name: str
    dataset: Dataset
    train_inputs: Pixels
    train_targets: Integers
    test_inputs: Pixels
    test_targets: Integers
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    digest: str

    def normalise(self, inputs: Pixels) -> Singles:
        """Return pixels with the channels' mean removed, in units of their standard deviation.

        Parameters
        ----------
        inputs
            Stored pixels, shape (n, channels, height, width).

        Returns
        -------
        Singles
            (inputs - mean) / deviation, same shape.
        """
        shape = (1, -1, 1, 1)
        mean, deviation = (np.reshape(value, shape).astype(np.float32) for value in (self.mean, self.deviation))
        normalised: Singles = (inputs.astype(np.float32) - mean) / deviation
        return normalised


def load_images(name: str) -> Images:
    """Return a named image set, or a user's own.

    Parameters
    ----------
    name
        cifar10, cifar100 or imagenet16-120 (read from the data folder), digits, mnist, a generated task, or the path
        of a folder or of an .npz archive.

    Raises
    ------
    DataMissingError
        If the files are not on this machine.
    UnknownNameError
        If the name is neither known nor a path.

    Examples
    --------
    >>> load_images("digits").dataset
    Dataset(name='digits', classes=10, channels=1, size=8)
    """
    return _load(name, data_home())


@lru_cache(maxsize=4)
def _load(name: str, home: Path) -> Images:
    if name in _READERS:
        return of_arrays(name, _READERS[name](home / "images" / name))
    if name in _MADE:
        return of_arrays(name, _MADE[name]())
    path = Path(name).expanduser()
    if path.is_dir():
        return of_arrays(path.resolve().name, user_images.read_folder(path))
    if path.suffix == ".npz":
        return of_arrays(path.stem, user_images.read_npz(path))
    raise UnknownNameError("image set", name, [*_READERS, *_MADE, "a folder", "an .npz file"])


def describe_images(name: str) -> str:
    """Return what reports call an image set: the title under which it was imported, else its name.

    Parameters
    ----------
    name
        Name of the image set.

    Examples
    --------
    >>> describe_images("digits")
    'digits images'
    """
    title = read_card(data_home() / "images" / name).get("title") if name in _READERS else None
    return str(title or f"{name} images")


def of_arrays(name: str, arrays: Arrays) -> Images:
    """Return the image set that some arrays form.

    Parameters
    ----------
    name
        Name of the image set; where public code has a usual normalisation for it, that is taken, otherwise the one of
        the training images.
    arrays
        Pixels and classes.
    """
    inputs = arrays.train_inputs
    classes = int(max(arrays.train_targets.max(), arrays.test_targets.max())) + 1
    mean, deviation = _ROUNDED.get(name) or _moments(inputs)
    return Images(
        name,
        Dataset(name, classes, channels=inputs.shape[1], size=inputs.shape[2]),
        *arrays,
        mean=mean,
        deviation=deviation,
        digest=_digest(arrays),
    )


def _moments(inputs: Pixels) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of each channel; a constant channel keeps its scale."""
    channels = [inputs[:, channel].astype(np.float64) for channel in range(inputs.shape[1])]
    return tuple(float(c.mean()) for c in channels), tuple(float(c.std()) or 1.0 for c in channels)


def _digest(arrays: Arrays) -> str:
    state = hashlib.sha256()
    for array in arrays:
        state.update(f"{array.dtype.str}{array.shape}".encode())
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


@lru_cache(maxsize=4)
def noise(dataset: Dataset) -> Images:
    """Return standard normal inputs with balanced random classes, for estimators that need no real images.

    Parameters
    ----------
    dataset
        Number of classes and shape of an image.

    Examples
    --------
    >>> noise(Dataset("cifar10", 10)).train_inputs.shape[1:]
    (3, 32, 32)
    """
    rng = np.random.default_rng(0)
    parts: list[Pixels | Integers] = []
    for per_class in (max(16, 2048 // dataset.classes), 16):
        number = per_class * dataset.classes
        parts += [
            rng.standard_normal((number, *dataset.shape), dtype=np.float32),
            rng.permutation(number) % dataset.classes,
        ]
    images = of_arrays("noise", Arrays(*parts))  # type: ignore[arg-type]  # alternately pixels and classes
    unit = dataset.channels * (1.0,)
    return replace(images, dataset=dataset, mean=dataset.channels * (0.0,), deviation=unit)


def minibatch(images: Images, size: int, seed: int, number: int = 1) -> list[tuple[Singles, Integers]]:
    """Draw disjoint, class-balanced minibatches of training images that depend only on the arguments.

    In each minibatch the numbers of images of two classes differ by at most one. The first of several is the one that
    `number=1` gives.

    Parameters
    ----------
    images
        Where the images come from.
    size
        Images in a minibatch.
    seed
        Seed of the draw.
    number
        How many minibatches.

    Returns
    -------
    list
        Normalised inputs, shape (size, channels, height, width), and their classes, shape (size,), of each minibatch.

    Raises
    ------
    SuiteError
        If size or number is below 1, or a class has too few images.

    Examples
    --------
    >>> inputs, targets = minibatch(load_images("digits"), size=20, seed=0)[0]
    >>> inputs.shape, np.bincount(targets).tolist()
    ((20, 1, 8, 8), [2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    """
    for name, value in (("size", size), ("number", number)):
        if value < 1:
            raise SuiteError(f"batch.{name} = {value}; must be at least 1")
    targets = images.train_targets
    if size * number > len(targets):  # said before memory is taken for the order of as many images
        raise SuiteError(
            f"{images.name!r} has too few training images for {number} minibatches of {size}, only {len(targets):,}; "
            "choose fewer or smaller minibatches"
        )
    rng = np.random.default_rng(seed_of("minibatch", seed))
    queues = [rng.permutation(np.flatnonzero(targets == k)) for k in range(images.dataset.classes)]
    batches = []
    for order, counts in _class_counts(len(queues), size, number, rng):
        _check_supply(images, queues, counts, f"{number} minibatches of {size}")
        chosen = np.concatenate([queue[:count] for queue, count in zip(queues, counts, strict=True)])[order]
        queues = [queue[count:] for queue, count in zip(queues, counts, strict=True)]
        batches.append((images.normalise(images.train_inputs[chosen]), targets[chosen]))
    return batches


def _class_counts(
    classes: int, size: int, number: int, rng: np.random.Generator
) -> Iterator[tuple[Integers, Integers]]:
    """Yield for each minibatch the order of its images and the number of images of each class.

    The classes that have one image more take turns, so that the totals are balanced too.
    """
    turns = rng.permutation(classes)
    base, more = divmod(size, classes)
    for batch in range(number):
        counts = np.full(classes, base)
        counts[np.roll(turns, -batch * more)[:more]] += 1
        yield rng.permutation(size), counts


def _check_supply(images: Images, queues: list[Integers], counts: Integers, wanted: str) -> None:
    for k, (queue, count) in enumerate(zip(queues, counts, strict=True)):
        if len(queue) < count:
            raise SuiteError(
                f"class {k} of {images.name!r} has too few training images for {wanted}; choose fewer or smaller "
                "minibatches"
            )
