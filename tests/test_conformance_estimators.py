"""Every registered estimator keeps the promises of its family; broken ones are found out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest

from benchsuite import ArchitectureEstimator, ZeroShotEstimator
from benchsuite.core import registry
from benchsuite.testing import ConformanceError, check_estimator

COUNTER = itertools.count()


@pytest.mark.parametrize("name", registry.names("estimator"))
def test_every_registered_estimator_keeps_its_promises(name):
    estimator = registry.make_estimator(name)
    assert estimator.name == name
    check_estimator(estimator)


@dataclass(frozen=True, slots=True)
class Counting(ZeroShotEstimator):
    name = "counting"

    def score(self, probe):
        return next(COUNTER)


@dataclass(frozen=True, slots=True)
class Raising(ZeroShotEstimator):
    name = "raising"
    needs = ("logits",)

    def score(self, probe):
        return 1 / 0


@dataclass(frozen=True, slots=True)
class Needy(ZeroShotEstimator):
    name = "needy"
    needs = ("weight_gradient",)

    def score(self, probe):
        return 1.0


@dataclass(frozen=True, slots=True)
class Unnameable(ArchitectureEstimator):
    """Its recipe cannot be written down."""

    name = "unnameable"
    thing: object = field(default_factory=set)

    def score(self, space, architecture, dataset, rng):
        return 1.0


@dataclass(frozen=True, slots=True)
class Restless(ArchitectureEstimator):
    name = "restless"

    def score(self, space, architecture, dataset, rng):
        return next(COUNTER)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Counting(), "with other estimators"),
        (Raising(), "ZeroDivisionError"),
        (Needy(), "Did you mean 'weight_gradients'"),
        (Unnameable(), r"thing = set\(\); must be a number, text"),
        (Restless(), "random numbers from rng alone"),
    ],
)
def test_a_broken_promise_is_named(broken, message):
    with pytest.raises(ConformanceError, match=message):
        check_estimator(broken)
