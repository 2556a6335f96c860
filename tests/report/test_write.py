"""The files of a report: one page that needs nothing but itself, Markdown, tables and figures."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from judged import judge

from benchsuite.report.results import Results
from benchsuite.report.write import write_report

HOSTILE = '<script>alert("1")</script> $x_1$ |b| `c` #1d2330'


OPERATION = "<b>$1$&`"  # short: it labels the columns of a figure


VOID = {"meta", "br", "img", "link", "hr", "input", "wbr"}


class Page(HTMLParser):
    """Tags, identifiers and text of a page; complains of tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def results(make_results):
    benchmarks = ("nasbench201/cifar10", "nasbench201/digits")
    made = make_results(benchmarks, n=40, estimators=("nwot", "synflow", HOSTILE), seeds=2)
    return replace(made, benchmarks=tuple(_hostile(each) for each in made.benchmarks))


def _hostile(part):
    """The same with markup in the names of architectures and operations, and in the reason of a failure."""
    names = {name: f"{name}{HOSTILE}" for name in part.truth.index}
    renamed = {table: getattr(part, table).rename(index=names) for table in ("truth", "trials", "complexity")}
    scores = part.scores.assign(architecture=part.scores["architecture"].map(names))
    failed = scores.index[scores["estimator"] == "nwot"][0]
    scores.loc[failed, ["value", "status", "reason"]] = [np.nan, "failed", f"no {HOSTILE}"]
    words = itertools.product((OPERATION, "conv", "pool"), repeat=3)
    return replace(part, **renamed, scores=scores, operations=dict(zip(names.values(), words, strict=False)))


@pytest.fixture(scope="module")
def folder(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    assert write_report(results, folder) == folder / "index.html"
    return folder


@pytest.fixture(scope="module")
def html(folder):
    return (folder / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


_FULL = ("leaderboard", "comparisons", "criteria", "within_ends", "bias", "size", "mistakes", "variance", "reliability")


def _files_of(results, folder):
    write_report(results, folder)
    return [path for path in folder.rglob("*") if path.is_file()]


def _first(scores, name, number):
    """The scores, of which an estimator has those of its first architectures alone."""
    names = list(dict.fromkeys(scores["architecture"]))
    return scores[(scores["estimator"] != name) | scores["architecture"].isin(names[:number])]


def test_page_is_well_formed_and_its_identifiers_are_unique(page):
    identifiers = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    referred = re.findall(r"url\(#([^)]+)\)", str(page.tags))
    assert referred
    assert set(referred) <= set(identifiers)


def test_page_refers_to_nothing_outside_its_folder(html, folder, page):
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")  # a namespace, which is not fetched
    assert "@import" not in html
    for _, attributes in page.tags:
        for name in ("href", "src"):
            target = attributes.get(name)
            assert target is None or target.startswith("#") or (folder / target).is_file()


def test_hostile_names_are_text_and_not_markup(html, page, folder):
    scripts = page.all("script")
    data = [{"type": "application/octet-stream"}, {"type": "application/json", "class": "drawings"}]
    assert scripts == data * 2 + [{}]  # packed ranks and drawings of each benchmark, and our own
    assert "<script>alert" not in html
    text = "".join(page.text)
    cells = [attributes.get("data-architecture", "") for attributes in page.all("td")]
    assert any(cell.endswith(HOSTILE) for cell in cells)
    for words in (HOSTILE, f"0|{HOSTILE}", f"(no {HOSTILE})", f"{OPERATION} to conv"):
        assert words in text, words
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    code = r"(?<![\\`])(`+)(?!`).+?(?<!`)\1(?!`)"  # in which nothing is markup
    assert f"0\\|{HOSTILE.replace('|', chr(92) + '|')}" in markdown
    assert "<script" not in re.sub(code, "", markdown)
    for file in (folder / "figures").glob("*.svg"):
        assert not ET.fromstring(file.read_text(encoding="utf-8")).findall(".//{*}script")


def test_every_heading_of_a_table_is_a_button_that_sorts_and_every_table_has_a_caption(page, html):
    tables = [attributes for attributes in page.all("table") if attributes["class"] == "sortable"]
    assert len(tables) == len(page.all("table")) == len(page.all("caption"))
    headings = [attributes for attributes in page.all("th") if attributes["scope"] == "col"]
    assert html.count('<th scope="col"') == html.count("><button type") == len(headings)
    assert [attributes["aria-sort"] for attributes in headings if "aria-sort" in attributes] == [
        "descending"
    ] * 3  # the leaderboards and the overview


def test_every_figure_says_in_words_what_it_shows_and_on_which_population(page, results):
    pictures = page.all("svg")
    assert len(pictures) == 2 * (7 + 5) + 1  # charts, ranks by estimator, mean ranks
    assert all(picture["role"] == "img" and len(picture["aria-label"]) > 40 for picture in pictures)
    text = "".join(page.text)
    assert text.count(f"Sample: {results.benchmarks[0].population}") >= len(page.all("figure")) - 1  # mean ranks
    assert "64 noise images" in text


def test_page_says_versions_processor_and_the_command_to_repeat(page, results):
    text = "".join(page.text)
    for name, words in results.provenance.items():
        assert name in text
        assert words in text


def test_page_says_what_was_not_judged_and_why(page):
    assert "the truth has no learning curves" in "".join(page.text)


def test_tables_of_the_markdown_have_the_same_number_of_cells_in_every_row(folder):
    lines = (folder / "report.md").read_text(encoding="utf-8").splitlines()
    blocks, block = [], []
    for line in [*lines, ""]:
        if line.startswith("| "):
            block.append(len(re.findall(r"(?<!\\)\|", line)))
        elif block:
            blocks.append(block)
            block = []
    assert len(blocks) >= 2 * 8
    assert all(len(set(block)) == 1 and len(block) >= 3 for block in blocks)


def test_images_of_the_markdown_are_there(folder):
    text = (folder / "report.md").read_text(encoding="utf-8")
    images = re.findall(r"\]\((figures/[^)]+)\)", text)
    assert len(images) == 2 * (7 + 5) + 1
    assert all((folder / image).is_file() for image in images)


@pytest.mark.parametrize("name", [*_FULL, "search", "scores"])
def test_tables_are_the_same_as_csv_and_parquet(folder, name):
    parquet = pd.read_parquet(folder / "tables" / f"{name}.parquet")
    csv = pd.read_csv(folder / "tables" / f"{name}.csv")
    assert list(csv.columns) == list(parquet.columns)
    assert len(csv) == len(parquet) > 0
    assert set(csv["benchmark"]) == {"nasbench201/cifar10", "nasbench201/digits"}


def test_second_report_is_the_same_to_the_byte_and_leaves_no_temporary_file(make_results, tmp_path):
    results = make_results(n=20, estimators=("nwot",), seeds=1)
    first, second = ({file: file.read_bytes() for file in _files_of(results, tmp_path)} for _ in range(2))
    assert first == second
    assert {file.suffix for file in first} == {".html", ".md", ".svg", ".csv", ".parquet", ".tex"}
    assert not [file for file in first if file.name.startswith("tmp")]


def test_report_of_an_interrupted_run_says_how_many_scores_are_missing(make_results, tmp_path):
    results = make_results(n=40, estimators=("nwot",), seeds=2)
    part = replace(results.benchmarks[0], scores=results.benchmarks[0].scores.iloc[:47])
    html = write_report(replace(results, benchmarks=(part,)), tmp_path).read_text(encoding="utf-8")
    assert "33 scores are missing" in html


def test_report_of_a_run_stopped_after_its_first_architectures_leaves_them_out_where_all_are_compared(
    make_results, tmp_path
):
    results = make_results(n=120, estimators=("nwot", "snip"), seeds=2)
    part = replace(results.benchmarks[0], scores=_first(results.benchmarks[0].scores, "snip", 4))
    page = write_report(replace(results, benchmarks=(part,)), tmp_path)
    assert "On the 120 architectures that all of these have scored; left out" in page.read_text(encoding="utf-8")
    assert "snip (4 scored)" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_report_of_trials_without_an_architecture_in_common_is_written(make_results, tmp_path):
    results = make_results(n=40, estimators=("nwot", "snip"), seeds=2)
    scores = results.benchmarks[0].scores
    names = list(dict.fromkeys(scores["architecture"]))
    early = scores["architecture"].isin(names[:20])
    nwot = (scores["estimator"] == "nwot") & (early == (scores["seed"] == 0))
    snip = (scores["estimator"] == "snip") & ~early
    part = replace(results.benchmarks[0], scores=scores[nwot | snip])
    assert write_report(replace(results, benchmarks=(part,)), tmp_path).is_file()


def test_report_of_a_suite_without_benchmarks_says_so(tmp_path):
    html = write_report(Results("empty", "", (), {}), tmp_path).read_text(encoding="utf-8")
    assert "no benchmark with results" in html


@pytest.mark.slow
def test_a_page_of_500_architectures_14_estimators_and_3_seeds_has_at_most_three_megabytes(make_results, tmp_path):
    names = tuple(f"estimator_{number}" for number in range(14))
    page = write_report(make_results(n=500, estimators=names), tmp_path)
    assert page.stat().st_size < 3e6


def test_the_markdown_shows_no_table_twice(make_results, tmp_path):
    write_report(make_results(n=30, estimators=("nwot",), seeds=2), tmp_path)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    titles = [line for line in text.splitlines() if line.startswith(("### ", "#### "))]
    assert len(titles) > 5
    assert len(set(titles)) == len(titles)


def test_every_figure_of_a_weak_truth_says_so(results, tmp_path):
    first = results.benchmarks[0]
    noise = pd.DataFrame(np.random.default_rng(0).normal(80, 5, first.trials.shape), first.trials.index)
    weak = replace(first, truth=noise.mean(axis=1), trials=noise)
    write_report(replace(results, benchmarks=(weak,)), tmp_path)
    html = (tmp_path / "index.html").read_text(encoding="utf-8")
    captions = [
        part for part in html.split("<figcaption>")[1:] if "Noisy ground truth" in part.split("</figcaption>")[0]
    ]
    assert len(captions) == html.count("<figcaption>")
    assert "Noisy ground truth" not in "".join(judge(item).page().caption for item in results.benchmarks)
