from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.core.errors import BenchsuiteError
from benchsuite.suites.schema import (
    BatchChoice,
    BenchmarkChoice,
    CombinationEntry,
    EstimatorEntry,
    SampleChoice,
    Suite,
    SuiteDocument,
    TruthChoice,
    load_suite,
    parse_suite,
    suites,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CLASSES = (SuiteDocument, BenchmarkChoice, TruthChoice, SampleChoice, BatchChoice, EstimatorEntry, CombinationEntry)

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


def _error(make: Callable[[], Suite]) -> str:
    """What a suite is refused for; empty if it is accepted."""
    try:
        make()
    except BenchsuiteError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema = 1", "schema = 2", "schema = 2; this version reads suites that say schema = 1"),
        ("schema = 1", "schema = true", "schema = true"),
        ("schema = 1", "", "schema is missing"),
        ("schema = 1", "schema = 1\ndescription = 3", "description = 3; must be text in quotes"),
        ("seeds = [0, 1]", "seeds = [0, 0]", r"seeds = \[0, 0\]; must name each entry once"),
        ("seeds = [0, 1]", "seed = [0, 1]", "Did you mean 'seeds'"),
        ("seeds = [0, 1]", 'seeds = "0"', "seeds = '0'; must be a list of one or more non-negative integers"),
        ("seeds = [0, 1]", "seeds = []", r"seeds = \[\]; must be a list of one or more non-negative integers"),
        ("seeds = [0, 1]", "seeds = [0, -1]", r"seeds\[1\] = -1; must be a non-negative integer"),
        ("seeds = [0, 1]", "seeds = [true]", r"seeds\[0\] = true; must be a non-negative integer"),
        ("seeds = [0, 1]", "seeds = [9223372036854775808]", r"must be less than 2\^63"),
        ('space = "nasbench201"', "space = 201", r"\[\[benchmark\]\] number 1: space = 201; must be text in quotes"),
        ('space = "nasbench201"', "", r"\[\[benchmark\]\] number 1: space is missing"),
        ("size = 64", "sizes = 64", "batch: no key named 'sizes'. Did you mean 'size'"),
        ("size = 64", "size = 0", "nasbench201/cifar10: batch.size = 0; must be a positive integer"),
        ("size = 64", "size = nan", "batch.size = nan; must be a positive integer"),
        ("size = 64", "size = 64.0", "batch.size = 64.0; must be a positive integer"),
        ("size = 64", 'size = "64"', "batch.size = '64'; must be a positive integer"),
        ("seeds = [0]}", "seeds = [0.0]}", r"batch.seeds\[0\] = 0.0; must be a non-negative integer"),
        ("number = 500", "number = 2.5", "architectures.number = 2.5; must be a positive integer"),
        ("number = 500, seed = 0", "seed = -1", "architectures.seed = -1; must be a non-negative integer"),
        ("number = 500, seed = 0", 'pool = "all"', "architectures.pool = 'all'; must be 'class' or 'none'"),
        ("{number = 500, seed = 0}", "500", "architectures = 500; must be a table"),
        ('dataset = "cifar10"', 'dataset = "cifar10"\nsizes = 3', "sizes = 3; must be a table"),
        (
            'dataset = "cifar10"',
            'dataset = "cifar10"\nsizes = {cells = true}',
            "sizes.cells = true; must be a positive",
        ),
        ('dataset = "cifar10"', 'dataset = "cifar10"\ninitialization = "common"', "Did you mean 'initialisation'"),
        ('dataset = "cifar10"', 'dataset = "cifar10"\ntransfer = "cifar100"', "'cifar100'; must be a list of texts"),
        (
            'dataset = "cifar10"',
            'dataset = "cifar10"\ntransfer = ["cifar10"]',
            "must name other data sets of the space",
        ),
        ('dataset = "cifar10"', 'dataset = "cifar10"\ntransfer = ["a", "a"]', "must name each entry once"),
        (
            'dataset = "cifar10"',
            'dataset = "cifar10"\ninitialisation = true',
            "true; must be 'independent' or 'common'",
        ),
        ('dataset = "cifar10"', 'dataset = "cifar10"\ninitialisation = "same"', "initialisation = 'same'; must be"),
        ('split = "test"', 'table = "~nobody-has-this-name/t.csv"', "truth.table = '~nobody-has-this-name/t.csv'"),
        ('split = "test"', r'table = "\u0000"', "truth.table = "),
        ("grid = {log = [false, true]}", "grid = {log = true}", "synflow: grid.log = true; must be a list of values"),
        ("grid = {log = [false, true]}", "grid = {log = []}", r"grid.log = \[\]; must be a list of values"),
        ("grid = {log = [false, true]}", "parameters = 3", "synflow: parameters = 3; must be a table"),
        (
            "grid = {log = [false, true]}",
            "parameters = {log = 3}\ngrid = {log = {a = [1]}}",
            "parameters.log = 3; must be a table, as grid.log is",
        ),
        ('name = "snip"', 'name = "synflow"\nparameters = {log = true}', "listed twice with the same parameters"),
        ('name = "snip"', 'name = "snip"\ntitle = 3', r"\[\[estimator\]\] snip: title = 3; must be text in quotes"),
        ('name = "snip"', "", r"\[\[estimator\]\] number 2: name is missing"),
        ("[[estimator]]", "[[estimators]]", "Did you mean 'estimator'"),
        (
            '"snip"\n',
            '"snip"\n[[combination]]\nname = "vote"\nof = ["snip"]',
            "vote: of = .*; must be a list of two or more",
        ),
        ('"snip"\n', '"snip"\n[[combination]]\nname = "vote"\nof = ["snip", "snip"]', "must name each entry once"),
        ('"snip"\n', '"snip"\n[[combination]]\nname = "vote"\nof = [1, 2]', r"of\[0\] = 1; must be text in quotes"),
        ('"snip"\n', '"snip"\n[[combination]]\nname = "vote"', "of is missing; name at least two estimators"),
        ('"snip"\n', '"snip"\n[[combination]]\nname = "az"\nof = ["snip", "nwot"]', "az: of = .*; must be left out"),
        ('"snip"\n', '"snip"\n[[combination]]\nname = 3\nof = ["snip", "nwot"]', "name = 3; must be text in quotes"),
        ('"snip"\n', '"snip"\n[[combination]]\nname = "vote"\nfor = ["snip"]', "Known: name, of, title"),
        ('"snip"\n', '"snip"\n[combination]\nname = "az"\n', r"each under its own heading \[\[combination\]\]"),
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
    with pytest.raises(BenchsuiteError, match=r"\[\[estimator\]\] is missing"):
        _parse(GOOD.split("[[estimator]]", maxsplit=1)[0])


def test_a_file_that_is_absent_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchsuiteError, match="does not exist"):
        load_suite(tmp_path / "absent.toml")
    (tmp_path / "bad.toml").write_text("= 3")
    with pytest.raises(BenchsuiteError, match="not valid TOML"):
        load_suite(tmp_path / "bad.toml")
    with pytest.raises(BenchsuiteError, match="no suite named"):
        load_suite("quickstrat")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(BenchsuiteError, match="cannot be read"):
        load_suite(tmp_path / "folder.toml")


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 100_000,
        "[" + "a." * 20_000 + "a]",
        "x = " + "9" * 5_000,
        "\x00",
        GOOD + "[estimator.parameters." + "a." * 20_000 + "a]",
        (GOOD + "[estimator.parameters." + "a." * 20_000 + "a]").replace('"snip"', '"synflow"'),
        GOOD.replace("size = 64", "size = -0x" + "f" * 10_000),
    ],
    ids=["lists", "tables", "digits", "zero", "parameters", "parameters compared", "hexadecimal"],
)
def test_a_file_that_is_hard_to_read_gets_one_line_or_is_read(text: str, tmp_path: Path) -> None:
    file = tmp_path / "hard.toml"
    file.write_text(text)
    message = _error(lambda: load_suite(file))
    assert "\n" not in message
    assert len(message) < 1_000


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


KEYS = st.sampled_from([field.name for cls in CLASSES for field in fields(cls)]) | st.text(max_size=5)
SCALARS = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.datetimes()
    | st.sampled_from(["nasbench201", "snip", "vote", "az", "class", "nasbench201/cifar10"])
)
VALUES = st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(KEYS, inside, max_size=3), max_leaves=10
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A good suite some of whose values are replaced, added or left out."""
    document: dict[str, Any] = tomllib.loads(GOOD + '[[combination]]\nname = "vote"\nof = ["snip", "synflow"]')
    for _ in range(draw(st.integers(1, 4))):
        table: Any = document
        while isinstance(table, dict | list) and table and draw(st.booleans()):
            table = draw(st.sampled_from(list(table.values()) if isinstance(table, dict) else table))
        if isinstance(table, dict):
            key = draw(st.sampled_from(sorted(table)) | KEYS if table else KEYS)
            table[key] = draw(VALUES)
        elif isinstance(table, list) and table:
            table[draw(st.integers(0, len(table) - 1))] = draw(VALUES)
    return document


@given(documents() | st.dictionaries(KEYS, VALUES, max_size=6).map(lambda entries: {"schema": 1, **entries}))
@settings(max_examples=500, deadline=None)
def test_whatever_a_document_says_it_is_a_suite_or_one_clear_line(document: dict[str, Any]) -> None:
    message = _error(lambda: parse_suite(document, "mine", folder=Path()))
    assert len(message.splitlines()) <= 1
    if not message:
        suite = parse_suite(document, "mine", folder=Path())
        assert all(type(seed) is int and seed >= 0 for choice in suite.benchmarks for seed in choice.seeds)
