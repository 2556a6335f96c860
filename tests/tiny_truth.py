"""A plan of trainings small enough for tests."""

from __future__ import annotations

from benchsuite.truth.making import TruthPlan
from benchsuite.truth.training import TrainingProtocol

SIZES = {"channels": 2, "cells": 1}
TINY = TrainingProtocol(steps=4, batch=8)


def plan(architectures: int = 3, seeds: int = 2, protocol: TrainingProtocol = TINY) -> TruthPlan:
    return TruthPlan("nasbench201", "digits", protocol, SIZES, architectures, seeds)
