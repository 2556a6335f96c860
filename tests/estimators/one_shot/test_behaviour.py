"""What trained supernets forget, and how alike their gradients and choices are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cosine_similarity, cross_entropy

from benchsuite.core.errors import SuiteError, UnsupportedError
from benchsuite.core.supernet import Step, Supernet
from benchsuite.core.types import Dataset
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.one_shot.behaviour import (
    Watched,
    WatchedTrainer,
    feature_similarity,
    forgetting_values,
    gradient_similarity,
)
from benchsuite.estimators.one_shot.stabiliser import ELS
from benchsuite.estimators.one_shot.trainer import PathTrainer
from benchsuite.estimators.one_shot.training import PathTraining
from benchsuite.estimators.supernets.split import Split
from benchsuite.spaces.macro.space import Macro
from benchsuite.spaces.nasbench101.space import NASBench101
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench301.space import NASBench301
from benchsuite.spaces.scarlet.space import ScarletS1

if TYPE_CHECKING:
    from collections.abc import Callable

DIGITS = load_images("digits")
SPACE = NASBench201(channels=2, cells=1)
MACRO = Macro(channels=2, head=4)
TINY = Dataset("tiny", 3, 1, 8)
SHORT = PathTraining(epochs=2, images=64, batch=8)


class TwoLayers(Supernet, nn.Module):
    """Two features to two logits by a linear layer that all use, after one of three linear maps."""

    def __init__(self, **maps: list[list[float]]) -> None:
        super().__init__()
        self.maps = nn.ModuleDict({name: nn.Linear(2, 2, bias=False) for name in maps})
        self.shared = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.shared.weight.zero_()
            for name, weight in maps.items():
                self.maps[name].weight.copy_(torch.tensor(weight))
        self.active = ""

    def activate(self, architecture: str) -> None:
        self.active = architecture

    def steps(self) -> list[Step]:
        return [Step(self.active, self.maps[self.active]), Step("rest", self.shared)]

    def active_choices(self) -> list[nn.Module]:
        return [self.maps[self.active]]

    def alternatives(self) -> dict[str, dict[str, nn.Module]]:
        return {"maps": dict(self.maps.items())}


MAPS = {
    "same": [[1.0, 0.0], [0.0, 1.0]],
    "twice": [[2.0, 0.0], [0.0, 2.0]],
    "turned": [[0.0, -1.0], [1.0, 0.0]],
    "mirrored": [[-1.0, 0.0], [0.0, -1.0]],
}


def similarity(supernet: Supernet, architectures: list[str], layer: str) -> float:
    table = gradient_similarity(supernet, architectures, torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
    return float(table.set_index("layer").loc[layer, "cosine"])


def test_parallel_gradients_have_similarity_1_orthogonal_ones_0_opposite_ones_minus_1() -> None:
    supernet = TwoLayers(**MAPS)
    assert similarity(supernet, ["same", "twice"], "shared") == pytest.approx(1)
    assert similarity(supernet, ["same", "turned"], "shared") == pytest.approx(0, abs=1e-6)
    assert similarity(supernet, ["same", "mirrored"], "shared") == pytest.approx(-1)


def test_gradients_are_compared_in_the_layers_that_both_architectures_use() -> None:
    space, batch = NASBench201(channels=2, cells=1), next(Split.training(DIGITS, 0, 1, "cpu").batches(16, seed=0))
    torch.manual_seed(0)
    supernet = space.supernet(DIGITS.dataset)
    chosen = ["|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|",
              "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|nor_conv_3x3~2|"]  # fmt: skip
    table = gradient_similarity(supernet, chosen, *batch).set_index("layer")
    inside = {layer.partition("edge_")[2] for layer in table.index if "edge_" in layer}
    assert inside == {"1_0_nor_conv_3x3.1"}
    supernet.train()
    gradients = []
    for architecture in chosen:
        supernet.activate(architecture)
        supernet.zero_grad()
        cross_entropy(supernet(batch[0]), batch[1]).backward()
        layer = supernet.network.classifier
        gradients.append(torch.cat([layer.weight.grad.flatten(), layer.bias.grad]).clone())
    expected = float(cosine_similarity(*gradients, dim=0))
    assert table.loc["network.classifier", "cosine"] == pytest.approx(expected, abs=1e-5)
    assert table["cosine"].between(-1.0001, 1.0001).all()


def test_a_gradient_of_0_is_similar_to_nothing() -> None:
    supernet = TwoLayers(none=[[0.0, 0.0], [0.0, 0.0]], **MAPS)
    assert np.isnan(similarity(supernet, ["same", "none"], "shared"))


def test_choices_are_compared_on_the_same_features() -> None:
    supernet = TwoLayers(**{name: MAPS[name] for name in ("same", "turned", "mirrored")})
    table = feature_similarity(supernet, "same", ["turned"], torch.tensor([[1.0, 0.0], [3.0, 4.0]]))
    found = {(row.first, row.second): row.cosine for row in table.itertuples()}
    assert set(found) == {("same", "turned"), ("same", "mirrored"), ("turned", "mirrored")}
    assert found["same", "turned"] == pytest.approx(0, abs=1e-6)
    assert found["same", "mirrored"] == pytest.approx(-1)


def test_a_plain_skip_is_the_identity_and_a_stabiliser_stands_for_it_where_the_shape_is_kept() -> None:
    for substitute in (None, {"identity": ELS}):
        torch.manual_seed(0)
        supernet = MACRO.supernet(TINY, substitute=substitute)
        table = feature_similarity(supernet, "identity", ["12120212"], torch.randn(4, 1, 8, 8))
        assert set(table["place"]) == {f"layers.{number}" for number in (1, 3, 4, 6, 7)}
        assert table.groupby("place").size().unique().tolist() == [3]


def test_the_similarity_at_an_edge_is_that_of_its_input_and_what_each_operation_makes_of_it() -> None:
    torch.manual_seed(0)
    supernet, images = SPACE.supernet(TINY), torch.randn(5, 1, 8, 8)
    architecture = "|nor_conv_1x1~0|+|none~0|none~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"
    table = feature_similarity(supernet, "skip_connect", [architecture], images)
    first = supernet.cells[0]
    features = supernet.train().network.stem(images)
    assert set(table["place"]) == {
        f"network.layers.{cell}.{edge}" for cell in (0, 2, 4) for edge in ("0-1", "0-3", "1-3")
    }
    made = first.get_submodule("edge_1_0_avg_pool_3x3")(features)
    expected = float(cosine_similarity(features.flatten(1), made.flatten(1)).detach().mean())
    found = table.set_index(["place", "first", "second"])["cosine"]
    assert found["network.layers.0.0-1", "skip_connect", "avg_pool_3x3"] == pytest.approx(expected, abs=1e-5)


def test_skips_that_halve_the_size_are_left_out() -> None:
    space = NASBench301(channels=4, cells=3)
    rng = np.random.default_rng(0)
    supernet = space.supernet(Dataset("tiny", 3, 3, 8))
    table = feature_similarity(supernet, "skip_connect", space.sample(3, rng), torch.randn(2, 3, 8, 8))
    skips = {
        place.rpartition(".")[0] + f".edge_{place[-1]}_{place[-3]}_skip_connect" for place in table["place"].unique()
    }
    assert skips
    assert all(isinstance(supernet.get_submodule(name), nn.Identity) for name in skips)


def test_layers_that_have_no_skip_to_choose_are_left_out() -> None:
    space = ScarletS1(width_divisor=16, halvings=2)
    architecture = space.sample(1, np.random.default_rng(0))[0]
    table = feature_similarity(space.supernet(TINY), "identity", [architecture], torch.randn(2, 1, 8, 8))
    assert set(table["place"]) == {f"layers.{number}" for number in range(19)} - {
        f"layers.{number}" for number in (0, 2, 6, 10, 14, 18)
    }


def test_a_space_without_choices_at_places_says_so() -> None:
    supernet = NASBench101(channels=8, cells=1).supernet(TINY)
    with pytest.raises(UnsupportedError, match="lacks layers or edges that can choose 'skip'"):
        feature_similarity(supernet, "skip", [], torch.zeros(1, 1, 8, 8))


def gradients_of(supernet: Supernet) -> object:
    return gradient_similarity(supernet, ["12120212", "00000000"], torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 0]))


def features_of(supernet: Supernet) -> object:
    return feature_similarity(supernet, "identity", ["12120212"], torch.randn(4, 1, 8, 8))


@pytest.mark.parametrize("measure", [gradients_of, features_of])
def test_measuring_changes_nothing(measure: Callable[[Supernet], object]) -> None:
    supernet = MACRO.supernet(TINY).eval()
    before = {name: value.clone() for name, value in supernet.state_dict().items()}
    measure(supernet)
    assert all(torch.equal(before[name], value) for name, value in supernet.state_dict().items())
    assert not supernet.training
    assert all(weight.grad is None for weight in supernet.parameters())
    assert not any(module._forward_pre_hooks for module in supernet.modules())


def test_forgetting_values_are_differences_of_accuracies_with_mean_and_variance() -> None:
    seen = [
        Watched(1, "a", 9, 50.0, 40.0),
        Watched(1, "b", 4, 50.0, 48.0),
        Watched(2, "a", 9, 60.0, 64.0),
        Watched(2, "c", 4, 70.0, 70.0),
    ]
    epochs = forgetting_values(seen)
    assert epochs["mean"].tolist() == [-6.0, 2.0]
    assert epochs["variance"].tolist() == [32.0, 8.0]
    assert epochs["n"].tolist() == [2, 2]
    assert forgetting_values(seen, by="architecture")["mean"].tolist() == [-3.0, -2.0, 0.0]


def test_a_watched_training_ends_with_the_weights_of_an_unwatched_one() -> None:
    plain = PathTrainer(SPACE, DIGITS, SHORT, 0)
    watched = WatchedTrainer(SPACE, DIGITS, SHORT, 0, watched=3, validating=30)
    for trainer in (plain, watched):
        for _ in range(SHORT.epochs):
            trainer.run_epoch()
    state = watched.supernet.state_dict()
    assert all(torch.equal(state[name], value) for name, value in plain.supernet.state_dict().items())
    assert [(each.epoch, each.updates) for each in watched.seen] == [(1, 6), (1, 3), (1, 1), (2, 6), (2, 3), (2, 1)]


def test_the_accuracy_after_the_last_update_is_that_after_the_epoch() -> None:
    trainer = WatchedTrainer(SPACE, DIGITS, SHORT, 0, watched=8, validating=50)
    trainer.run_epoch()
    assert [each.updates for each in trainer.seen] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert trainer.seen[-1].after_update == trainer.seen[-1].after_epoch
    assert [each.architecture for each in trainer.seen] == [trainer._sampled(number)[0] for number in range(8)]
    (inputs, targets), *_ = Split.validation(DIGITS, 50, 1, "cpu").in_order(50)
    trainer.supernet.activate(trainer.seen[0].architecture)
    right = (trainer.supernet.train()(inputs).argmax(1) == targets).float().mean()
    assert trainer.seen[0].after_epoch == pytest.approx(100 * float(right))


def test_more_watched_updates_than_there_are_is_an_error() -> None:
    with pytest.raises(SuiteError, match="watched = 9; must be 1 to 8"):
        WatchedTrainer(SPACE, DIGITS, SHORT, 0, watched=9, validating=30)
