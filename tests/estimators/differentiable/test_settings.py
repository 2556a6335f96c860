"""Settings of differentiable searches: schedules, refusals, and their description."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mixed_trainings import DIGITS, METHODS, SMALL, SPACE, trained

from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.estimators.differentiable.training import DARTS, LAMBDA_DARTS, PC_DARTS, MixedTraining


def test_pc_darts_with_all_channels_and_without_shares_of_edges_is_darts() -> None:
    whole = replace(PC_DARTS, partial=1, edge_normalisation=False, frozen=0.0, lr=DARTS.lr, lr_min=DARTS.lr_min)
    assert replace(whole, **SMALL) == METHODS["darts"]


def test_rate_and_strength_follow_their_schedules() -> None:
    training = MixedTraining(epochs=4, lr=0.1, lr_min=0.02, alignment="corr", strength=0.3)
    assert [round(training.lr_of(epoch), 4) for epoch in range(4)] == [0.1, 0.0883, 0.06, 0.0317]
    assert [training.strength_of(epoch) for epoch in range(4)] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert MixedTraining(epochs=4, strength=0.3).strength_of(3) == 0
    trainer = trained(replace(training, images=64, batch=32, augmentation="none"), epochs=2)
    assert [point.lr for point in trainer.curve] == pytest.approx([0.1, 0.0883], abs=1e-4)
    assert [point.strength for point in trainer.derived] == pytest.approx([0, 0.1])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"order": 3}, SuiteError, "order = 3; must be 1 or 2"),
        ({"alignment": "cor"}, UnknownNameError, "no alignment named 'cor'. Did you mean 'corr'"),
        ({"frozen": 1.0}, SuiteError, "frozen = 1.0"),
        ({"batch": 0}, SuiteError, "batch = 0"),
        ({"strength": -1.0}, SuiteError, "strength = -1.0"),
        ({"partial": 3}, SuiteError, "partial = 3"),
        ({"operations": "s9"}, UnknownNameError, "s9"),
        ({"batch": 49}, SuiteError, r"only 48 images \(one half\) train the weights"),
    ],
)
def test_what_makes_no_training_is_refused(changes: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        replace(METHODS["darts"], **changes).trainer(SPACE, DIGITS, 0)


def test_words_name_what_differs_from_darts() -> None:
    assert "alpha frozen for 15 epochs" in PC_DARTS.words(40000, 32)
    assert "layer alignment (corr) up to lambda 0.25" in LAMBDA_DARTS.words(40000, 32)
    assert DARTS.words(40000, 32).startswith("50 epochs of 40,000 images (32x32 pixels), half of them for weights")
