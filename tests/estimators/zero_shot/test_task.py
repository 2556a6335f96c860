"""A worker's scores depend on seeds and architecture alone; what fails is recorded and ends nothing."""

from __future__ import annotations

import math
import pickle
import re
import weakref
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite import score_network
from benchsuite.core import registry
from benchsuite.core.errors import SuiteError
from benchsuite.core.identity import seed_of
from benchsuite.core.types import Dataset
from benchsuite.data.images.minibatches import load_images, minibatch, noise
from benchsuite.estimators.zero_shot import task as tasks
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator
from benchsuite.estimators.zero_shot.task import ProbeTask
from benchsuite.spaces.nasbench201.space import NASBench201

NAMES = ("grad_norm", "snip", "grasp", "fisher", "synflow", "jacob_cov", "nwot")
SPACE = NASBench201(channels=4, cells=1)
PATHLESS = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
ARCHITECTURES = [*SPACE.sample(5, np.random.default_rng(0)), PATHLESS]


def digits(*, seed=0, number=1):
    return tuple(minibatch(load_images("digits"), 10, seed, number))


def task(names=NAMES, **changes):
    estimators = tuple(registry.make_estimator(name) if isinstance(name, str) else name for name in names)
    return replace(ProbeTask(SPACE, load_images("digits").dataset, estimators, minibatches=digits()), **changes)


def values(task, architectures):
    scores = task.scores(architectures)
    return {(task.estimators[index].name, score.architecture): score.value.hex() for index, score in scores}


@pytest.fixture(scope="module")
def together():
    return values(task(), ARCHITECTURES)


@given(
    architectures=st.lists(st.sampled_from(ARCHITECTURES), min_size=1, max_size=3),
    names=st.lists(st.sampled_from(NAMES), min_size=1, unique=True),
)
@settings(max_examples=15, deadline=None)
def test_a_score_depends_on_no_order_chunk_or_companion(together, architectures, names):
    torch.rand(1)  # the outer random state does not matter either
    for key, value in values(task(names), architectures).items():
        assert value == together[key]


def test_a_score_is_that_of_the_seeded_network_and_minibatch():
    architecture = ARCHITECTURES[0]
    with torch.random.fork_rng():
        torch.manual_seed(seed_of(3, architecture))
        network = SPACE.build(architecture, "digits")
    inputs, targets = (torch.from_numpy(array) for array in minibatch(load_images("digits"), 10, seed=2)[0])
    expected = score_network(network, inputs, targets, ["snip", "grasp"])
    scores = task(("snip", "grasp"), seed=3, minibatches=digits(seed=2)).scores([architecture])
    assert {("snip", "grasp")[index]: score.value for index, score in scores} == expected


def test_scores_are_means_over_minibatches():
    architecture = ARCHITECTURES[0]
    with torch.random.fork_rng():
        torch.manual_seed(seed_of(0, architecture))
        network = SPACE.build(architecture, "digits")
    singles = [
        score_network(network, *map(torch.from_numpy, pair), ["snip", "synflow"])
        for pair in minibatch(load_images("digits"), 10, seed=0, number=7)
    ]
    averaged = task(("snip", "synflow"), minibatches=digits(number=7))
    snip, synflow = (score.value for _, score in averaged.scores([architecture]))
    assert snip == pytest.approx(np.mean([scores["snip"] for scores in singles]), rel=1e-12)
    assert synflow == singles[0]["synflow"]  # to the bit: it depends on no minibatch


def test_undefined_scores_are_marked():
    scores = {NAMES[index]: score for index, score in task().scores([PATHLESS])}
    assert {name for name, score in scores.items() if score.status == "undefined"} == {"jacob_cov", "nwot"}
    assert math.isnan(scores["nwot"].value)
    assert scores["fisher"].value == 0


@dataclass(frozen=True, slots=True)
class Failing(ZeroShotEstimator):
    """Fails on every network."""

    name: ClassVar[str] = "failing"

    def score(self, probe):
        raise ArithmeticError("too hot\ntoo cold")


def test_what_fails_is_recorded_with_its_reason_and_ends_nothing():
    scores = task((Failing(), "snip", "synflow")).scores(["nonsense", ARCHITECTURES[0]])
    by_key = {(score.architecture, index): score for index, score in scores}
    for index in range(3):
        assert by_key["nonsense", index].status == "failed"
        assert by_key["nonsense", index].reason.startswith(
            "InvalidArchitectureError: 'nonsense' is not a NAS-Bench-201"
        )
    failed = by_key[ARCHITECTURES[0], 0]
    assert (failed.status, failed.reason) == ("failed", "ArithmeticError: too hot")
    assert math.isnan(failed.value)
    assert [by_key[ARCHITECTURES[0], index].status for index in (1, 2)] == ["ok", "ok"]


def _of_torch():
    torch.empty(1 << 50)


def _of_python():
    bytearray(1 << 62)


def _of_cuda():
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 80.00 GiB.\nProcess 1 has 2.00 GiB in use")


@dataclass(frozen=True, slots=True)
class Hungry(ZeroShotEstimator):
    """Holds a tensor and asks for more memory than there is on the network with fewest parameters."""

    name: ClassVar[str] = "hungry"
    ask: ClassVar = _of_torch
    held: ClassVar = []  # weakly

    def score(self, probe):
        held = torch.ones(3)
        self.held.append(weakref.ref(held))
        if sum(map(torch.numel, probe.network.parameters())) == SPACE.complexity(PATHLESS, "digits").live_params:
            type(self).ask()
        return float(held.sum())


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (
            _of_torch,
            "RuntimeError: .*can't allocate memory: you tried to allocate 4503599627370496 bytes",
        ),
        (_of_python, "MemoryError"),
        (_of_cuda, r"OutOfMemoryError: CUDA out of memory. Tried to allocate 80.00 GiB\."),
    ],
)
def test_a_lack_of_memory_is_recorded_and_leaves_none_of_it_occupied(monkeypatch, ask, reason):
    emptied = []
    monkeypatch.setattr(Hungry, "ask", staticmethod(ask))
    monkeypatch.setattr(Hungry, "held", [])
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append([part() for part in Hungry.held]))
    scores = task((Hungry(), "snip")).scores([PATHLESS, ARCHITECTURES[0]])
    assert [score.status for _, score in scores] == ["failed", "ok", "ok", "ok"]
    assert re.fullmatch(reason + ".*", scores[0][1].reason)
    assert emptied == [[None]], "once, when the tensor was gone"


@pytest.mark.parametrize(("place", "name"), [(ProbeTask, "_build"), (tasks, "probe_network")])
def test_an_architecture_that_cannot_be_built_or_probed_for_lack_of_memory_is_recorded(monkeypatch, place, name):
    whole, calls = getattr(place, name), []

    def failing_first(*parts, **options):
        calls.append(parts)
        return _of_cuda() if len(calls) == 1 else whole(*parts, **options)

    monkeypatch.setattr(place, name, failing_first)
    scores = task(("snip",)).scores(ARCHITECTURES[:2])
    assert [score.status for _, score in scores] == ["failed", "ok"]


def test_each_network_is_built_once_and_one_thread_is_used(monkeypatch):
    builds, threads = [], []

    def build(task, architecture):
        builds.append(architecture)
        threads.append(torch.get_num_threads())
        return built(task, architecture)

    built = ProbeTask._build
    monkeypatch.setattr(ProbeTask, "_build", build)
    before = torch.get_num_threads()
    task(minibatches=digits(number=2)).scores(ARCHITECTURES[:2])
    assert builds == ARCHITECTURES[:2]
    assert threads == [1, 1]
    assert torch.get_num_threads() == before


def test_networks_are_scored_in_the_dtype_asked_for():
    single, double = (values(task(("snip",), dtype=dtype), ARCHITECTURES[:1]) for dtype in ("float32", "float64"))
    [[a], [b]] = ([float.fromhex(value) for value in found.values()] for found in (single, double))
    assert a != b
    assert a == pytest.approx(b, rel=1e-4)
    with pytest.raises(SuiteError, match="choose float32 or float64"):
        task(dtype="int8").scores(ARCHITECTURES[:1])


@dataclass(frozen=True, slots=True)
class _ChannelsLast(ZeroShotEstimator):
    """1 if the minibatch and every kernel lie channels last and in no other way, else 0."""

    name: ClassVar[str] = "channels_last"

    def score(self, probe):
        kernels = [weight for weight in probe.network.parameters() if weight.dim() == 4 and min(weight.shape[1:]) > 1]
        tensors = [probe.inputs, *kernels]
        last = {tensor.is_contiguous(memory_format=torch.channels_last) for tensor in tensors}
        first = {tensor.is_contiguous() for tensor in tensors}
        return float(last == {True} and first == {False})


def test_fast_networks_and_minibatches_lie_channels_last():
    colours = Dataset("cifar10", 10)  # with one channel, first and last are the same
    made = task((_ChannelsLast(),), dataset=colours, minibatches=tuple(minibatch(noise(colours), 4, 0)))
    for fast in (False, True):
        ((_, score),) = replace(made, fast=fast).scores(ARCHITECTURES[:1])
        assert score.value == fast


def test_fast_scores_differ_by_rounding_alone():
    exact = replace(task(dtype="float64"), minibatches=digits())
    fast = {key: float.fromhex(value) for key, value in values(replace(exact, fast=True), ARCHITECTURES).items()}
    usual = {key: float.fromhex(value) for key, value in values(exact, ARCHITECTURES).items()}
    assert fast == pytest.approx(usual, rel=1e-9, nan_ok=True)


def test_noise_can_stand_for_images():
    dataset = Dataset("cifar10", 10, size=8)
    noisy = task(("jacob_cov",), dataset=dataset, minibatches=tuple(minibatch(noise(dataset), 10, 0)))
    [(_, score)] = noisy.scores(ARCHITECTURES[:1])
    assert score.status == "ok"


def test_zero_shot_estimators_ask_for_a_minibatch():
    with pytest.raises(SuiteError, match="need a minibatch"):
        task(minibatches=()).scores(ARCHITECTURES[:1])


def test_a_task_travels_to_workers():
    assert pickle.loads(pickle.dumps(task())) == task()
