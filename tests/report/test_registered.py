"""Sections as an outsider writes them: one file, by an entry point or as a plug-in; and what is wrong with others."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from small import write_suite
from typer.testing import CliRunner

import benchsuite
from benchsuite.cli.app import app
from benchsuite.core import registry
from benchsuite.core.errors import SuiteError
from benchsuite.report.contract import Schema, section_of
from benchsuite.report.evidence import Evidence
from benchsuite.report.judgement import judge_benchmark
from benchsuite.report.registered import ordered, registered_sections
from benchsuite.report.write import write_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchsuite.report.results import Results

TOY = '''
"""How far apart the scores of an estimator lie."""

import pandas as pd

from benchsuite.report.contract import Schema
from benchsuite.report.render.table import Cell, Column, Table

TITLE = "How far apart do scores lie?"
ORDER = 150
READS = ("leaderboard",)
TABLES = {"spread": Schema({"estimator": "Name of the estimator", "spread": "Largest score less the smallest"})}


def tables(evidence):
    rows = [(name, runs[0].max() - runs[0].min()) for name, runs in evidence.runs.items()]
    return {"spread": pd.DataFrame(rows, columns=["estimator", "spread"])}


def parts(tables):
    spread = tables["spread"].set_index("estimator")["spread"]
    order = tables["leaderboard"]["estimator"]
    rows = tuple((Cell(name, name), Cell(f"{spread[name]:.2f}", spread[name])) for name in order)
    yield Table("spread", "Spread of scores", (Column("Estimator", numeric=False), Column("Spread")), rows)


def sentences(tables):
    widest = tables["spread"].sort_values("spread")["estimator"].iloc[-1]
    return [(55, f"The scores of {widest} lie farthest apart.")]
'''


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget after the test what it has registered."""
    monkeypatch.setattr(registry, "_plugins", {})
    registry._entries.cache_clear()
    yield
    registry._entries.cache_clear()


def _shown_everywhere(results: Results, folder: Path) -> None:
    page = write_report(results, folder).read_text(encoding="utf-8")
    assert page.count(">How far apart do scores lie?</button>") == 1  # a tab of its own
    assert page.index("Ranks</button>") > page.index("How far apart do scores lie?</button>")
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    assert "### How far apart do scores lie?" in markdown
    assert "lie farthest apart." in markdown.partition("### ")[0]
    spread = pd.read_csv(folder / "tables" / "spread.csv")
    assert spread.columns.tolist() == ["benchmark", "estimator", "spread"]
    (tables,) = benchsuite.judge(results).values()
    assert tables["spread"]["spread"].tolist() == pytest.approx(spread["spread"].tolist())
    assert (folder / "latex" / "nasbench201-cifar10-spread.tex").is_file()


@pytest.mark.usefixtures("plugins")
def test_a_plug_in_file_adds_a_section_to_page_markdown_files_verdict_and_python(
    make_results: Callable[..., Results], tmp_path: Path
) -> None:
    file = tmp_path / "spread_of_scores.py"
    file.write_text(TOY, encoding="utf-8")
    registry.load_plugin(file)
    _shown_everywhere(make_results(n=20, estimators=("nwot", "synflow")), tmp_path / "report")


@pytest.mark.usefixtures("plugins")
def test_an_installed_package_adds_a_section_by_an_entry_point(
    make_results: Callable[..., Results], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_package_with_a_section.py").write_text(TOY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found = registry.entry_points

    def entry_points(group: str) -> list[EntryPoint]:
        added = EntryPoint("spread_of_scores", "a_package_with_a_section", "benchsuite.sections")
        return [*found(group=group), *([added] if group == "benchsuite.sections" else [])]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    _shown_everywhere(make_results(n=20, estimators=("nwot", "synflow")), tmp_path / "report")


@pytest.mark.usefixtures("plugins")
def test_run_and_report_take_a_section_as_a_plug_in(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, number=6, seeds=(0,), estimators=("params", "random"))
    file = tmp_path / "spread_of_scores.py"
    file.write_text(TOY, encoding="utf-8")
    options = ["--store", str(tmp_path / "store"), "--plugin", str(file)]
    out = tmp_path / "run", tmp_path / "again"
    ran = CliRunner().invoke(app, ["run", str(suite), "--jobs", "1", *options, "--out", str(out[0])])
    assert ran.exit_code == 0, ran.output
    registry._plugins.clear()
    told = CliRunner().invoke(app, ["report", "small", *options, "--out", str(out[1])])
    assert told.exit_code == 0, told.output
    assert all((folder / "tables" / "spread.csv").is_file() for folder in out)


def test_our_sections_declare_every_table_they_have_and_read_none_that_is_not_there(
    make_results: Callable[..., Results],
) -> None:
    sections = registered_sections()
    judgement = judge_benchmark(Evidence(make_results(n=20, estimators=("nwot",)).benchmarks[0]), sections)
    declared = {table for section in sections for table in section.schemas}
    for section in sections:
        assert set(judgement.by_section[section.name]) == set(section.schemas)
        assert set(section.reads) <= declared


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"TITLE": None}, "TITLE = None"),
        ({"tables": None}, r"has no function tables\(\)"),
        ({"parts": 3}, r"has no function parts\(\)"),
    ],
)
def test_what_a_section_lacks_is_said(change: dict[str, object], words: str) -> None:
    module = {"TITLE": "Why?", "tables": lambda _: {}, "parts": lambda _: (), **change}
    with pytest.raises(SuiteError, match=f"section why.*{words}"):
        section_of("why", SimpleNamespace(**module))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({}, "declares a table 'answer', which its tables"),
        ({"answer": pd.DataFrame({"b": [1]})}, "table 'answer' has the columns b; declared are a"),
    ],
)
def test_a_table_that_is_not_as_declared_is_named(
    made: dict[str, pd.DataFrame], words: str, make_results: Callable[..., Results]
) -> None:
    module = SimpleNamespace(
        TITLE="Why?", TABLES={"answer": Schema({"a": "An answer"})}, tables=lambda _: made, parts=lambda _: ()
    )
    evidence = Evidence(make_results(n=20, estimators=("nwot",)).benchmarks[0])
    with pytest.raises(SuiteError, match=words):
        judge_benchmark(evidence, [section_of("why", module)])


def test_two_sections_with_a_table_of_one_name_are_named() -> None:
    module = SimpleNamespace(
        TITLE="Why?", TABLES={"answer": Schema({"a": "An answer"})}, tables=lambda _: {}, parts=lambda _: ()
    )
    with pytest.raises(SuiteError, match="sections one and two both have a table 'answer'"):
        ordered([section_of("two", module), section_of("one", module)])


def test_a_section_that_reads_what_no_section_has_is_named(make_results: Callable[..., Results]) -> None:
    module = SimpleNamespace(TITLE="Why?", READS=("nothing",), tables=lambda _: {}, parts=lambda _: ())
    evidence = Evidence(make_results(n=20, estimators=("nwot",)).benchmarks[0])
    with pytest.raises(SuiteError, match="section why reads the table 'nothing', which no section has"):
        judge_benchmark(evidence, [section_of("why", module)]).verdict()
