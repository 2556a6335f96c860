"""The surrogate ensembles of NAS-Bench-301 (Siems et al., 2020): the ground truth of a space too large to train.

Published are folders `nb_models/xgb_v1.0/` with one folder for each member: `surrogate_model.model` (a pickled booster)
and `model_config.json`, whose "model" is "xgb" (or "lgb", for members fitted by oneself with the published code). The
boosters predict percent, untransformed, from the 56 numbers of `encoding`. They were fitted to accuracies
on 10,000 images held out of CIFAR-10's training images, after training on the other 40,000 for a budget of 100 epochs:
their predictions are *validation* accuracies. The published folder `lgb_runtime_v1.0` predicts seconds and is refused.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.core.errors import DataCorruptError, DataMissingError
from benchsuite.core.sequences import chunks
from benchsuite.core.types import ACCURACY, ARCHITECTURE, EPOCHS, SPLIT
from benchsuite.data.readers.boosters import load_booster
from benchsuite.data.readers.pieces import Piece, Progress, silent
from benchsuite.data.tables import normalise
from benchsuite.spaces.nasbench301.encoding import NAMES, encode
from benchsuite.spaces.nasbench301.space import NASBench301

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from benchsuite.data.readers.boosters import Booster

    Files = Mapping[PurePosixPath, Callable[[], bytes]]

ARCHITECTURES = 10_000  # sampled with seed 0 and predicted when an ensemble is imported
_MODEL = "surrogate_model.model"
_CONFIG = "model_config.json"
_ACCURACY_MODELS = ("xgb", "lgb")
_VERSION = re.compile(r".+_v\d.*")  # of the name of a published ensemble's folder
_CHUNK = 1_000
_AGAIN = "download it again from https://github.com/automl/nasbench301"


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Boosters whose mean is the ensemble's prediction; the published noise between them is left out.

    Attributes
    ----------
    members
        The boosters.
    """

    members: tuple[Booster, ...]

    def predict(self, architectures: Sequence[str]) -> NDArray[np.float64]:
        """Predict validation accuracies.

        A prediction is that of the string as it is: isomorphic cells written differently have different ones.

        Parameters
        ----------
        architectures
            Strings of the space.

        Returns
        -------
        ndarray
            Percent, one for each string.

        Raises
        ------
        InvalidArchitectureError
            If a string is not of the space, or has the operation "none", which the surrogates do not know.
        """
        rows = encode(architectures)
        mean: NDArray[np.float64] = np.mean([member.predict(rows) for member in self.members], axis=0)
        return mean


def load(path: Path) -> Surrogate:
    """Open the accuracy ensemble.

    Parameters
    ----------
    path
        A published folder, a folder that has it among others, or the published archive.

    Returns
    -------
    Surrogate
        Its members.

    Raises
    ------
    DataMissingError
        If there is no such file, or xgboost (lightgbm) is not installed.
    DataCorruptError
        If there is not exactly one accuracy ensemble, or a member is damaged, malicious or of other features.

    Examples
    --------
    >>> from pathlib import Path
    >>> load(Path("nowhere"))
    Traceback (most recent call last):
    ...
    benchsuite.core.errors.DataMissingError: nowhere does not exist; give an ensemble's folder, such as xgb_v1.0
    """
    if not path.exists():
        raise DataMissingError(f"{path} does not exist; give an ensemble's folder, such as xgb_v1.0")
    if path.is_dir():
        found = [file for name in (_MODEL, _CONFIG) for file in path.rglob(name)]
        return _ensemble({PurePosixPath(file.relative_to(path)): file.read_bytes for file in found}, path.name)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            return _ensemble({PurePosixPath(name): partial(archive.read, name) for name in names}, path.name)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:  # the last: encrypted
        reason = type(error).__name__
        raise DataCorruptError(
            f"{path.name} is truncated, encrypted or not a zip archive ({reason}); {_AGAIN}"
        ) from error


def _ensemble(files: Files, origin: str) -> Surrogate:
    kinds = {file: _kind(files, file.parent, origin) for file in sorted(files) if file.name == _MODEL}
    chosen = [file for file, kind in kinds.items() if kind in _ACCURACY_MODELS]
    if not chosen:
        raise DataCorruptError(
            f"{origin} does not contain an ensemble that predicts accuracies ({', '.join(_ACCURACY_MODELS)}); "
            f"its models: {', '.join(sorted(set(kinds.values()))) or 'none'}; give nb_models/xgb_v1.0"
        )
    versions = {next(filter(_VERSION.match, reversed(file.parts)), "others") for file in chosen}
    for several in ({kinds[file] for file in chosen}, versions):
        if len(several) > 1:
            raise DataCorruptError(
                f"{origin} contains several ensembles ({', '.join(sorted(several))}); give one's folder"
            )
    return Surrogate(tuple(_member(files[file](), f"{origin}/{file}") for file in chosen))


def _kind(files: Files, folder: PurePosixPath, origin: str) -> str:
    """Return what a member's configuration calls its model."""
    if folder / _CONFIG not in files:
        raise DataCorruptError(f"{origin}/{folder} has a {_MODEL} but no {_CONFIG}; {_AGAIN}")
    try:
        return str(json.loads(files[folder / _CONFIG]())["model"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataCorruptError(f"{origin}/{folder}/{_CONFIG} does not name its model; {_AGAIN}") from error


def _member(content: bytes, origin: str) -> Booster:
    booster = load_booster(content, origin=origin)
    if booster.features != len(NAMES):
        raise DataCorruptError(
            f"{origin} predicts from {booster.features} features, NAS-Bench-301 has {len(NAMES)}; {_AGAIN}"
        )
    return booster


def read(path: Path, progress: Progress = silent) -> Iterator[Piece]:
    """Predict the first 10,000 architectures that the space draws with seed 0, as its ground truth.

    Predictions are of split "valid" after 100 epochs, in trial 0: a surrogate has one prediction, no trainings.

    Parameters
    ----------
    path
        As for `load`.
    progress
        Is told how many of how many architectures are predicted.

    Yields
    ------
    Piece
        One table.
    """
    surrogate = load(path)
    architectures = sorted(NASBench301().sample(ARCHITECTURES, np.random.default_rng(0)))
    predictions: list[NDArray[np.float64]] = []
    for number, chunk in enumerate(chunks(architectures, _CHUNK), start=1):
        predictions.append(surrogate.predict(chunk))
        progress(min(number * _CHUNK, ARCHITECTURES), ARCHITECTURES)
    rows = {ARCHITECTURE: architectures, ACCURACY: np.concatenate(predictions), EPOCHS: 100, SPLIT: "valid"}
    yield Piece("nasbench301/cifar10", "table", normalise(pd.DataFrame(rows), path.name))
