"""The probe measures once, gives the network back untouched, and no score depends on the others."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from probed_networks import MAKERS, batch, make
from torch import nn

from benchsuite import score_network
from benchsuite.core.errors import UnknownNameError, UnsupportedError
from benchsuite.core.registry import make_estimator
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator
from benchsuite.estimators.zero_shot.gradients import Fisher, GradientNorm, Grasp, L2Norm, Plain, Snip
from benchsuite.estimators.zero_shot.jacobian import EPENAS, JacobianCovariance
from benchsuite.estimators.zero_shot.probe import Probe
from benchsuite.estimators.zero_shot.relu_codes import NWOT, SWAP
from benchsuite.estimators.zero_shot.scoring import probe_network
from benchsuite.estimators.zero_shot.synflow import SynFlow, SynFlowWithNorm

SHARING = {
    estimator.name: estimator
    for estimator in (
        L2Norm(), GradientNorm(), Plain(), Snip(), Grasp(), Fisher(), SynFlow(), SynFlowWithNorm(),
        JacobianCovariance(), EPENAS(), NWOT(), SWAP(),
    )
}  # fmt: skip
FORMS = {
    estimator.label(): estimator
    for estimator in (Grasp(batches=2), Grasp(temperature=2.0), Fisher("channel"), SynFlow(log=True), SWAP(3e2, 1e6))
}
ALL = SHARING | FORMS
NAMES = tuple(SHARING)


def values(network, estimators, *, dtype=torch.float64, **options):
    return [outcome.value for outcome in probe_network(network, *batch(dtype=dtype), estimators, **options)]


def scores(network, names=NAMES, **options):
    return dict(zip(names, bits(values(network, [ALL[name] for name in names], **options)), strict=True))


def bits(numbers):
    return [float(number).hex() for number in numbers]


@pytest.fixture(scope="module")
def scores_alone():
    def alone(kind, dtype):
        network = make(kind, dtype)
        return {name: scores(network, [name], dtype=dtype)[name] for name in ALL}

    return {(kind, dtype): alone(kind, dtype) for kind in MAKERS for dtype in (torch.float32, torch.float64)}


@given(
    kind=st.sampled_from(sorted(MAKERS)),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    names=st.lists(st.sampled_from(sorted(ALL)), min_size=2, unique=True),
)
@settings(max_examples=80, deadline=None)
def test_a_score_has_the_same_bits_whatever_else_is_chosen(scores_alone, kind, dtype, names):
    found = scores(make(kind, dtype), names, dtype=dtype)
    assert found == {name: scores_alone[kind, dtype][name] for name in names}


@pytest.fixture
def passes(monkeypatch):
    """Options of each call of torch.autograd.grad."""
    gradients, taken = torch.autograd.grad, []

    def grad(*arguments, **options):
        taken.append({"retain_graph": options["retain_graph"], "create_graph": options["create_graph"]})
        return gradients(*arguments, **options)

    monkeypatch.setattr(torch.autograd, "grad", grad)
    return taken


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
        ("grad_norm plain snip fisher jacob_cov epe_nas nwot swap l2_norm", [6], 2),
        ("grad_norm plain snip fisher jacob_cov epe_nas nwot grasp", [6], 3),
        ("grasp snip jacob_cov", [6], 3),
        ("grasp", [6], 2),
        ("nwot swap", [6], 0),
        ("epe_nas jacob_cov", [6], 1),
        ("l2_norm", [], 0),
        ("synflow synflow(log=True)", [1], 1),
        ("synflow_bn", [1], 1),
        ("synflow synflow_bn", [1, 1], 2),
        ("fisher grasp(batches=2)", [6, 3, 3], 3),
        (" ".join(NAMES), [6, 1, 1], 5),
    ],
)
def test_chosen_estimators_share_one_forward_and_the_fewest_backwards(passes, names, forwards, backwards):
    network = Counting(make("batch norm"))
    calls = network.calls
    scores(network, names.split())
    assert calls == forwards
    assert len(passes) == backwards
    freed = sum(not options["retain_graph"] and not options["create_graph"] for options in passes)
    assert freed == min(backwards, len(forwards) - forwards.count(3) // 2)  # each graph by its last backward


@pytest.mark.parametrize(("kind", "forwards"), [("in-place modules", 1), ("in-place functions", 2)])
def test_outputs_are_copied_only_where_something_works_in_place(kind, forwards):
    network = Counting(make(kind))
    calls = network.calls
    with_copies = scores(network, ["fisher", "snip"])
    assert calls == [6] * forwards
    assert scores(make(kind), ["snip"])["snip"] == with_copies["snip"]


def test_without_batch_normalisation_both_synflows_are_one(passes):
    network = Counting(make("no norm"))
    calls = network.calls
    found = scores(network, ["synflow_bn", "synflow"])
    assert found["synflow_bn"] == found["synflow"]
    assert calls == [1]
    assert len(passes) == 1


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
    probe_network(network, inputs, targets, list(ALL.values()))
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
    outcomes = probe_network(network, *batch(dtype=torch.float32), list(ALL.values()))
    assert {str(outcome.error) for outcome in outcomes} >= {"no memory"}
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
    assert scores(frozen, ALL) == scores(free, ALL)
    with torch.no_grad():
        assert scores(free, ALL) == scores(frozen, ALL)


def test_in_place_activations_score_as_others():
    network, inplace = make("in-place modules"), make("in-place modules")
    network[1].inplace = network[3].inplace = False
    assert scores(inplace, ALL) == scores(network, ALL)


def test_a_weight_of_two_layers_counts_once():
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 192), nn.ReLU(), nn.Linear(192, 192), nn.Linear(192, 5))
    network[3].weight = network[1].weight
    with Probe(network, *batch(dtype=torch.float32)) as probe:
        assert [weight.shape for weight in probe.weights] == [(192, 192), (5, 192)]
    names = [name for name in NAMES if name != "swap"]
    assert all(math.isfinite(float.fromhex(v)) for v in scores(network, names, dtype=torch.float32).values())


def test_weights_off_the_path_count_as_zero():
    network = make("no norm")
    names = [name for name in NAMES if name != "l2_norm"]
    before = scores(network, names)
    network[4].unused = nn.Conv2d(3, 3, 3)
    assert scores(network, names) == before


def test_dropout_draws_the_same_each_time():
    network = make("tokens")
    assert scores(network, ALL) == scores(network, ALL)
    for name in set(ALL) - {"nwot", "swap", "swap(mu=300.0, sigma=1000000.0)", "l2_norm"}:
        assert scores(network, [name], seed=1) != scores(network, [name])


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


def test_a_pass_that_fails_holds_no_activations():
    network, alive = make("batch norm"), []

    def fail(module, inputs, output):
        alive.append(weakref.ref(inputs[0]))
        raise MemoryError

    network[6].register_forward_hook(fail)
    with Probe(network, *batch(), [("logits",), ("loss",)]) as probe:
        for needs in (("logits",), ("loss",)):
            with probe.lent(needs), pytest.raises(MemoryError):
                getattr(probe, needs[0])
        assert [reference() for reference in alive] == [None]


def test_cost_of_an_estimator_includes_all_that_it_shares():
    outcomes = probe_network(make("batch norm"), *batch(), [NWOT(), Snip(), Grasp()])
    nwot, snip, grasp = (outcome.cpu_seconds for outcome in outcomes)
    assert nwot > 0
    assert 0 < snip < grasp


def test_only_zero_shot_estimators_read_a_network():
    with pytest.raises(UnsupportedError, match="does not score networks"):
        score_network(make("no norm"), *batch(), ["params"])
    with pytest.raises(UnknownNameError, match="Did you mean 'snip'"):
        score_network(make("no norm"), *batch(), ["snipp"])
    with pytest.raises(UnknownNameError, match="chosen estimator"):
        score_network(make("no norm"), *batch(), ["snip"], parameters={"fisher": {}})
