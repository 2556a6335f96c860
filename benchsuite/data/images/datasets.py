"""Descriptions of the data sets on which benchmarks exist."""

from __future__ import annotations

from benchsuite.core.errors import UnknownNameError
from benchsuite.core.types import Dataset

_DATASETS = (
    Dataset("cifar10", classes=10),
    Dataset("cifar100", classes=100),
    Dataset("imagenet16-120", classes=120, size=16),
    Dataset("digits", classes=10, channels=1, size=8),  # as scikit-learn ships them
)


def dataset(name: str | Dataset) -> Dataset:
    """Return the description of a named data set.

    Parameters
    ----------
    name
        Such as "cifar10"; a description is returned as it is.

    Raises
    ------
    UnknownNameError
        If no data set has the name; describe your own images with `benchsuite.Dataset`.

    Examples
    --------
    >>> dataset("imagenet16-120").shape
    (3, 16, 16)
    """
    if isinstance(name, Dataset):
        return name
    known = {item.name: item for item in _DATASETS}
    if name not in known:
        raise UnknownNameError("dataset", name, known)
    return known[name]
