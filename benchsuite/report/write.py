"""A report on disk: the page, the Markdown, the tables and the figures, each file written whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.core.files import write_frame, write_text
from benchsuite.report.evidence import Evidence
from benchsuite.report.judgement import judge_benchmark
from benchsuite.report.page import report_page
from benchsuite.report.registered import registered_sections
from benchsuite.report.render import html, latex, markdown
from benchsuite.report.render.parts import figures_of, tables_of
from benchsuite.report.render.svg import standalone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchsuite.report.contract import Section
    from benchsuite.report.judgement import Judgement
    from benchsuite.report.render.pages import BenchmarkPage, OverviewPage
    from benchsuite.report.results import Results


def write_report(results: Results, folder: Path, sections: Sequence[Section] | None = None) -> Path:
    """Write the page; beside it report.md, tables/ (CSV and Parquet), figures/ (SVG) and latex/ (a table a file).

    Existing files of the same names are replaced one by one, each whole; scores that are missing are said so in the
    report.

    Parameters
    ----------
    results
        Results of a suite.
    folder
        Where to write.
    sections
        The sections of the report in order; all registered ones by default.

    Returns
    -------
    Path
        Path of the page.
    """
    sections = registered_sections() if sections is None else sections
    judgements = [judge_benchmark(Evidence(each, results.published), sections) for each in results.benchmarks]
    report = report_page(results, judgements)
    downloads = _write_tables(judgements, folder)
    if report.overview:
        _write_shown(report.overview, folder)
    for page in report.benchmarks:
        _write_shown(page, folder)
    write_text(folder / "report.md", markdown.document(report))
    index = folder / "index.html"
    write_text(index, html.page(report, ["report.md", *downloads]))
    return index


def _write_shown(page: OverviewPage | BenchmarkPage, folder: Path) -> None:
    """Write the figures of a page as SVG, its tables as LaTeX."""
    for figure in figures_of(page.parts):
        write_text(folder / "figures" / f"{figure.name}.svg", standalone(figure.svg))
    for table in tables_of(page.parts):
        write_text(folder / "latex" / f"{page.anchor}-{table.name}.tex", latex.table(table))


def _write_tables(judgements: Sequence[Judgement], folder: Path) -> list[str]:
    """Write all tables, each with every benchmark; return their paths, relative to the folder."""
    paths = []
    for section in judgements[0].sections if judgements else ():
        for name in judgements[0].by_section[section.name]:
            if section.written(name):
                table = pd.concat([_named(each, section.name, name) for each in judgements], ignore_index=True)
                for path in (f"tables/{name}.csv", f"tables/{name}.parquet"):
                    write_frame(folder / path, table)
                    paths.append(path)
    return paths


def _named(judgement: Judgement, section: str, name: str) -> pd.DataFrame:
    table = judgement.by_section[section][name].copy()
    table.insert(0, "benchmark", judgement.evidence.results.benchmark)
    return table
