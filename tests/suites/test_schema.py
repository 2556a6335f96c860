from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from benchsuite.core.errors import BenchsuiteError
from benchsuite.suites.schema import Suite, load_suite, parse_suite, suites

GOOD = """
schema = 1
seeds = [0, 1]
[[benchmark]]
space = "nasbench201"
dataset = "cifar10"
truth = {epochs = 200, split = "test"}
architectures = {number = 500, seed = 0}
batch = {size = 64, number = 1, seeds = [0]}
[[estimator]]
name = "synflow"
grid = {log = [false, true]}
[[estimator]]
name = "snip"
"""


def _parse(text: str) -> Suite:
    return parse_suite(tomllib.loads(text), "mine", folder=Path())


def test_a_grid_is_the_product_of_its_values() -> None:
    suite = parse_suite(tomllib.loads(GOOD), "mine", folder=Path())
    assert [(each.name, dict(each.parameters)) for each in suite.estimators] == [
        ("synflow", {"log": False}),
        ("synflow", {"log": True}),
        ("snip", {}),
    ]
    assert suite.benchmarks[0].seeds == (0, 1)
    assert suite.benchmarks[0].name == "nasbench201/cifar10"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema = 1", "schema = 2", "schema = 2"),
        ("seeds = [0, 1]", "seeds = [0, 0]", "each number once"),
        ("seeds = [0, 1]", "seed = [0, 1]", "Did you mean 'seeds'"),
        ("seeds = [0, 1]", 'seeds = "0"', "list of whole numbers"),
        ('space = "nasbench201"', "space = 201", "give a name in quotes"),
        ("size = 64", "sizes = 64", "Did you mean 'size'"),
        ("size = 64", "size = 0", "at least 1"),
        ("number = 500", "number = 2.5", "at least 1"),
        ("number = 500, seed = 0", 'pool = "all"', 'allowed: "class", "none"'),
        ('dataset = "cifar10"', 'dataset = "cifar10"\ninitialization = "common"', "Did you mean 'initialisation'"),
        ('dataset = "cifar10"', 'dataset = "cifar10"\ntransfer = "cifar100"', "transfer = 'cifar100'"),
        ('dataset = "cifar10"', 'dataset = "cifar10"\ntransfer = ["cifar10"]', "other data sets"),
        ('dataset = "cifar10"', 'dataset = "cifar10"\ntransfer = ["a", "a"]', "each once"),
        ('dataset = "cifar10"', 'dataset = "cifar10"\ninitialisation = true', 'allowed: "independent", "common"'),
        ('dataset = "cifar10"', 'dataset = "cifar10"\ninitialisation = "same"', "initialisation = 'same'"),
        ("grid = {log = [false, true]}", "grid = {log = true}", "give a list"),
        ("grid = {log = [false, true]}", "parameters = 3", "are tables"),
        ('name = "snip"', 'name = "synflow"\nparameters = {log = true}', "stands twice"),
        ('name = "snip"', 'name = "snip"\ntitle = 3', "title = 3; give names in quotes"),
        ("[[estimator]]", "[[estimators]]", "Did you mean 'estimator'"),
        ('"snip"\n', '"snip"\n[[combination]]\nname = "vote"\nof = ["snip"]', "at least two estimators"),
        ('"snip"\n', '"snip"\n[[combination]]\nname = "vote"\nof = ["snip", "snip"]', "each once"),
        ('"snip"\n', '"snip"\n[[combination]]\nname = "vote"\nof = [1, 2]', "at least two estimators"),
        ('"snip"\n', '"snip"\n[[combination]]\nname = "vote"', "of = None"),
        ('"snip"\n', '"snip"\n[[combination]]\nname = "az"\nof = ["snip", "nwot"]', "its parts are fixed"),
        ('"snip"\n', '"snip"\n[[combination]]\nname = 3\nof = ["snip", "nwot"]', "in quotes"),
        ('"snip"\n', '"snip"\n[[combination]]\nname = "vote"\nfor = ["snip"]', "Known: name, of, title"),
        ('"snip"\n', '"snip"\n[combination]\nname = "az"\n', r"no \[\[combination\]\]"),
    ],
)
def test_a_mistake_in_a_suite_gets_one_clear_line(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(BenchsuiteError, match=message) as caught:
        _parse(GOOD.replace(old, new))
    assert "\n" not in str(caught.value)


def test_a_combination_is_named_by_its_title_or_its_rule_and_parts() -> None:
    text = """
    [[combination]]
    name = "vote"
    of = ["snip", "synflow(log=True)"]
    [[combination]]
    name = "rank_mean"
    of = ["snip", "synflow"]
    title = "mine"
    [[combination]]
    name = "az"
    """
    vote, mean, az = _parse(GOOD + text).combinations
    assert (vote.title, vote.name, vote.of) == ("vote(snip, synflow(log=True))", "vote", ("snip", "synflow(log=True)"))
    assert (mean.title, mean.name, mean.of) == ("mine", "rank_mean", ("snip", "synflow"))
    assert (az.title, az.name) == ("az", "rank_product")
    assert az.of == ("az_expressivity", "az_progressivity", "az_trainability", "flops")


def test_a_suite_without_estimators_is_refused() -> None:
    with pytest.raises(BenchsuiteError, match=r"no \[\[estimator\]\]"):
        _parse(GOOD.split("[[estimator]]", maxsplit=1)[0])


def test_a_file_that_is_absent_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchsuiteError, match="no suite file"):
        load_suite(tmp_path / "absent.toml")
    (tmp_path / "bad.toml").write_text("= 3")
    with pytest.raises(BenchsuiteError, match="not a TOML file"):
        load_suite(tmp_path / "bad.toml")
    with pytest.raises(BenchsuiteError, match="no suite named"):
        load_suite("quickstrat")


def test_every_shipped_suite_can_be_read() -> None:
    assert "quickstart" in suites()
    for name in suites():
        assert load_suite(name).name == name


def test_a_users_table_lies_beside_the_suite(tmp_path: Path) -> None:
    text = GOOD.replace("epochs = 200", 'table = "mine.csv"')
    suite = parse_suite(tomllib.loads(text), "mine", folder=tmp_path)
    assert suite.benchmarks[0].truth.table == str(tmp_path / "mine.csv")


def test_a_grid_reaches_into_tables_of_parameters() -> None:
    text = (
        '[[estimator]]\nname = "uniform"\nparameters = {training = {batch = 8}}\n'
        'grid = {readout = ["accuracy", "loss"], training = {epochs = [1, 2]}}\n'
    )
    assert [entry.parameters for entry in _parse(GOOD + text).estimators if entry.name == "uniform"] == [
        {"training": {"batch": 8, "epochs": epochs}, "readout": readout}
        for readout in ("accuracy", "loss")
        for epochs in (1, 2)
    ]


def test_estimators_may_be_wanted_on_some_benchmarks_alone() -> None:
    wanted = '[[estimator]]\nname = "grasp"\nbenchmarks = ["{}"]\n'
    assert _parse(GOOD + wanted.format("nasbench201/cifar10")).estimators[-1].benchmarks == ("nasbench201/cifar10",)
    with pytest.raises(BenchsuiteError, match="Did you mean 'nasbench201/cifar10'"):
        _parse(GOOD + wanted.format("nasbench201/cifar"))
