"""The probe measures once, gives the network back untouched, and no score depends on the others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from probed_networks import MAKERS, batch, make
from torch import nn

from benchsuite import score_network
from benchsuite.core import UnknownNameError, UnsupportedError
from benchsuite.estimators.base import ZeroShotEstimator
from benchsuite.estimators.scoring import probe_network
from benchsuite.estimators.zero_shot.probe import Probe
from benchsuite.registry import make_estimator

NAMES = ("grad_norm", "plain", "snip", "grasp", "fisher", "synflow", "jacob_cov", "nwot")


def values(network, estimators, *, dtype=torch.float64, **options):
    return [outcome.value for outcome in probe_network(network, *batch(dtype=dtype), estimators, **options)]


def bits(numbers):
    return [float(number).hex() for number in numbers]


@pytest.fixture(scope="module")
def scores_alone():
    def alone(kind, dtype):
        network = make(kind, dtype)
        return {name: bits(values(network, [make_estimator(name)], dtype=dtype))[0] for name in NAMES}

    return {(kind, dtype): alone(kind, dtype) for kind in MAKERS for dtype in (torch.float32, torch.float64)}


@given(
    kind=st.sampled_from(sorted(MAKERS)),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    names=st.lists(st.sampled_from(NAMES), min_size=2, unique=True),
)
@settings(max_examples=60, deadline=None)
def test_a_score_has_the_same_bits_whatever_else_is_chosen(scores_alone, kind, dtype, names):
    found = bits(values(make(kind, dtype), [make_estimator(name) for name in names], dtype=dtype))
    assert found == [scores_alone[kind, dtype][name] for name in names]


class Counting(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network, self.calls = network, []

    def forward(self, images):
        self.calls.append(len(images))
        return self.network(images)


@pytest.mark.parametrize(
    ("names", "forwards", "backwards"),
    [
        (("grad_norm", "plain", "snip", "fisher", "jacob_cov", "nwot"), [6], 2),
        (("grad_norm", "plain", "snip", "fisher", "jacob_cov", "nwot", "grasp"), [6], 3),
        (("grasp", "snip", "jacob_cov"), [6], 3),
        (("nwot",), [6], 0),
        (("synflow",), [1], 1),
        ((*NAMES,), [6, 1], 4),
    ],
)
def test_chosen_estimators_share_one_forward_and_the_fewest_backwards(monkeypatch, names, forwards, backwards):
    network, gradients, taken = Counting(make("batch norm")), torch.autograd.grad, []

    def grad(*arguments, **options):
        taken.append(options)
        return gradients(*arguments, **options)

    monkeypatch.setattr(torch.autograd, "grad", grad)
    calls = network.calls
    score_network(network, *batch(), names)
    assert calls == forwards
    assert len(taken) == backwards
    from_the_forward = [options for options in taken if not (names == NAMES and options is taken[-1])]
    kept = [options["retain_graph"] for options in from_the_forward]
    assert sum(not keep for keep in kept) == (1 if backwards else 0) or names == NAMES


def dirty(network):
    """Give every part of the state something to lose."""
    for number, module in enumerate(network.modules()):
        module.training = number % 2 == 0
    for number, parameter in enumerate(network.parameters()):
        parameter.requires_grad_(number % 3 != 0)
        parameter.grad = torch.full_like(parameter, float(number)) if number % 2 else None
    network.register_buffer("counter", torch.tensor(3))
    network.register_forward_hook(lambda module, inputs, output: None)
    return network


def state(network):
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    return {
        "values": {name: tensor.detach().numpy().tobytes() for name, tensor in tensors.items()},
        "objects": {name: (id(tensor), tensor.data_ptr()) for name, tensor in tensors.items()},
        "flags": {name: tensor.requires_grad for name, tensor in tensors.items()},
        "gradients": {
            name: None if t.grad is None else (id(t.grad), t.grad.sum().item()) for name, t in tensors.items()
        },
        "modes": [module.training for module in network.modules()],
        "hooks": [
            (len(module._forward_hooks), len(module._forward_pre_hooks), sorted(vars(module)))
            for module in network.modules()
        ],
    }


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_the_network_and_the_minibatch_come_back_bit_by_bit(kind):
    network, (inputs, targets) = dirty(make(kind, torch.float32)), batch(dtype=torch.float32)
    before, random_state, pixels = state(network), torch.get_rng_state(), inputs.clone()
    probe_network(network, inputs, targets, [make_estimator(name) for name in NAMES])
    assert state(network) == before
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(inputs, pixels)
    assert not inputs.requires_grad


@pytest.mark.parametrize("calls", [1, 2])
def test_the_network_comes_back_after_a_forward_that_fails(calls):
    network = dirty(make("batch norm", torch.float32))

    def fail(module, inputs, output):
        if output.dtype == (torch.float32 if calls == 1 else torch.float64):
            raise ValueError("no memory")

    handle = network[6].register_forward_hook(fail)
    before = state(network)
    with pytest.raises(ValueError, match="no memory"):
        score_network(network, *batch(dtype=torch.float32), NAMES)
    assert state(network) == before
    handle.remove()
    assert state(network) != before


@dataclass(frozen=True, slots=True)
class Destructive(ZeroShotEstimator):
    """Spoils the network in every way, and tells what it found."""

    name: ClassVar[str] = "destructive"

    def score(self, probe):
        network = probe.network
        found = float(sum(parameter.detach().double().sum() for parameter in network.parameters()))
        network(probe.inputs).sum().backward()
        network.double().eval().register_forward_hook(lambda module, inputs, output: output * 0)
        for parameter in network.parameters():
            parameter.data.zero_()
        network[1].running_mean = torch.ones(8)
        network[0].weight = nn.Parameter(torch.zeros(1))
        network.add_module("more", nn.Linear(1, 1))
        return found + float(torch.rand(()))


def test_an_estimator_without_needs_is_given_the_network_as_it_was():
    network = dirty(make("batch norm", torch.float32))
    before = state(network)
    [alone] = values(network, [Destructive()], dtype=torch.float32)
    assert math.isfinite(alone)
    mixed = [Destructive(), make_estimator("snip"), Destructive(), make_estimator("synflow")]
    found = values(network, mixed, dtype=torch.float32)
    assert found[0] == found[2] == alone
    assert found[1::2] == values(network, mixed[1::2], dtype=torch.float32)
    assert state(network) == before


def test_frozen_parameters_count_as_any_others():
    free, frozen = make("batch norm"), make("batch norm")
    frozen.requires_grad_(False)
    assert score_network(frozen, *batch(), NAMES) == score_network(free, *batch(), NAMES)
    with torch.no_grad():
        assert score_network(free, *batch(), NAMES) == score_network(frozen, *batch(), NAMES)


def test_in_place_activations_score_as_others():
    network, inplace = make("in-place modules"), make("in-place modules")
    network[1].inplace = network[3].inplace = False
    assert score_network(inplace, *batch(), NAMES) == score_network(network, *batch(), NAMES)


def test_a_weight_of_two_layers_counts_once():
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 192), nn.ReLU(), nn.Linear(192, 192), nn.Linear(192, 5))
    network[3].weight = network[1].weight
    with Probe(network, *batch(dtype=torch.float32)) as probe:
        assert [weight.shape for weight in probe.weights] == [(192, 192), (5, 192)]
    assert all(math.isfinite(v) for v in score_network(network, *batch(dtype=torch.float32), NAMES).values())


def test_weights_off_the_path_count_as_zero():
    network = make("no norm")
    before = score_network(network, *batch(), NAMES)
    network[4].unused = nn.Conv2d(3, 3, 3)
    assert score_network(network, *batch(), NAMES) == before


def test_dropout_draws_the_same_each_time():
    network = make("tokens")
    names = [name for name in NAMES if name != "nwot"]
    assert score_network(network, *batch(), names) == score_network(network, *batch(), names)
    assert score_network(network, *batch(), names, seed=1) != score_network(network, *batch(), names)


@dataclass(frozen=True, slots=True)
class Reader(ZeroShotEstimator):
    """Reads one measurement and names another."""

    reads: str = "logits"
    names: str = "loss"
    name: ClassVar[str] = "reader"

    @property
    def needs(self):
        return (self.names,)

    def score(self, probe):
        return float(getattr(probe, self.reads).sum())


def test_a_measurement_must_be_named_to_be_read():
    network = make("no norm")
    outcomes = probe_network(network, *batch(), [Reader(), Reader(names="logits"), Reader(names="logitz")])
    assert isinstance(outcomes[0].error, UnsupportedError)
    assert "'logits' to its needs" in str(outcomes[0].error)
    assert outcomes[1].value == pytest.approx(float(network(batch()[0]).detach().sum()))
    assert isinstance(outcomes[2].error, UnknownNameError)


def test_measurements_are_dropped_after_their_last_use():
    network = make("batch norm")
    with Probe(network, *batch(), [("logits", "relu_codes"), ("logits", "input_jacobian")]) as probe:
        with probe.lent(("logits", "relu_codes")):
            assert len(probe.relu_codes) == 2
        assert "relu_codes" not in probe._values
        assert "logits" in probe._values
        with probe.lent(("logits", "input_jacobian")):
            assert probe.input_jacobian.shape == (6, 3, 8, 8)
        assert not probe._values
        assert not probe._graph


def test_cost_of_an_estimator_includes_all_that_it_shares():
    outcomes = probe_network(make("batch norm"), *batch(), [make_estimator(name) for name in ("nwot", "snip", "grasp")])
    nwot, snip, grasp = (outcome.cpu_seconds for outcome in outcomes)
    assert nwot > 0
    assert 0 < snip < grasp


def test_only_zero_shot_estimators_read_a_network():
    with pytest.raises(UnsupportedError, match="reads no network"):
        score_network(make("no norm"), *batch(), ["params"])
    with pytest.raises(UnknownNameError, match="Did you mean 'snip'"):
        score_network(make("no norm"), *batch(), ["snipp"])
    with pytest.raises(UnknownNameError, match="chosen estimator"):
        score_network(make("no norm"), *batch(), ["snip"], parameters={"fisher": {}})
