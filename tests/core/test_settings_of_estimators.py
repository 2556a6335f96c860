"""Every hyperparameter of the shipped estimators says in its annotation what it allows."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from benchsuite.core import registry
from benchsuite.core.errors import BenchsuiteError
from benchsuite.core.expected import annotations_of, expected


def _open_fields(made: Any) -> list[str]:
    """Fields for which any text would do; tables within are looked at too."""
    found = []
    for item in fields(made):
        value = getattr(made, item.name)
        if is_dataclass(value):
            found += [f"{item.name}.{name}" for name in _open_fields(value)]
        elif expected(annotations_of(type(made))[item.name]) in {"", "text in quotes"}:
            found.append(item.name)
    return found


@pytest.mark.parametrize("name", registry.names("estimator"))
def test_defaults_are_allowed_and_every_other_text_is_named(name: str) -> None:
    made = registry.make_estimator(name)
    assert registry.make_estimator(name, made.parameters()) == made
    assert not set(_open_fields(made)) - {"training.operations"}  # the space names its sets of operations


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("zen", {"bn": "batched"}, "estimator 'zen': bn = 'batched'; must be 'running' or 'batch'"),
        ("zen", {"repeats": 0}, "estimator 'zen': repeats = 0; must be a positive integer"),
        ("synflow", {"log": "no"}, "estimator 'synflow': log = 'no'; must be true or false"),
        ("meco", {"modules": "some"}, "modules = 'some'; must be 'leaves' or 'all'"),
        ("grasp", {"batches": 3}, "batches = 3; must be 1 or 2"),
        ("grasp", {"temperature": 0}, "temperature = 0; must be a positive number"),
        ("zico", {"parts": 1}, "parts = 1; must be an integer of at least 2"),
        ("swap", {"mu": 1.0}, "estimator 'swap': mu = 1.0, sigma = None; give both, or neither"),
        ("early_accuracy", {"epochs": 1.5}, "epochs = 1.5; must be a positive integer"),
        ("uniform", {"readout": "los"}, "estimator 'uniform': readout = 'los'; must be 'accuracy' or 'loss'"),
        ("uniform", {"epoch": 3}, "estimator 'uniform': epoch = 3, averaged = 1, but the training keeps the epochs"),
        ("uniform", {"batch": 1}, "batch = 1; must be an integer of at least 2"),
        (
            "uniform",
            {"training": {"epochs": 0}},
            "estimator 'uniform', training: epochs = 0; must be a positive integer",
        ),
        ("uniform", {"training": {"schedule": "step"}}, "schedule = 'step'; must be 'cosine' or 'plateau'"),
        ("uniform", {"training": {"momentum": 0}}, "momentum = 0; must be a positive number"),
        ("uniform", {"training": {"tuning": 3}}, "estimator 'uniform', training: tuning = 3, split = None, keep = 1.0"),
        ("darts_weights", {"training": {"order": 3}}, "order = 3; must be 1 or 2"),
        ("darts_weights", {"training": {"frozen": 1}}, "frozen = 1; must be a non-negative number of less than 1"),
        ("freedarts_snip", {"normalisation": "cell"}, "normalisation = 'cell'; must be 'none' or 'edge'"),
        (
            "freedarts_snip",
            {"training": {"sign": -1}},
            "estimator 'freedarts_snip', training: sign = -1; must be 1, or -1 with saliency = 'grasp'",
        ),
        ("freedarts_snip", {"training": {"saliency": "grasp"}}, "training.saliency = 'grasp'; choose 'snip'"),
        ("darts_weights", {"members": "some"}, "members = 'some'; must be 'representative' or 'all'"),
    ],
)
def test_a_wrong_hyperparameter_gets_one_line(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchsuiteError) as caught:
        registry.make_estimator(name, parameters)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
