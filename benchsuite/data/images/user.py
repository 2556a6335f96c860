"""A user's own images: a folder with a subfolder per class, or an .npz archive."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.core.errors import DataCorruptError, DataMissingError
from benchsuite.data.images.official import Arrays, Integers, Pixels, split

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIXES = {".png", ".jpg", ".jpeg"}
_KEYS = ("x_train", "y_train", "x_test", "y_test")


def read_folder(folder: Path) -> Arrays:
    """Images of `folder/CLASS/*.png|jpg`, a fifth of each class for testing, or of `folder/train` and `folder/test`.

    Classes are numbered by the names of their subfolders. Images that all are grey have one channel.

    Raises
    ------
    DataMissingError, DataCorruptError
        If there are no images, sizes differ, or an image cannot be read.
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
        raise DataMissingError(f"no images in {folder}; put .png or .jpg files into one subfolder per class")
    pixels = [_read_image(path) for path, _ in files]
    for (path, _), image in zip(files, pixels, strict=True):
        if image.shape[1:] != pixels[0].shape[1:] or image.shape[1] != image.shape[2]:
            height, width = image.shape[1:]
            raise DataCorruptError(f"{path} is {width}x{height}; crop or resize all images to one square size")
    channels = max(len(image) for image in pixels)
    inputs = np.stack([np.repeat(image, channels // len(image), axis=0) for image in pixels])
    return inputs, np.array([target for _, target in files], dtype=np.int64)


def _read_image(path: Path) -> np.ndarray:
    """Pixels of a file, shape (1 or 3, height, width)."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - only a user's folder needs it

    try:
        with Image.open(path) as image:
            mode = "L" if image.mode in {"1", "L", "LA", "I", "I;16"} else "RGB"
            pixels = np.atleast_3d(np.asarray(image.convert(mode), dtype=np.uint8))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:  # pillow raises all three for broken files
        raise DataCorruptError(f"{path} cannot be read as an image; replace or remove it") from error
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def read_npz(path: Path) -> Arrays:
    """Images of an archive with x_train, y_train, x_test, y_test, or with inputs, targets (a fifth for testing).

    Pixels are uint8 or floating, shape (n, height, width), (n, channels, height, width) or channels last; classes
    count from 0.

    Raises
    ------
    DataMissingError, DataCorruptError
    """
    if not path.is_file():
        raise DataMissingError(f"no file at {path}; give a folder of images or an .npz archive")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            stored = dict(archive)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataCorruptError(f"{path} is truncated or no .npz archive of plain arrays") from error
    if set(_KEYS) <= set(stored):
        train, test = (_pair(path, stored, *_KEYS[part : part + 2]) for part in (0, 2))
        return Arrays(*train, *test)
    if {"inputs", "targets"} <= set(stored):
        return split(*_pair(path, stored, "inputs", "targets"))
    held = ", ".join(sorted(stored)) or "nothing"
    raise DataCorruptError(f"{path} holds {held}; it needs {', '.join(_KEYS)}, or inputs and targets")


def _pair(path: Path, stored: dict[str, np.ndarray], inputs: str, targets: str) -> tuple[Pixels, Integers]:
    pixels, classes = _as_pixels(path, inputs, stored[inputs]), np.asarray(stored[targets])
    if classes.ndim != 1 or classes.dtype.kind not in "iu" or len(classes) != len(pixels):
        shape = f"{classes.dtype} of shape {classes.shape}"
        raise DataCorruptError(
            f"{targets} in {path} is {shape}; it needs one whole number for each of {len(pixels)} images"
        )
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
