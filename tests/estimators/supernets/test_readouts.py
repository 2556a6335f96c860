"""Validation of sub-networks of a trained supernet."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from path_trainings import DIGITS, SHORT, SPACE, trained, weights
from torch.nn.functional import cross_entropy

from benchsuite.estimators.supernets.readouts import Evaluation
from benchsuite.estimators.supernets.split import Split


@pytest.mark.parametrize("statistics", ["batch", "running", "recalibrated"])
def test_readouts_are_those_of_the_sub_network_alone(statistics: str) -> None:
    trainer = trained(SHORT)
    supernet = trainer.supernet
    validation, training = (part(DIGITS, 60, 1, "cpu") for part in (Split.validation, Split.training))
    rng = np.random.default_rng(0)
    architectures = [SPACE.draw(rng) for _ in range(12)]
    together = Evaluation(supernet, validation, training, batch=20, statistics=statistics).readouts(architectures)
    for architecture, readout in zip(architectures, together, strict=True):
        [alone] = Evaluation(supernet, validation, training, batch=20, statistics=statistics).readouts([architecture])
        assert alone.batches == readout.batches
        assert [batch.images for batch in readout.batches] == [20, 20, 20]
    if statistics == "batch":
        supernet.activate(architectures[0])
        losses, right = [], 0
        for inputs, targets in validation.in_order(20):
            with torch.no_grad():
                logits = supernet.train()(inputs)
            losses.append(float(cross_entropy(logits, targets)))
            right += int((logits.argmax(1) == targets).sum())
        assert together[0].loss == pytest.approx(np.mean(losses), rel=1e-6)
        assert together[0].accuracy == pytest.approx(100 * right / 60)


def test_a_readout_leaves_weights_and_running_statistics_alone() -> None:
    trainer = trained(SHORT)
    before = [value.clone() for value in weights(trainer)]
    names = list(trainer.supernet.state_dict())
    split = Split.validation(DIGITS, 40, 1, "cpu")
    for statistics in ("batch", "running"):
        Evaluation(trainer.supernet, split, split, batch=20, statistics=statistics).readouts([SPACE.every_string()[5]])
        for name, one, other in zip(names, before, weights(trainer), strict=True):
            assert torch.equal(one, other) or name.endswith("num_batches_tracked"), name
