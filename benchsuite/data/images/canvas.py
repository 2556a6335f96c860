"""Generated image tasks: digits somewhere on a canvas, among pieces of other digits and noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.core.identity import seed_of
from benchsuite.data.images.official import Arrays
from benchsuite.data.images.small import digits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchsuite.core.arrays import Booleans, Floats, Integers, Singles

_CHUNK = 2000  # images made at once: keeps the memory small


@dataclass(frozen=True, slots=True)
class ClutteredDigits:
    """The task of telling which digit lies whole on a canvas.

    Training images are made from the 1,198 training digits of scikit-learn's set only, test images from the 599 others.

    Attributes
    ----------
    size
        Side of the canvas in pixels, at least 8 times the largest scale.
    clutter
        Number of square pieces of other digits.
    piece
        Side of these pieces in pixels of the digit; a whole digit has 8.
    noise
        Standard deviation of the pixel noise; the strokes of a digit have a brightness of up to 1.
    turn
        Largest rotation, in radians.
    scale
        Smallest and largest magnification.
    training, test
        Numbers of images.
    """

    size: int = 12
    clutter: int = 2
    piece: int = 4
    noise: float = 0.05
    turn: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    training: int = 16_000
    test: int = 4_000

    def make(self) -> Arrays:
        """Return the images, always the same for the same parameters; this takes a second or two.

        Examples
        --------
        >>> ClutteredDigits(training=20, test=10).make().train_inputs.shape
        (20, 1, 12, 12)
        """
        source = digits()
        train = self._images(source.train_inputs, source.train_targets, self.training, "train")
        test = self._images(source.test_inputs, source.test_targets, self.test, "test")
        return Arrays(*train, *test)

    def _images(
        self, inputs: NDArray[np.generic], targets: Integers, number: int, part: str
    ) -> tuple[NDArray[np.uint8], Integers]:
        rng = np.random.default_rng(seed_of("cluttered digits", part))
        sources = inputs[:, 0].astype(np.float32) / np.float32(16)
        classes = np.arange(number) % 10
        pixels = [self._canvases(sources, targets, classes[at : at + _CHUNK], rng) for at in range(0, number, _CHUNK)]
        return np.concatenate(pixels), classes

    def _canvases(
        self, sources: Singles, targets: Integers, classes: Integers, rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        chosen = np.empty(len(classes), dtype=np.int64)
        for digit in range(10):
            here = classes == digit
            chosen[here] = rng.choice(np.flatnonzero(targets == digit), here.sum())
        canvas = self._placed(sources[chosen], 8, rng)
        for _ in range(self.clutter):
            others = sources[rng.integers(0, len(sources), len(classes))]
            canvas = np.maximum(canvas, self._placed(others * self._windows(len(classes), rng), self.piece, rng))
        canvas = canvas + rng.normal(0, self.noise, canvas.shape).astype(np.float32)
        pixels: NDArray[np.uint8] = np.round(255 * np.clip(0.1 + 0.8 * canvas, 0, 1)).astype(np.uint8)
        return pixels[:, None]

    def _windows(self, number: int, rng: np.random.Generator) -> Booleans:
        """Return masks that let one square piece of a digit through, shape (number, 8, 8)."""
        corner = rng.integers(0, 9 - self.piece, (number, 2, 1))
        inside = (np.arange(8) >= corner) & (np.arange(8) < corner + self.piece)
        mask: Booleans = inside[:, 0, :, None] & inside[:, 1, None, :]
        return mask

    def _placed(self, pictures: Singles, extent: int, rng: np.random.Generator) -> Singles:
        """Turn and scale pictures, shape (n, 8, 8); put their middles where a square of `extent` pixels fits."""
        number = len(pictures)
        scale = rng.uniform(*self.scale, number)
        margin = np.minimum(scale * extent / 2, self.size / 2) - 0.5
        centre = rng.uniform(margin, self.size - 1 - margin, (2, number))
        return warp(pictures, centre, rng.uniform(-self.turn, self.turn, number), scale, self.size)


def warp(pictures: Singles, centre: Floats, angle: Floats, scale: Floats, size: int) -> Singles:
    """Draw pictures on black canvases: turned, magnified and moved, with bilinear interpolation between the pixels.

    Parameters
    ----------
    pictures
        Shape (n, side, side).
    centre
        Row and column of the pictures' middles, shape (2, n); 0 is the middle of the first pixel.
    angle
        Rotation of each picture in radians, shape (n,).
    scale
        Magnification of each picture, shape (n,).
    size
        Side of the canvases in pixels.

    Returns
    -------
    Singles
        The canvases, shape (n, size, size).

    Examples
    --------
    >>> dot = np.ones((1, 1, 1), np.float32)
    >>> warp(dot, np.array([[0.0], [1.0]]), np.zeros(1), np.ones(1), 2).tolist()
    [[[0.0, 1.0], [0.0, 0.0]]]
    """
    n, side, _ = pictures.shape
    padded = np.pad(pictures, ((0, 0), (1, 2), (1, 2)))
    rows, columns = (np.arange(size)[:, None] - centre[0, :, None, None], np.arange(size) - centre[1, :, None, None])
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    middle = (side + 1) / 2  # of the padded picture
    row = np.clip(cosine[:, None, None] * rows - sine[:, None, None] * columns + middle, 0, side + 1)
    column = np.clip(sine[:, None, None] * rows + cosine[:, None, None] * columns + middle, 0, side + 1)
    top, left = row.astype(np.int64), column.astype(np.int64)
    down, right = (row - top).astype(np.float32), (column - left).astype(np.float32)
    flat, width = padded.reshape(-1), side + 3
    corner = (np.arange(n)[:, None, None] * width + top) * width + left
    upper = flat[corner] * (1 - right) + flat[corner + 1] * right
    lower = flat[corner + width] * (1 - right) + flat[corner + width + 1] * right
    warped: Singles = upper * (1 - down) + lower * down
    return warped


# Deep and thin networks learn slowly: on scattered digits they differ in accuracy when they do not yet among clutter.
TASKS = {"cluttered-digits": ClutteredDigits(), "scattered-digits": ClutteredDigits(clutter=0, test=2_000)}
