"""Linear regions: patterns written out in numpy, arrangements whose regions are known, spaces that have none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from small import write_suite
from torch import nn

from benchsuite.core import registry
from benchsuite.core.errors import SuiteError, UnsupportedError
from benchsuite.data.images.datasets import dataset
from benchsuite.estimators.zero_shot.any_network import score_network
from benchsuite.estimators.zero_shot.linear_regions import LinearRegions
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench201.strings import EDGES, OPERATIONS, live_part, parse, render
from benchsuite.suites.plan import make_plan
from benchsuite.suites.record import record
from benchsuite.suites.schema import load_suite

SPACE, DATASET = NASBench201(), dataset("cifar10")
SKIP = render(("none", "none", "none", "skip_connect", "none", "none"))
DENSE = render(("nor_conv_3x3",) * 6)


def _score(architecture, seed=0, space=SPACE, **parameters):
    return LinearRegions(**parameters).score(space, architecture, DATASET, np.random.default_rng(seed))


class Written:
    """The cell of one channel in numpy, which notes what goes into each ReLU."""

    def __init__(self, architecture, seed, images):
        with torch.random.fork_rng():
            torch.manual_seed(int(np.random.default_rng(seed).integers(1 << 63)))
            self.weights = {
                name: value.numpy() for name, value in SPACE.region_network(architecture).state_dict().items()
            }
            features = torch.randn(images, 1, 3, 3, dtype=torch.float64)[:, 0].numpy()
        self.seen = []
        nodes = [features] + [np.zeros_like(features) for _ in range(3)]
        for (source, target), operation in live_part(parse(architecture)):
            nodes[target] = nodes[target] + self.operation(operation, nodes[source], f"0.edge_{target}_{source}")
        self.relu(self.normalised(nodes[3]))
        self.codes = np.concatenate(self.seen, axis=1)

    def relu(self, features):
        self.seen.append((features > 0).reshape(len(features), -1))
        return np.maximum(features, 0)

    def normalised(self, features):
        return (features - features.mean()) / np.sqrt(features.var() + 1e-5)

    def operation(self, name, features, key):
        if name == "skip_connect":
            return features
        if name == "avg_pool_3x3":
            around, inside = np.ones((3, 3)), correlate2d(np.ones((3, 3)), np.ones((3, 3)), "same")
            return np.stack([correlate2d(image, around, "same") / inside for image in features])
        kernel = self.weights[f"{key}.1.weight"][0, 0].astype(float)
        return self.normalised(np.stack([correlate2d(image, kernel, "same") for image in self.relu(features)]))


@pytest.mark.parametrize("number", range(12))
def test_it_is_the_number_of_different_patterns_of_all_units(number):
    architecture = render(
        np.random.default_rng(number).choice(OPERATIONS[1:] if number % 2 else OPERATIONS, len(EDGES))
    )
    codes = Written(architecture, number, images=300).codes
    assert _score(architecture, number, inputs=300) == len({tuple(code) for code in codes.tolist()})


@dataclass(frozen=True)
class Lines:
    """A space whose one network has a ReLU for each of so many lines through the origin of a plane."""

    lines: int
    name: str = "lines"

    def region_network(self, architecture):
        layer = nn.Linear(9, self.lines, bias=False)
        with torch.no_grad():
            layer.weight[:, 2:] = 0  # the first two pixels are the plane
        return nn.Sequential(nn.Flatten(), layer, nn.ReLU())


class Silent(Lines):
    """Its network has no ReLU."""

    def region_network(self, architecture):
        return Lines.region_network(self, architecture)[:2]


@pytest.mark.parametrize("lines", [1, 2, 3, 5])
def test_lines_through_one_point_divide_the_plane_into_twice_their_number(lines):
    assert _score("", space=Lines(lines)) == 2 * lines


def test_a_cell_without_path_is_one_region_and_one_without_operations_has_those_of_the_last_activation():
    assert _score(render(("nor_conv_3x3",) + 5 * ("none",))) == 1
    assert 500 < _score(SKIP) <= 2**9
    assert _score(DENSE) > 2000


def test_dead_operations_cut_no_regions():
    assert _score("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|") == _score(SKIP)


def test_a_score_follows_its_generator_alone_and_leaves_the_random_state_as_it_was():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = _score(DENSE)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    assert _score(DENSE) == first
    assert len({_score(DENSE, seed) for seed in range(4)}) > 1


def test_sizes_of_the_full_network_change_nothing():
    assert _score(DENSE, space=NASBench201(channels=2, cells=1)) == _score(DENSE)


@pytest.mark.parametrize("name", [name for name in registry.spaces() if name != "nasbench201"])
def test_spaces_without_such_a_network_are_unsupported_with_one_line(name):
    space = registry.load_space(name)
    (architecture,) = space.sample(1, np.random.default_rng(0))
    with pytest.raises(UnsupportedError, match=f"one channel without stem, which the space '{name}' lacks") as caught:
        _score(architecture, space=space)
    assert "\n" not in str(caught.value)


def test_too_few_inputs_and_networks_without_activation_modules_are_refused():
    with pytest.raises(SuiteError, match="inputs = 1; must be at least 2"):
        _score(DENSE, inputs=1)
    with pytest.raises(UnsupportedError, match=r"needs nn\.ReLU modules, and the network has none"):
        _score("", space=Silent(1))


@pytest.mark.parametrize(("estimators", "seen"), [(("linear_regions",), False), (("linear_regions", "snip"), True)])
def test_a_report_shows_it_among_zero_shot_estimators_and_a_minibatch_only_if_another_reads_one(
    tmp_path, estimators, seen
):
    (entry,) = record(make_plan(load_suite(write_suite(tmp_path, estimators=estimators))), "").benchmarks
    assert ("minibatch" in entry.caption) is seen
    assert {trial.family for trial in entry.trials} == {"zero-shot"}
    mine = [trial for trial in entry.trials if trial.estimator == "linear_regions"]
    assert [(trial.seed, trial.batch_seed) for trial in mine] == [(0, None), (1, None)]


def test_a_network_of_a_user_is_not_what_it_reads():
    with pytest.raises(UnsupportedError, match=r"linear_regions .* does not score networks"):
        score_network(nn.Linear(2, 2), torch.ones(3, 2), torch.tensor([0, 1, 1]), ["linear_regions"])
