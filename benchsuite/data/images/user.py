"""A user's own images: a folder with a subfolder per class, or an .npz archive."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.core.errors import DataCorruptError, DataMissingError
from benchsuite.data.images.official import Arrays, Pixels, split

if TYPE_CHECKING:
    from pathlib import Path

    from benchsuite.core.arrays import Integers

_SUFFIXES = {".png", ".jpg", ".jpeg"}
_KEYS = ("x_train", "y_train", "x_test", "y_test")


def read_folder(folder: Path) -> Arrays:
    """Read a folder of images.

    Classes are numbered in the order of the names of their subfolders. If all images are grey, they have one channel.

    Parameters
    ----------
    folder
        Either `folder/CLASS/*.png|jpg`, of which a fifth of each class becomes test images, or `folder/train` and
        `folder/test`, each with a subfolder per class.

    Raises
    ------
    DataMissingError
        If the folder has no images.
    DataCorruptError
        If sizes differ, or an image cannot be read.
    """
    if not all((folder / part).is_dir() for part in ("train", "test")):
        return split(*_read_classes(folder, _class_names(folder)))
    names = _class_names(folder / "train")
    train, test = (_read_classes(folder / part, names) for part in ("train", "test"))
    channels = max(train[0].shape[1], test[0].shape[1])
    widened = [np.repeat(x, channels // x.shape[1], axis=1) for x in (train[0], test[0])]
    return Arrays(widened[0], train[1], widened[1], test[1])


def _class_names(folder: Path) -> list[str]:
    return sorted(place.name for place in folder.iterdir() if place.is_dir())


def _read_classes(folder: Path, names: list[str]) -> tuple[Pixels, Integers]:
    files = [
        (path, target)
        for target, name in enumerate(names)
        for path in sorted((folder / name).glob("*"))
        if path.suffix.lower() in _SUFFIXES
    ]
    if not files:
        raise DataMissingError(f"found no images in {folder}; put .png or .jpg files into one subfolder per class")
    pixels = [_read_image(path) for path, _ in files]
    for (path, _), image in zip(files, pixels, strict=True):
        if image.shape[1:] != pixels[0].shape[1:] or image.shape[1] != image.shape[2]:
            height, width = image.shape[1:]
            raise DataCorruptError(f"{path} is {width}x{height}; crop or resize all images to one square size")
    channels = max(len(image) for image in pixels)
    inputs = np.stack([np.repeat(image, channels // len(image), axis=0) for image in pixels])
    return inputs, np.array([target for _, target in files], dtype=np.int64)


def _read_image(path: Path) -> np.ndarray:
    """Return the pixels of a file, shape (1 or 3, height, width)."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - only a user's folder needs it

    try:
        with Image.open(path) as image:
            mode = "L" if image.mode in {"1", "L", "LA", "I", "I;16"} else "RGB"
            pixels = np.atleast_3d(np.asarray(image.convert(mode), dtype=np.uint8))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:  # pillow raises all three for broken files
        raise DataCorruptError(f"{path} cannot be read as an image; replace or remove it") from error
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def read_npz(path: Path) -> Arrays:
    """Read an archive of images.

    Parameters
    ----------
    path
        An .npz file with the arrays x_train, y_train, x_test, y_test, or with inputs and targets, of which a fifth of
        each class becomes test images. Pixels are uint8 or floating, shape (n, height, width), (n, channels, height,
        width) or channels last; classes count from 0.

    Raises
    ------
    DataMissingError
        If there is no such file.
    DataCorruptError
        If the file is truncated, or its arrays have other names, types or shapes.
    """
    if not path.is_file():
        raise DataMissingError(f"{path} does not exist; give a folder of images or an .npz archive")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            stored = dict(archive)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataCorruptError(
            f"{path} is truncated or not an .npz archive of plain arrays; write it with numpy.savez"
        ) from error
    if set(_KEYS) <= set(stored):
        train, test = (_pair(path, stored, *_KEYS[part : part + 2]) for part in (0, 2))
        return Arrays(*train, *test)
    if {"inputs", "targets"} <= set(stored):
        return split(*_pair(path, stored, "inputs", "targets"))
    held = ", ".join(sorted(stored)) or "nothing"
    raise DataCorruptError(f"{path} contains {held}; it needs {', '.join(_KEYS)}, or inputs and targets")


def _pair(path: Path, stored: dict[str, np.ndarray], inputs: str, targets: str) -> tuple[Pixels, Integers]:
    pixels, classes = _as_pixels(path, inputs, stored[inputs]), np.asarray(stored[targets])
    if classes.ndim != 1 or classes.dtype.kind not in "iu" or len(classes) != len(pixels):
        shape = f"{classes.dtype} of shape {classes.shape}"
        raise DataCorruptError(f"{targets} in {path} is {shape}; it needs one integer for each of {len(pixels)} images")
    if not len(classes) or classes.min() < 0:
        raise DataCorruptError(f"{targets} in {path} is empty or has classes below 0; count classes from 0")
    return pixels, classes.astype(np.int64)


def _as_pixels(path: Path, name: str, array: np.ndarray) -> Pixels:
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[1] not in {1, 3} and array.shape[3] in {1, 3}:
        array = array.transpose(0, 3, 1, 2)
    floating = array.dtype.kind == "f"
    if array.ndim != 4 or array.shape[2] != array.shape[3] or not (floating or array.dtype == np.uint8):
        shape = f"{array.dtype} of shape {array.shape}"
        raise DataCorruptError(
            f"{name} in {path} is {shape}; it needs uint8 or floating square images, (n, channels, side, side)"
        )
    return np.ascontiguousarray(array, dtype=np.float32 if floating else np.uint8)
