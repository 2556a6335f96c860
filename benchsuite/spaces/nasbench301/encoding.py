"""The 56 numbers from which the surrogates of NAS-Bench-301 (Siems et al., 2020) predict an accuracy.

They are a point of the benchmark's configuration space as ConfigSpace 0.4 writes it: first the hyperparameters that all
points have, then those that only some have, each in the order of their names. A choice becomes its number, a quantity
is scaled to its range, and -1 stands for a hyperparameter that the point lacks. Only the two cells vary: how they are
trained, and in what network, is what the benchmark fixes.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.core.errors import InvalidArchitectureError
from benchsuite.spaces.nasbench301.cells import NODES, NONE, OPERATIONS
from benchsuite.spaces.nasbench301.strings import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchsuite.spaces.nasbench301.cells import CellNodes

ABSENT = -1.0
_HALF = 0.49999  # an integer stands for the interval of one around it, a little shortened
_WIDE = 10_000  # upper end of the ranges that the benchmark leaves open
_DARTS = "NetworkSelectorDatasetInfo:darts:"


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low)


def _integer(value: int, low: int, high: int) -> float:
    return _share(value, low - _HALF, high + _HALF)


# The same in every point: choices are the first or the only one, the others the training of 100 epochs on 8 cells.
_FIXED = {
    "CreateImageDataLoader:batch_size": _share(math.log(96), math.log(64 - _HALF), math.log(128 + _HALF)),
    "ImageAugmentation:augment": 0,
    "ImageAugmentation:autoaugment": 0,
    "ImageAugmentation:cutout": 0,
    "ImageAugmentation:cutout_holes": _integer(1, 1, 3),
    "ImageAugmentation:cutout_length": _integer(16, 1, 50),
    "ImageAugmentation:fastautoaugment": 0,
    "LossModuleSelectorIndices:loss_module": 0,
    f"{_DARTS}auxiliary": 0,
    f"{_DARTS}drop_path_prob": 0,
    f"{_DARTS}init_channels": _integer(32, 1, _WIDE),
    f"{_DARTS}layers": _integer(8, 1, _WIDE),
    "NetworkSelectorDatasetInfo:network": 0,
    "OptimizerSelector:optimizer": 0,
    "OptimizerSelector:sgd:learning_rate": math.log(0.025),
    "OptimizerSelector:sgd:momentum": _share(0.9, 0.1, 0.99),
    "OptimizerSelector:sgd:weight_decay": math.log(0.0003),
    "SimpleLearningrateSchedulerSelector:cosine_annealing:T_max": _integer(100, 1, _WIDE),
    "SimpleLearningrateSchedulerSelector:cosine_annealing:eta_min": 1e-8 / _WIDE,
    "SimpleLearningrateSchedulerSelector:lr_scheduler": 0,
    "SimpleTrainNode:batch_loss_computation_technique": 0,
    "SimpleTrainNode:mixup:alpha": _share(math.log(0.2), math.log(0.01), math.log(0.7)),
}
_KINDS = ("normal", "reduce")
_FIRST_EDGE = (0, 2, 5, 9)  # number of the edge from input 0 to each node; edges are numbered node by node
_EDGES = 14


def _edge(kind: str, number: int) -> str:
    return f"{_DARTS}edge_{kind}_{number}"


def _inputs(kind: str, node: int) -> str:
    return f"{_DARTS}inputs_node_{kind}_{node + 2}"


# The first node takes both inputs of the cell, so its two edges are always there, and it has no choice of inputs.
_ALWAYS = [_edge(kind, number) for kind in _KINDS for number in range(2)]
_ALWAYS += [_inputs(kind, node) for kind in _KINDS for node in range(1, NODES)]
_SOMETIMES = [_edge(kind, number) for kind in _KINDS for number in range(2, _EDGES)]
NAMES = (*sorted([*_FIXED, *_ALWAYS]), *sorted(_SOMETIMES))
_COLUMN = {name: column for column, name in enumerate(NAMES)}
_ROW = tuple(_FIXED.get(name, ABSENT) for name in NAMES)
_EDGE_COLUMNS = {(kind, number): _COLUMN[_edge(kind, number)] for kind in _KINDS for number in range(_EDGES)}
_OPERATION_NUMBERS = {operation: float(number) for number, operation in enumerate(OPERATIONS)}
_PAIR_NUMBERS = [
    {pair: float(number) for number, pair in enumerate(combinations(range(node + 2), 2))} for node in range(NODES)
]


def encode(architectures: Sequence[str]) -> NDArray[np.float64]:
    """Return the encoding of architecture strings.

    The edges of a node may come in any order, but its number counts: isomorphic cells have different encodings, and
    get different predictions.

    Parameters
    ----------
    architectures
        Strings of the space.

    Returns
    -------
    ndarray
        Shape (architectures, 56); NAMES has the names of the features.

    Raises
    ------
    InvalidArchitectureError
        If a string is not of the space, or has the operation "none", which the surrogates do not know.

    Examples
    --------
    >>> cell = "+".join(["|sep_conv_3x3~0|skip_connect~1|"] * 4)
    >>> row = encode([f"{cell}/{cell}"])[0]
    >>> len(row), row[NAMES.index("NetworkSelectorDatasetInfo:darts:edge_normal_1")]
    (56, np.float64(2.0))
    """
    rows = np.tile(np.array(_ROW), (len(architectures), 1))
    for row, architecture in zip(rows, architectures, strict=True):
        for kind, cell in zip(_KINDS, parse(architecture), strict=True):
            for column, value in _entries(kind, cell, architecture):
                row[column] = value
    return rows


def _entries(kind: str, cell: CellNodes, architecture: str) -> list[tuple[int, float]]:
    """Return columns and values of a cell."""
    entries = []
    for node, choices in enumerate(cell):
        for operation, source in choices:
            if operation == NONE:
                raise InvalidArchitectureError(
                    f"{architecture[:120]!r} has the operation {NONE!r}, which the surrogates of NAS-Bench-301 do not "
                    f"know; allowed: {', '.join(OPERATIONS)}"
                )
            column = _EDGE_COLUMNS[kind, _FIRST_EDGE[node] + source]
            entries.append((column, _OPERATION_NUMBERS[operation]))
        if node > 0:
            one, two = sorted(source for _, source in choices)
            entries.append((_COLUMN[_inputs(kind, node)], _PAIR_NUMBERS[node][one, two]))
    return entries
