"""Synaptic flow, against plain formulas."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from probed_networks import batch, make, score
from torch import nn

from benchsuite import score_network
from benchsuite.estimators.zero_shot.synflow import SynFlow, SynFlowWithNorm


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_synflow_linearises_the_network_in_double_precision(dtype, log):
    network, (inputs, targets) = make("batch norm", dtype), batch(dtype=dtype)
    copied = copy.deepcopy(network).double()
    copied[1], copied[4] = nn.Identity(), nn.Identity()
    for parameter in copied.parameters():
        parameter.data.abs_()
    copied(torch.ones(1, 3, 8, 8, dtype=torch.float64)).sum().backward()
    expected = 0.0
    for layer in (copied[0], copied[3], copied[8]):
        flow = torch.log(layer.weight.grad + 1) if log else layer.weight.grad
        expected += float((layer.weight.detach() * flow).sum())
    scores = score_network(network, inputs, targets, ["synflow"], parameters={"synflow": {"log": log}})
    assert scores["synflow"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_synflow_bn_keeps_batch_normalisation(dtype):
    network, (inputs, targets) = make("batch norm", dtype), batch(dtype=dtype)
    copied = copy.deepcopy(network).double().train()
    for parameter in copied.parameters():
        parameter.data.abs_()
    copied(torch.ones(1, 3, 8, 8, dtype=torch.float64)).sum().backward()
    layers = (copied[0], copied[3], copied[8])
    expected = sum(float((layer.weight.detach() * layer.weight.grad).abs().sum()) for layer in layers)
    assert score(SynFlowWithNorm(), network, (inputs, targets)) == pytest.approx(expected, rel=1e-12)


def test_synflow_bn_is_undefined_where_a_map_has_one_pixel():
    network = nn.Sequential(nn.Conv2d(3, 4, 8), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4, 5)).double()
    assert math.isnan(score(SynFlowWithNorm(), network, batch()))
    assert score(SynFlow(), network, batch()) > 0
    network[1].train = lambda mode: network[1]  # stays in evaluation mode, where statistics are given
    network[1].training = False
    assert score(SynFlowWithNorm(), network, batch()) > 0


def test_log_synflow_is_defined_where_gradients_are_negative():
    network = make("tokens")
    assert score(SynFlow(log=True), network, batch()) > 0


def test_synflow_knows_neither_data_nor_loss():
    network = make("batch norm")
    scores = [
        score_network(network, *batch(seed=seed), ["synflow"], loss=lambda logits, targets: logits.square().sum())
        for seed in (1, 2)
    ]
    assert scores[0] == scores[1] == score_network(network, *batch(), ["synflow"])
