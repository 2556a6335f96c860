"""Estimators from the Jacobian to the inputs, against plain formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from probed_networks import KINDS, batch, make, score
from torch import nn

from benchsuite import score_network
from benchsuite.core.errors import UnsupportedError
from benchsuite.estimators.zero_shot.jacobian import EPENAS


@pytest.mark.parametrize("kind", KINDS)
def test_jacob_cov_follows_its_definition(kind):
    network, (inputs, targets) = make(kind).train(), batch()
    jacobian = torch.autograd.functional.jacobian(lambda x: network(x.clone()).sum(), inputs)
    eigenvalues = np.linalg.eigvals(np.corrcoef(jacobian.reshape(len(inputs), -1).numpy())).real
    expected = -sum(math.log(v + 1e-5) + 1 / (v + 1e-5) for v in eigenvalues)
    assert score_network(network, inputs, targets, ["jacob_cov"])["jacob_cov"] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("classes", [5, 100, 101])
def test_epe_nas_compares_images_of_one_class(classes):
    network, (inputs, _) = make("batch norm").train(), batch(9)
    network[8] = nn.Linear(8, classes).double()
    targets = torch.tensor([2, 0, 2, 4, 0, 2, 1, 4, 4])  # class 1 has one image
    jacobian = torch.autograd.functional.jacobian(lambda x: network(x).sum(), inputs).reshape(9, -1).numpy()
    sums, means = [], []
    for each in (0, 1, 2, 4):
        rows = [jacobian[i] for i in range(9) if targets[i] == each]
        correlations = [np.corrcoef(a, b)[0, 1] for a in rows for b in rows]
        sums.append(sum(math.log(abs(value) + 1e-5) for value in correlations))
        means.append(sums[-1] / len(rows))
    few, many = sum(abs(s) for s in sums), sum(abs(a - b) for a in means for b in means) / 4
    assert score(EPENAS(), network, (inputs, targets)) == pytest.approx(few if classes <= 100 else many, rel=1e-9)


def test_epe_nas_asks_for_one_class_per_image():
    inputs, targets = batch()
    with pytest.raises(UnsupportedError, match="one class per image"):
        score(EPENAS(), make("no norm"), (inputs, nn.functional.one_hot(targets, 5).double()))
