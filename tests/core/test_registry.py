from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import pytest

from benchsuite.core import registry
from benchsuite.core.errors import SuiteError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar
from benchsuite import ZeroShotEstimator

@dataclass(frozen=True, slots=True)
class Mine(ZeroShotEstimator):
    name: ClassVar[str] = "{name}"
    def score(self, probe):
        return 1.0
"""


@pytest.fixture(autouse=True)
def _forget_plugins() -> Iterator[None]:
    registry._entries.cache_clear()
    yield
    registry._plugins.clear()
    registry._entries.cache_clear()


def _entry_points(monkeypatch: pytest.MonkeyPatch, *entries: EntryPoint) -> None:
    def found(group: str) -> list[EntryPoint]:
        return [entry for entry in entries if entry.group == group]

    monkeypatch.setattr(registry, "entry_points", found)
    registry._entries.cache_clear()


def test_a_misspelt_estimator_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'synflow'"):
        registry.make_estimator("synflw")


def test_a_misspelt_parameter_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'log'"):
        registry.make_estimator("synflow", {"logg": True})


def test_a_broken_entry_point_harms_only_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    group = "benchsuite.estimators"
    _entry_points(
        monkeypatch,
        EntryPoint("bad", "package_that_is_absent:Bad", group),
        EntryPoint("json", "json:JSONDecoder", group),
    )
    assert registry.estimators() == ["bad", "json"]
    assert registry.load("estimator", "json").__name__ == "JSONDecoder"
    with pytest.raises(SuiteError, match="package_that_is_absent"):
        registry.load("estimator", "bad")
    assert list(registry.broken()) == ["estimator bad"]


def test_two_packages_with_one_name_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    group = "benchsuite.estimators"
    _entry_points(
        monkeypatch, EntryPoint("twice", "json:JSONDecoder", group), EntryPoint("twice", "json:JSONEncoder", group)
    )
    with pytest.raises(SuiteError, match=r"json:JSONDecoder and json:JSONEncoder"):
        registry.load("estimator", "twice")


def test_the_same_entry_found_twice_on_the_path_is_no_clash(monkeypatch: pytest.MonkeyPatch) -> None:
    group = "benchsuite.estimators"
    _entry_points(monkeypatch, *[EntryPoint("once", "json:JSONDecoder", group)] * 2)
    assert registry.load("estimator", "once").__name__ == "JSONDecoder"


def test_a_plugin_file_defines_estimators_and_its_content_is_part_of_their_identity(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN.format(name="mine"))
    for _ in range(2):
        assert registry.load_plugin(file) == {"space": [], "estimator": ["mine"], "section": []}
    assert "mine" in registry.estimators()
    assert registry.make_estimator("mine").label() == "mine"
    assert len(registry.plugin_digest("estimator", "mine") or "") == 64
    assert registry.plugin_digest("estimator", "snip") is None


def test_a_plugin_file_can_define_a_space_and_be_a_section(tmp_path: Path) -> None:
    file = tmp_path / "question.py"
    file.write_text(
        "from benchsuite.core.space import Space\n"
        "from benchsuite.spaces.macro.space import Macro\n"
        "class Line(Space):\n    name = 'line'\n"
        "TITLE = 'Why?'\n"
        "def tables(evidence): return {}\n"
        "def parts(tables): return []\n"
        "def sentences(tables): return []\n"
    )
    assert registry.load_plugin(file) == {"space": ["line"], "estimator": [], "section": ["question"]}
    assert registry.make_space("line").canonical is not None
    assert registry.load("section", "question").TITLE == "Why?"
    assert len(registry.plugin_digest("space", "line") or "") == 64


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        ("x = 1", "defines no estimator, space or section"),
        ("1 / 0", "ZeroDivisionError"),
        (PLUGIN.format(name="snip"), "'snip', a name that is already taken"),
    ],
)
def test_a_bad_plugin_file_gets_one_clear_line(tmp_path: Path, content: str | None, message: str) -> None:
    file = tmp_path / "plugin.py"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SuiteError, match=message) as caught:
        registry.load_plugin(file)
    assert "\n" not in str(caught.value)
