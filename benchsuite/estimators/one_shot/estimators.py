"""One-shot estimators by how their supernet samples architectures while it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchsuite.estimators.one_shot.training import PathTraining
from benchsuite.estimators.supernets.validation import ValidationEstimator

_PATHS = PathTraining()
_CLASSES = PathTraining(sampling="class")
_ROUNDS = PathTraining(sampling="fair", accumulation="sum")
_STABILISED = PathTraining(sampling="fair", accumulation="sum", stabiliser="skip")


@dataclass(frozen=True, slots=True)
class Uniform(ValidationEstimator):
    """Validation by a supernet trained on uniformly drawn architecture strings (SPOS, Guo et al., 2020)."""

    name: ClassVar[str] = "uniform"
    training: PathTraining = _PATHS


@dataclass(frozen=True, slots=True)
class Deisomorphic(ValidationEstimator):
    """Validation by a supernet trained on uniformly drawn isomorphism classes (Ning et al., 2021)."""

    name: ClassVar[str] = "deiso"
    training: PathTraining = _CLASSES


@dataclass(frozen=True, slots=True)
class Fair(ValidationEstimator):
    """Validation by a supernet whose updates use every operation of every position once (FairNAS, Chu et al., 2021).

    An update costs as many passes as there are operations.
    """

    name: ClassVar[str] = "fair"
    training: PathTraining = _ROUNDS


@dataclass(frozen=True, slots=True)
class Scarlet(ValidationEstimator):
    """Validation by a fairly trained supernet whose skips are linear stabilisers (SCARLET, Chu et al., 2019).

    Each skip is a learnable 1x1 convolution while the supernet is trained and read; networks built of an architecture
    have plain skips. On spaces whose skips lead into a ReLU, such as NAS-Bench-201's, the two are not equivalent, and
    the stabiliser is a heuristic.
    """

    name: ClassVar[str] = "scarlet"
    training: PathTraining = _STABILISED
