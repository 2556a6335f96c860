"""Measurement of saliencies, run and stored like a training."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.differentiable.saliency import snip
from benchsuite.estimators.differentiable.saliency_training import SALIENCY, SaliencyTraining
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench301.space import NASBench301

SMALL = NASBench201(channels=4, cells=1)

TINY = SaliencyTraining(images=64, batch=32)


def trained(training, seed=0, space=SMALL):
    trainer = training.trainer(space, load_images("digits"), seed)
    trainer.run_epoch()
    return trainer


@pytest.mark.parametrize("space", [SMALL, NASBench301(channels=2, cells=3)])
def test_the_method_chooses_the_largest_saliencies(space):
    trainer = trained(replace(TINY, saliency="grasp"), space=space)
    [row] = trainer.tables()["derived"]
    chosen = trainer.supernet.choices(row["architecture"])
    for name, places in chosen.items():
        values = trainer.saliencies[name]
        first = 1 if space.name == "nasbench301" else 0
        assert all(int(values[edge, first:].argmax()) + first == operation for edge, operation in places)
    assert row["skips"] == row["architecture"].count("skip_connect")


def test_what_is_left_by_pruning_is_chosen():
    trainer = trained(replace(TINY, pruning="iterative", saliency="synflow"))
    [row] = trainer.tables()["derived"]
    assert "none" not in row["architecture"]
    assert len(trainer.tables()[SALIENCY]) == 30
    assert trainer.epoch == 1


def test_normal_alpha_is_averaged_over_its_draws():
    one, two = (trained(replace(TINY, alpha="normal", draws=draws)) for draws in (1, 2))
    second = snip(two.supernet, two.alphas[1], two.batch)["cell"]
    torch.testing.assert_close(two.saliencies["cell"], (one.saliencies["cell"] + second) / 2)
    assert float(two.alphas[0]["cell"].std()) < 0.002


def test_the_other_sign_is_the_negative():
    published, other = (trained(replace(TINY, saliency="grasp", sign=sign)).saliencies["cell"] for sign in (1, -1))
    assert torch.equal(published, -other)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"saliency": "fisher"}, UnknownNameError, "no saliency named 'fisher'"),
        ({"alpha": "uniform"}, UnknownNameError, "no alpha named"),
        ({"pruning": "twice"}, UnknownNameError, "no pruning named"),
        ({"sign": -1}, SuiteError, "sign = -1; must be 1, or -1 with saliency"),
        ({"draws": 2}, SuiteError, "draws = 2; must be 1, or combined with alpha"),
        ({"batch": 0}, SuiteError, "batch = 0"),
    ],
)
def test_hyperparameters_that_say_nothing_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        replace(TINY, **changes).check()
