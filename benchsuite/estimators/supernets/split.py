"""Training and validation images of a supernet, as tensors: drawn in batches, augmented, normalised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from torch.nn import functional

from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.core.identity import seed_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from benchsuite.data.images.minibatches import Images

AUGMENTATIONS = ("none", "crop", "crop+flip")
_VALIDATION = 5  # one in so many training images validates
_PADDING = 4


@dataclass(frozen=True, slots=True)
class Split:
    """Images in their stored unit with their classes; they are normalised when drawn, so that they stay small.

    The training split of an image set is shuffled by a fixed seed; four fifths of it train supernets, and the last
    fifth validates them. Its test split is not used.

    Attributes
    ----------
    inputs
        Shape (images, channels, height, width).
    targets
        Classes, shape (images,).
    mean, deviation
        Of each channel, shape (1, channels, 1, 1).
    """

    inputs: Tensor
    targets: Tensor
    mean: Tensor
    deviation: Tensor

    @classmethod
    def training(cls, images: Images, number: int, shrink: int, device: str) -> Self:
        """Take the first of the images that train supernets.

        Parameters
        ----------
        images
            The image set.
        number
            How many; 0 = all.
        shrink
            Images are averaged over squares of so many pixels a side.
        device
            Where the images are kept.

        Returns
        -------
        Split
            Images in a fixed random order.

        Raises
        ------
        SuiteError
            If there are fewer images, or their side is not a multiple of `shrink`.
        """
        return cls._of(images, _positions(images)[0], number, shrink, device)

    @classmethod
    def validation(cls, images: Images, number: int, shrink: int, device: str) -> Self:
        """Take the first of the images that validate supernets.

        Parameters
        ----------
        images
            The image set.
        number
            How many; 0 = all.
        shrink
            Images are averaged over squares of so many pixels a side.
        device
            Where the images are kept.

        Returns
        -------
        Split
            Images in a fixed random order.

        Raises
        ------
        SuiteError
            If there are fewer images, or their side is not a multiple of `shrink`.
        """
        return cls._of(images, _positions(images)[1], number, shrink, device)

    @classmethod
    def _of(cls, images: Images, positions: np.ndarray, number: int, shrink: int, device: str) -> Self:
        if not 0 <= number <= len(positions):
            raise SuiteError(f"{images.name}: images = {number}; must be 0 (all) to {len(positions)}")
        if images.dataset.size % shrink:
            raise SuiteError(f"shrink = {shrink}; must divide the images' side, {images.dataset.size} pixels")
        chosen = positions[: number or len(positions)]
        inputs = torch.tensor(images.train_inputs[chosen])
        if shrink > 1:
            inputs = functional.avg_pool2d(inputs.float(), shrink)
        moments = (torch.tensor(values, device=device).view(1, -1, 1, 1) for values in (images.mean, images.deviation))
        return cls(inputs.to(device), torch.tensor(images.train_targets[chosen], device=device), *moments)

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def device(self) -> torch.device:
        """Where the images are."""
        return self.targets.device

    def head(self, number: int) -> Split:
        """Return the first images.

        Parameters
        ----------
        number
            How many.

        Returns
        -------
        Split
            They share memory with this one.
        """
        return replace(self, inputs=self.inputs[:number], targets=self.targets[:number])

    def batches(self, size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield normalised batches in random order, channels last; images that do not fill a batch are left out.

        Parameters
        ----------
        size
            Images in a batch.
        seed
            Seed of the order.

        Yields
        ------
        tuple
            Images (size, channels, height, width) and classes (size,).
        """
        order = torch.from_numpy(np.random.default_rng(seed).permutation(len(self))).to(self.device)
        for first in range(0, len(self) - size + 1, size):
            yield self._drawn(order[first : first + size])

    def in_order(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield normalised batches in the stored order, channels last; the last one may be smaller.

        Parameters
        ----------
        size
            Images in a batch.

        Yields
        ------
        tuple
            Images (n, channels, height, width) and classes (n,).
        """
        for positions in torch.split(torch.arange(len(self), device=self.device), size):
            yield self._drawn(positions)

    def _drawn(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        inputs = (self.inputs[positions].float() - self.mean) / self.deviation
        return inputs.contiguous(memory_format=torch.channels_last), self.targets[positions]


def sizes(images: Images) -> tuple[int, int]:
    """Return the numbers of images that may train and that validate.

    Parameters
    ----------
    images
        The image set.

    Returns
    -------
    tuple
        Four fifths and one fifth of its training split.

    Examples
    --------
    >>> from benchsuite.data.images.minibatches import load_images
    >>> sizes(load_images("digits"))
    (959, 239)
    """
    trained, validating = _positions(images)
    return len(trained), len(validating)


def _positions(images: Images) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the images that train and of those that validate."""
    order = np.random.default_rng(seed_of("split")).permutation(len(images.train_targets))
    trained = len(order) - len(order) // _VALIDATION
    return order[:trained], order[trained:]


def augmented(inputs: Tensor, name: str) -> Tensor:
    """Shift images at random by up to four pixels, padded with zeros, and mirror half of them.

    Parameters
    ----------
    inputs
        Normalised images (batch, channels, height, width).
    name
        "crop+flip", "crop" without mirror images, or "none".

    Returns
    -------
    Tensor
        Of the same shape; random numbers come from torch's current random state.

    Raises
    ------
    UnknownNameError
        If it is another name.

    Examples
    --------
    >>> images = torch.ones(2, 3, 8, 8)
    >>> augmented(images, "none") is images, augmented(images, "crop").shape
    (True, torch.Size([2, 3, 8, 8]))
    """
    if name not in AUGMENTATIONS:
        raise UnknownNameError("augmentation", name, AUGMENTATIONS)
    if name == "none":
        return inputs
    n, _, height, width = inputs.shape
    rows, columns = _shifted(n, height, inputs.device), _shifted(n, width, inputs.device)
    if name == "crop+flip":
        mirrored = torch.rand(n, 1).to(inputs.device) < 0.5
        columns = torch.where(mirrored, columns.flip(1), columns)
    last = functional.pad(inputs, [_PADDING] * 4).movedim(1, -1)
    images = torch.arange(n, device=inputs.device)
    return last[images[:, None, None], rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def _shifted(n: int, side: int, device: torch.device) -> Tensor:
    """Return the positions in the padded image of each image's rows or columns, shape (n, side)."""
    return torch.randint(0, 2 * _PADDING + 1, (n, 1)).to(device) + torch.arange(side, device=device)
