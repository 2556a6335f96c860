"""Tables for a paper."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from judged import judge

from benchsuite.report.render import latex
from benchsuite.report.render.parts import tables_of
from benchsuite.report.render.table import Cell, Column, Table
from benchsuite.report.write import write_report


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 60 architectures on two data sets."""
    return make_results(("nasbench201/cifar10", "nasbench201/digits"), 60, ("nwot", "synflow", "plain"), seeds=2)


def test_latex_has_the_cells_of_every_row_and_nothing_that_latex_would_run(results, tmp_path):
    hostile = Cell(r"\input{/etc/passwd} 50% $x_1$ & #^~", 0, note="a_b", mark="100 %")
    columns = (Column("Name", numeric=False), Column("τ-b"))
    text = latex.table(Table("t", "caption\nwith % lines", columns, ((hostile, Cell("1", 1.0)),)))
    assert text.splitlines()[0] == "% caption with % lines"
    assert r"\begin{tabular}{lr}" in text
    assert r"\input" not in text
    row = next(line for line in text.splitlines() if "passwd" in line)
    assert len(re.findall(r"(?<!\\)&", row)) == 1
    assert not re.findall(r"(?<!\\)[%#_]", row)
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    write_report(replace(results, benchmarks=results.benchmarks[:1]), tmp_path)
    files = {file.stem: file.read_text(encoding="utf-8") for file in (tmp_path / "latex").iterdir()}
    shown = judge(results.benchmarks[0]).page("nasbench201-cifar10")
    assert set(files) == {f"nasbench201-cifar10-{table.name}" for table in tables_of(shown.parts)}
    board = files["nasbench201-cifar10-leaderboard"]
    rows = [line for line in board.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 1 + 5
    assert len({len(re.findall(r"(?<!\\)&", line)) for line in rows}) == 1
    assert board.isascii()


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
def hostile(make_results):
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
def folder(hostile, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    assert write_report(hostile, folder) == folder / "index.html"
    return folder


@pytest.fixture(scope="module")
def html(folder):
    return (folder / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def _compiled(files, folder):
    """Number of pages that pdflatex makes of tables, each on a page of its own."""
    program = shutil.which("pdflatex")
    if not program or subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, check=False).returncode:
        pytest.skip("pdflatex with the package booktabs is not installed on this machine")
    inputs = "\n".join(rf"\input{{{file.as_posix()}}}\clearpage" for file in files)
    document = (
        f"\\documentclass{{article}}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{inputs}\n\\end{{document}}\n"
    )
    (folder / "all.tex").write_text(document, encoding="utf-8")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "all.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    said = run.stdout.decode(errors="replace")
    assert run.returncode == 0, said[-2000:]
    return int(re.search(r"Output written on all.pdf \((\d+) page", said.replace("\n", " "))[1])


def test_every_table_for_a_paper_is_compiled(folder, tmp_path):
    files = sorted((folder / "latex").glob("*.tex"))
    assert len(files) > 20
    assert _compiled(files, tmp_path) == len(files)


def test_tables_for_a_paper_are_compiled_whatever_their_names_hold(tmp_path):
    hostile = (
        r"% _ # \ {{ } ~ ^ $ & \end{document} \input{x} τ ± µ é ♥ 漢 [1] * `` < > |"
        " \u2212 \u2013 \u00d7 \u03c1 \x07 \u200b"
    )
    names = [hostile, *(f"{word} {word}{word}" for word in hostile.split()), *map(chr, range(256))]
    cells = (Cell(name, 0, name, (0.0, 1.0), name, architecture=name) for name in names)
    columns = (Column(hostile, hostile, numeric=False), Column(hostile))
    table = Table("hostile", hostile, columns, tuple((cell, cell) for cell in cells))
    file = tmp_path / "hostile.tex"
    file.write_text(latex.table(replace(table, summary=table.rows[:1])), encoding="utf-8")
    assert _compiled([file], tmp_path)
