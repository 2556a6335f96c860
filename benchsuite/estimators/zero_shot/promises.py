"""What every zero-shot estimator promises, tried on small networks of several kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from benchsuite.core.errors import UnknownNameError, UnsupportedError
from benchsuite.core.registry import make_estimator
from benchsuite.estimators.zero_shot.scoring import probe_network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from benchsuite.estimators.zero_shot.scoring import ProbeReader


def probe_promises(estimator: ProbeReader) -> Iterator[tuple[bool, str]]:
    """Yield whether an estimator keeps what it promises, and the promise, for each of some small networks.

    Parameters
    ----------
    estimator
        A zero-shot estimator.
    """
    for network, inputs in _networks():
        targets = torch.arange(len(inputs)) % 3
        (alone,) = probe_network(network, inputs, targets, [estimator])
        if isinstance(alone.error, UnknownNameError):
            yield False, str(alone.error)
        if isinstance(alone.error, UnsupportedError):
            continue  # a network may lack what an estimator reads, as long as it says so
        yield alone.error is None, f"score raises {type(alone.error).__name__}: {alone.error}"
        companions = [make_estimator("snip"), estimator, make_estimator("grasp")]
        together = probe_network(network, inputs, targets, companions)[1]
        equal = np.array_equal(alone.value, together.value, equal_nan=True)
        yield equal, f"scores {alone.value} without and {together.value} with other estimators; it must change nothing"


def _networks() -> list[tuple[nn.Module, Tensor]]:
    """Return networks with batch normalisation, with linear layers only, and without a path from input to output."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        images = torch.randn(6, 3, 8, 8)
        ending = (nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
        return [
            (nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), *ending), images),
            (nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3)), images[:, 0, 0, :5]),
            (nn.Sequential(nn.Conv2d(3, 4, 1), nn.Threshold(1e9, 0.0), *ending), images),
        ]
