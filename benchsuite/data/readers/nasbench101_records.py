"""Reader of the official NAS-Bench-101 files, `nasbench_full.tfrecord` and `nasbench_only108.tfrecord`.

A record is a training (Ying et al., ICML 2019): a JSON list of the module's hash, the epochs, the module's adjacency
matrix as a row of digits, the operations of its vertices, and a protocol buffer (`ModelMetrics`, as base64 text) with
evaluations at the start, halfway and at the end. Every module was trained three times for each number of epochs, in
trainings of their own with their own learning-rate schedules. What is kept is the accuracy at the end, on the images
for validation and for testing; halfway, the learning rate is still high, and shorter trainings tell more.
"""

from __future__ import annotations

import base64
import json
from array import array
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.core.errors import DataCorruptError
from benchsuite.core.types import ARCHITECTURE, EPOCHS, TRIAL
from benchsuite.data.readers.pieces import Piece, Progress, silent
from benchsuite.data.readers.protobuf import fields
from benchsuite.data.readers.tfrecord import records
from benchsuite.data.tables import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchsuite.core.arrays import Floats, Integers

_EVALUATION = 1  # field of ModelMetrics, repeated: start, halfway, end
_SPLITS = {"valid": 4, "test": 5}  # fields of EvaluationData
_OPERATIONS = {"conv3x3-bn-relu": "conv3x3", "conv1x1-bn-relu": "conv1x1", "maxpool3x3": "maxpool3x3"}
_AT_ONCE = 5_000  # modules in a piece: 120,000 rows of the full file


@dataclass(slots=True)
class _Trainings:
    """All trainings of the file in its order, in 14 bytes each; accuracies are single-precision numbers in the file."""

    numbers: dict[str, int] = field(default_factory=dict)  # of the modules' strings, in the order of appearance
    modules: array[int] = field(default_factory=lambda: array("i"))
    epochs: array[int] = field(default_factory=lambda: array("H"))
    accuracies: array[float] = field(default_factory=lambda: array("f"))

    def add(self, module: str, epochs: int, accuracies: tuple[float, ...]) -> None:
        """Append one training with its accuracies, one for each split."""
        self.epochs.append(epochs)
        self.modules.append(self.numbers.setdefault(module, len(self.numbers)))
        self.accuracies.extend(accuracies)


def read(path: Path, progress: Progress = silent) -> Iterator[Piece]:
    """Yield accuracies (percent) at the end of each training, in the order of the architecture strings.

    Trials are numbered from 0 in the order of the file. The strings are those of benchsuite.spaces.nasbench101, with
    the vertices in the order of the file.

    Parameters
    ----------
    path
        One of the two official files.
    progress
        Called with the bytes done and the bytes in all.

    Raises
    ------
    DataCorruptError
        If the file is truncated or damaged, or its records have another form.
    """
    trainings = _collect(path, progress)
    if not trainings.numbers:
        raise DataCorruptError(f"{path.name} is empty; get it again")
    yield from _pieces(trainings, path.name)


def architecture(adjacency: str, operations: str) -> str:
    """Return the string of a module of the official file, with its vertices in the order of the file.

    Parameters
    ----------
    adjacency
        The rows of the adjacency matrix, one after the other, as digits 0 and 1.
    operations
        Official names of the operations of the vertices, separated by commas.

    Raises
    ------
    ValueError
        If the two do not describe a module.

    Examples
    --------
    >>> architecture("0110001000010000", "input,conv3x3-bn-relu,maxpool3x3,output")
    'conv3x3,maxpool3x3:0-1,0-2,1-2,2-3'
    """
    vertices, names = _inner(operations)
    return f"{names}:{_edges(adjacency, vertices)}"


@lru_cache(maxsize=1 << 10)
def _inner(operations: str) -> tuple[int, str]:
    """Return the number of all vertices, and the names of those between input and output."""
    first, *inner, last = operations.split(",")
    if (first, last) != ("input", "output") or not set(inner) <= set(_OPERATIONS):
        raise ValueError(f"operations {operations[:120]!r}")
    return len(inner) + 2, ",".join(_OPERATIONS[each] for each in inner)


@lru_cache(maxsize=1 << 14)
def _edges(adjacency: str, vertices: int) -> str:
    if len(adjacency) != vertices**2 or not set(adjacency) <= {"0", "1"}:
        raise ValueError(f"{adjacency[:60]!r} is not the matrix of {vertices} vertices")
    edges = [divmod(position, vertices) for position, digit in enumerate(adjacency) if digit == "1"]
    if not edges or any(source >= target for source, target in edges):
        raise ValueError(f"the matrix {adjacency!r} lacks edges, or has backward ones")
    return ",".join(f"{source}-{target}" for source, target in edges)


def _collect(path: Path, progress: Progress) -> _Trainings:
    found = _Trainings()
    for number, data in enumerate(records(path, progress), start=1):
        try:
            _, epochs, adjacency, operations, metrics = json.loads(data)
            found.add(architecture(adjacency, operations), epochs, _accuracies(metrics))
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise DataCorruptError(
                f"{path.name}: record {number} is not a NAS-Bench-101 result ({error}); get the official file"
            ) from error
    return found


def _accuracies(metrics: str) -> tuple[float, ...]:
    """Return accuracies from 0 to 1 at the end of a training, one for each split."""
    message = base64.b64decode(metrics)  # which skips line ends; the official file has them
    evaluations = [value for number, value in fields(message) if number == _EVALUATION and isinstance(value, bytes)]
    if len(evaluations) != 3:
        raise ValueError(f"{len(evaluations)} evaluations instead of three: start, halfway, end")
    end = dict(fields(evaluations[-1]))
    found = [end.get(number) for number in _SPLITS.values()]
    accuracies = tuple(each for each in found if isinstance(each, float))
    if len(accuracies) < len(found):
        raise ValueError("its last evaluation lacks an accuracy")
    return accuracies


def _pieces(trainings: _Trainings, origin: str) -> Iterator[Piece]:
    strings = sorted(trainings.numbers)
    rank = np.empty(len(strings), np.int32)
    rank[[trainings.numbers[string] for string in strings]] = np.arange(len(strings))
    modules = rank[np.frombuffer(trainings.modules, np.int32)]
    epochs = np.frombuffer(trainings.epochs, np.uint16)
    accuracies = np.frombuffer(trainings.accuracies, np.float32).reshape(-1, len(_SPLITS))
    order = np.lexsort((epochs, modules))
    modules = modules[order]
    for first in range(0, len(strings), _AT_ONCE):
        here = slice(*np.searchsorted(modules, (first, first + _AT_ONCE)))
        chosen = order[here]
        names = pd.Categorical.from_codes(modules[here] - first, pd.Index(strings[first : first + _AT_ONCE]))
        rows = _rows(names, epochs[chosen], 100 * accuracies[chosen].astype(np.float64))
        yield Piece("nasbench101/cifar10", "table", normalise(rows, origin))


def _rows(names: pd.Categorical[str], epochs: Integers, accuracies: Floats) -> pd.DataFrame:
    """Return the rows of some trainings, one split after the other."""
    trainings = pd.DataFrame({ARCHITECTURE: names, EPOCHS: epochs})
    trainings[TRIAL] = trainings.groupby([ARCHITECTURE, EPOCHS], observed=True).cumcount()
    parts = [trainings.assign(split=split, accuracy=accuracies[:, column]) for column, split in enumerate(_SPLITS)]
    return pd.concat(parts, ignore_index=True)
