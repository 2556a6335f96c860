"""What estimators read of a differentiable search."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from mixed_trainings import DIGITS, METHODS, SPACE
from torch.nn import functional

from benchsuite.core import registry
from benchsuite.core.errors import UnsupportedError
from benchsuite.estimators.supernets.readout_task import ReadoutTask
from benchsuite.estimators.supernets.split import Split
from benchsuite.estimators.supernets.task import TrainingTask
from benchsuite.spaces.macro.space import Macro

if TYPE_CHECKING:
    from pathlib import Path

    from benchsuite.estimators.differentiable.training import MixedTraining


def _task(training: MixedTraining, seed: int = 0) -> TrainingTask:
    return TrainingTask(SPACE, "digits", training, seed)


def _scores(estimator: str, task: TrainingTask, root: Path, names: list[str], **parameters: object) -> list[float]:
    given = {"training": asdict(task.training), **parameters}
    found = ReadoutTask((task,), str(root), (registry.make_estimator(estimator, given),)).scores(names)
    assert [score.reason for _, score in found] == [""] * len(names)
    return [score.value for _, score in found]


@pytest.mark.parametrize("method", ["darts", "pc_darts", "lambda_darts"])
def test_likelihood_is_the_sum_over_the_choices(method: str, tmp_path: Path) -> None:
    task = _task(METHODS[method])
    task.run(str(tmp_path))
    state = task.folder(str(tmp_path)).weights(2)["relaxation"]
    names = SPACE.sample(5, np.random.default_rng(0))
    found = _scores(f"{method}_likelihood", task, tmp_path, names)
    alpha = np.exp(state["alpha.cell"].double().numpy())
    order = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
    edges = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
    for name, value in zip(names, found, strict=True):
        total = 0.0
        for place, operation in enumerate(SPACE.operations(name)):
            total += math.log(alpha[place, order.index(operation)] / alpha[place].sum())
            if method == "pc_darts" and operation != "none":
                beta = np.exp(state["beta.cell"].double().numpy())
                total += math.log(beta[place] / sum(beta[k] for k in range(6) if edges[k][1] == edges[place][1]))
        assert value == pytest.approx(total, abs=1e-6)
    chosen = task.folder(str(tmp_path)).rows("derived.csv")[-1]["architecture"]
    if method != "pc_darts":  # whose rule weighs operations by edges
        assert max([*found, *_scores(f"{method}_likelihood", task, tmp_path, [chosen])]) not in found


def test_weights_are_read_of_the_same_training_as_likelihoods(tmp_path: Path) -> None:
    task = _task(METHODS["darts"])
    task.run(str(tmp_path))
    names = SPACE.sample(3, np.random.default_rng(0))
    found = _scores("darts_weights", task, tmp_path, names, images=100, batch=50, readout="loss")
    supernet = task.supernet([task.folder(str(tmp_path)).weights(2)["shared"]]).train()

    batches = list(Split.validation(DIGITS, 100, 1, "cpu").in_order(50))
    for name, value in zip(names, found, strict=True):
        supernet.activate(name)
        with torch.no_grad():
            losses = [float(functional.cross_entropy(supernet(inputs), targets)) for inputs, targets in batches]
        assert value == pytest.approx(-np.mean(losses), rel=1e-5)


def test_likelihood_of_weights_averaged_over_epochs_is_that_of_the_mean_parameters(tmp_path: Path) -> None:
    task = _task(METHODS["darts"])
    task.run(str(tmp_path))
    folder, (name,) = task.folder(str(tmp_path)), SPACE.sample(1, np.random.default_rng(1))
    alpha = sum(folder.weights(epoch)["relaxation"]["alpha.cell"] for epoch in (1, 2)) / 2
    relaxation = task.training.relaxation(task.supernet())
    relaxation.load_state_dict({"alpha.cell": alpha})
    wanted = relaxation.log_likelihood(task.supernet().choices(name))
    assert _scores("darts_likelihood", task, tmp_path, [name], averaged=2) == pytest.approx([wanted])


def test_a_space_without_table_of_choices_is_refused() -> None:
    estimator = registry.make_estimator("darts_likelihood")
    with pytest.raises(UnsupportedError, match="mixed supernet"):
        estimator.check_space(Macro(), DIGITS.dataset, "000000000000000000000000")
