"""How a supernet is built for its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import torch

from benchsuite.core.identity import seed_of
from benchsuite.core.types import Dataset
from benchsuite.estimators.torchtools.layout import lay_channels_last
from benchsuite.estimators.torchtools.preserve import seeded

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchsuite.core.supernet import Supernet

S = TypeVar("S", bound="Supernet")


def build_seeded(make: Callable[[], S], seed: int, device: str) -> S:
    """Build a supernet whose initial weights depend on the seed of its training alone.

    Parameters
    ----------
    make
        Builds the supernet on the CPU and draws its weights from torch's current random state.
    seed
        Seed of the training.
    device
        Where the supernet is trained.

    Returns
    -------
    Supernet
        On the device, its convolutions channels last in memory.
    """
    with seeded(seed_of("supernet", seed), torch.device("cpu")):
        supernet = make()
    lay_channels_last(supernet.to(device))
    return supernet


def shrunken(dataset: Dataset, shrink: int) -> Dataset:
    """Return the description of a data set whose images are averaged over squares of pixels.

    Parameters
    ----------
    dataset
        Description of the data set.
    shrink
        Side of a square in pixels; 1 leaves the images as they are.

    Returns
    -------
    Dataset
        With a side that is smaller by this factor.

    Examples
    --------
    >>> shrunken(Dataset("digits", 10, 1, 8), 2).size
    4
    """
    return Dataset(dataset.name, dataset.classes, dataset.channels, dataset.size // shrink)
