"""What a suite becomes on this machine: combinations of estimators by the labels of their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from small import write_suite

from benchsuite.core.errors import BenchsuiteError
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator
from benchsuite.suites.plan import BenchmarkPlan, make_plan
from benchsuite.suites.record import record
from benchsuite.suites.schema import load_suite

if TYPE_CHECKING:
    from pathlib import Path


def _plan(folder: Path, ending: str, estimators: tuple[str, ...] = ("params", "snip", "synflow")) -> BenchmarkPlan:
    file = write_suite(folder, number=3, estimators=estimators)
    file.write_text(file.read_text() + ending)
    (part,) = make_plan(load_suite(file)).benchmarks
    return part


def _vote(*parts: str) -> str:
    return f'[[combination]]\nname = "vote"\nof = {list(parts)}\n'


STORED_KEYS = {
    ("params", None): "73713ea3e0c58d5c41122ea0090f7fd7",
    ("synflow", 0): "9a36323cce337f4d1a296b726808b110",
    ("synflow", 1): "96e837fe2f04192bd904384c15c280f7",
}
LOGARITHM = "parameters = {log = true}\n"  # ends the last estimator, synflow


def test_parts_are_found_by_label_and_by_a_name_that_one_estimator_has(tmp_path: Path) -> None:
    by_name = _plan(tmp_path, LOGARITHM + _vote("snip", "synflow")).combinations
    by_label = _plan(tmp_path, LOGARITHM + _vote("snip", "synflow(log=True)")).combinations
    assert [each.of for each in by_name] == [each.of for each in by_label] == [("snip", "synflow(log=True)")]


def test_the_protocol_says_what_a_combination_is_made_of(tmp_path: Path) -> None:
    file = write_suite(tmp_path, number=3, estimators=("params", "snip"))
    file.write_text(file.read_text() + _vote("snip", "params") + 'title = "mine"')
    (entry,) = record(make_plan(load_suite(file)), "").benchmarks
    assert entry.protocol["Combination mine"] == "vote of snip, params"


def test_fast_scores_of_networks_have_recipes_of_their_own_and_all_others_keep_theirs(tmp_path: Path) -> None:
    suite = load_suite(write_suite(tmp_path, number=3, estimators=("params", "snip", "synflow")))
    (usual,), (fast,) = (make_plan(suite, fast=fast).benchmarks for fast in (False, True))
    for before, after in zip(usual.trials, fast.trials, strict=True):
        added = {"fast": True} if isinstance(before.estimator, ZeroShotEstimator) else {}
        assert "fast" not in before.recipe
        assert after.recipe == before.recipe | added
        assert (after.key == before.key) == (not added)


def test_keys_without_options_are_those_under_which_scores_have_been_stored(tmp_path: Path) -> None:
    part = _plan(tmp_path, "", ("params", "synflow"))
    assert {(trial.estimator.name, trial.seed): trial.key for trial in part.trials} == STORED_KEYS


def test_common_initialisation_has_recipes_of_its_own_where_weights_are_drawn(tmp_path: Path) -> None:
    names = ("params", "random", "snip", "synflow")
    usual = _plan(tmp_path, "", names)
    file = tmp_path / "small.toml"
    file.write_text(file.read_text().replace('"digits"', '"digits"\ninitialisation = "common"'))
    plan = make_plan(load_suite(file))
    for before, after in zip(usual.trials, plan.benchmarks[0].trials, strict=True):
        drawn = isinstance(before.estimator, ZeroShotEstimator)
        assert after.recipe == before.recipe | ({"initialisation": "common"} if drawn else {})
        assert (after.key == before.key) == (not drawn)
    (entry,) = record(plan, "").benchmarks
    assert entry.protocol["Initialisation seeds"].startswith("0, 1; common: an operation has the same weights")
    assert "initialisation common to all architectures" in entry.caption


def test_the_protocol_says_whether_scores_are_fast_ones(tmp_path: Path) -> None:
    suite = load_suite(write_suite(tmp_path, number=3, estimators=("snip",)))
    usual, fast = (record(make_plan(suite, fast=fast), "").benchmarks[0].protocol for fast in (False, True))
    assert "fast" not in usual["Numbers"]
    assert fast["Numbers"].startswith(usual["Numbers"] + "; fast: channels last")


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        (_vote("snip", "synflw"), "Did you mean 'synflow'"),
        (_vote("snip", "nwot"), "Known: params, snip, synflow"),
        (_vote("snip", "params").replace("vote", "votes"), "Did you mean 'vote'.*az"),
        (LOGARITHM + _vote("synflow", "synflow(log=True)"), "name each once"),
        ("grid = {log = [false, true]}\n" + _vote("snip", "synflow(log=1)"), "Did you mean"),
        (_vote("snip", "params") * 2, "another title"),
        (_vote("snip", "params") + 'title = "synflow"', "another title"),
        ('[[combination]]\nname = "az"', "no estimator in the suite named 'az_expressivity'"),
    ],
)
def test_a_mistake_in_a_combination_gets_one_clear_line(tmp_path: Path, ending: str, message: str) -> None:
    with pytest.raises(BenchsuiteError, match=message) as caught:
        _plan(tmp_path, ending)
    assert "\n" not in str(caught.value)


def test_a_name_that_several_settings_have_must_be_made_clear(tmp_path: Path) -> None:
    settings = '[[estimator]]\nname = "grasp"\nparameters = {temperature = 2.0}\n'
    assert _plan(tmp_path, settings + _vote("snip", "grasp")).combinations[0].of[1] == "grasp(temperature=2.0)"
    settings += settings.replace("2.0", "3.0")
    with pytest.raises(
        BenchsuiteError, match=r"which grasp\? Name one of: grasp\(temperature=2.0\), grasp\(temperature=3.0\)"
    ):
        _plan(tmp_path, settings + _vote("snip", "grasp"))


def test_a_combination_is_skipped_where_a_part_is(tmp_path: Path) -> None:
    part = _plan(tmp_path, _vote("snip", "early_accuracy"), ("snip", "early_accuracy"))
    assert part.combinations == ()
    assert part.skipped["vote(snip, early_accuracy)"] == "it needs early_accuracy"
