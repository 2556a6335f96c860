"""Pickled xgboost and lightgbm boosters, opened without running what the pickle asks for.

Such a pickle names the class Booster and gives its state, which holds the trees as one block: a buffer of xgboost's, a
text of lightgbm's. The pickle is read with an allow-list (see `pickles`), and the block alone is handed to the library.
The libraries trust blocks further than they should (a damaged one can end the process), so its frame is checked before;
that catches accidents, not an attacker, against whom the digest of the published file helps.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchsuite.core.errors import DataCorruptError, DataMissingError
from benchsuite.data.readers.pickles import PLAIN, load_pickle

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchsuite.data.readers.pickles import Allowed

_AGAIN = "get it again from its official page"
_INSTALL = "pip install 'benchsuite[nasbench301]'"
_XGBOOST_FRAME = b"CONFIG-offset:"  # of versions 1.0 to 1.6; then eight bytes: length of the trees, then JSON
_LIGHTGBM_END = "end of trees"


@dataclass(frozen=True, slots=True)
class Booster:
    """Boosted trees.

    Attributes
    ----------
    features
        Number of features that they need.
    predict
        Predictions, shape (n,), from features, shape (n, features).
    """

    features: int
    predict: Callable[[NDArray[np.float64]], NDArray[np.float64]]


class _State:
    """Stand-in for a class, which keeps the state that the pickle gives it."""

    def __init__(self) -> None:
        self.content: Any = None

    def __setstate__(self, state: Any) -> None:
        self.content = state


class _XGBoost(_State):
    pass


class _LightGBM(_State):
    pass


def _bytes(content: bytes = b"") -> bytes:
    """Stand in for a bytearray, which could also be asked for any amount of memory."""
    return bytes(memoryview(content))


def _no_entries(*_: object) -> dict[str, object]:
    """Stand in for a dictionary of scores along the training, which are not needed."""
    return {}


_ALLOWED: Allowed = {
    **PLAIN,
    ("builtins", "bytearray"): _bytes,
    ("collections", "defaultdict"): _no_entries,
    ("xgboost.core", "Booster"): _XGBoost,
    ("lightgbm.basic", "Booster"): _LightGBM,
}


def load_booster(content: bytes, *, origin: str) -> Booster:
    """Read the booster in a pickle that `pickle.dump(booster)` wrote with xgboost 1.0 to 3.0 or any lightgbm.

    Parameters
    ----------
    content
        The pickle.
    origin
        How messages name the file.

    Raises
    ------
    DataCorruptError
        If the pickle is truncated, contains anything but a booster, or the library cannot read the trees.
    DataMissingError
        If the library is not installed.

    Examples
    --------
    >>> import pickle
    >>> load_booster(pickle.dumps({"trees": []}), origin="the file")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    benchsuite.core.errors.DataCorruptError: the file is not a pickled xgboost or lightgbm booster; get it ...
    """
    found = load_pickle(content, _ALLOWED, origin=origin)
    state = found.content if isinstance(found, _State) and isinstance(found.content, dict) else {}
    trees = state.get("handle", state.get("_handle"))  # the second in lightgbm from 4.0 on
    if isinstance(found, _XGBoost) and isinstance(trees, bytes | bytearray):
        return _of_xgboost(bytes(trees), origin)
    if isinstance(found, _LightGBM) and isinstance(trees, str):
        return _of_lightgbm(trees, state.get("best_iteration"), origin)
    raise DataCorruptError(f"{origin} is not a pickled xgboost or lightgbm booster; {_AGAIN}")


def _of_xgboost(trees: bytes, origin: str) -> Booster:
    xgboost = _library("xgboost", origin)
    if not (_framed(trees) if trees.startswith(_XGBOOST_FRAME) else trees.startswith(b"{")):
        raise DataCorruptError(f"{origin} is a damaged xgboost booster; {_AGAIN}")
    booster = xgboost.Booster.__new__(xgboost.Booster)
    try:
        with xgboost.config_context(verbosity=0):  # it warns of every file that an older version wrote
            booster.__setstate__({"handle": bytearray(trees)})
            features = int(booster.num_features())
    except xgboost.core.XGBoostError as error:
        raise DataCorruptError(
            f"{origin} is a booster that xgboost {xgboost.__version__} cannot read: it is damaged, or needs an "
            f"older xgboost: {_INSTALL} installs one that reads all from 1.0 on"
        ) from error

    def predict(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        with xgboost.config_context(verbosity=0):
            predictions = booster.predict(xgboost.DMatrix(rows), validate_features=False)
        return np.asarray(predictions, dtype=np.float64)

    return Booster(features, predict)


def _framed(trees: bytes) -> bool:
    """Return whether the configuration lies where the frame says that the trees end."""
    start = len(_XGBOOST_FRAME) + 8
    end = start + int.from_bytes(trees[len(_XGBOOST_FRAME) : start], "little", signed=True)
    try:
        return end > start and isinstance(json.loads(trees[end:]), dict)
    except ValueError:
        return False


def _of_lightgbm(text: str, best_iteration: object, origin: str) -> Booster:
    lightgbm = _library("lightgbm", origin)
    trees, found, _ = text.partition(_LIGHTGBM_END)  # the training's parameters follow, of which it warns
    if not found or not _complete(trees):
        raise DataCorruptError(f"{origin} is a damaged lightgbm booster; {_AGAIN}")
    try:
        booster = lightgbm.Booster(model_str=trees + _LIGHTGBM_END + "\n")
    except lightgbm.basic.LightGBMError as error:
        raise DataCorruptError(
            f"{origin} is a booster that lightgbm {lightgbm.__version__} cannot read; {_AGAIN}"
        ) from error
    # Where training stopped early, lightgbm predicts with the trees of the best moment; the text does not say which.
    best = best_iteration if isinstance(best_iteration, int) and best_iteration > 0 else None

    def predict(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(booster.predict(rows, num_iteration=best), dtype=np.float64)

    return Booster(int(booster.num_feature()), predict)


def _complete(trees: str) -> bool:
    """Return whether the trees are as long as the text says at its beginning."""
    head, _, body = trees.partition("\n\n")
    sizes = next((line for line in head.splitlines() if line.startswith("tree_sizes=")), "tree_sizes=?")
    numbers = sizes.removeprefix("tree_sizes=").split()
    return all(number.isdecimal() for number in numbers) and sum(map(int, numbers)) == len(body.encode())


def _library(name: str, origin: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DataMissingError(f"{origin} needs {name}, which is not installed; run: {_INSTALL}") from error
