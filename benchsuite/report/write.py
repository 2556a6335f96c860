"""A report on disk: the page, the Markdown, the tables and the figures, each file written whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.core.files import write_frame, write_text
from benchsuite.report.across import overview
from benchsuite.report.judge import judge
from benchsuite.report.page import section
from benchsuite.report.render import html, latex, markdown
from benchsuite.report.render.parts import drawings_of, tables_of
from benchsuite.report.render.svg import standalone
from benchsuite.report.render.words import slug, unique

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchsuite.report.judge import Judgement
    from benchsuite.report.render.parts import Overview, Section
    from benchsuite.report.results import Results

_TABLES = (
    "leaderboard",
    "comparisons",
    "criteria",
    "within_ends",
    "bias",
    "size",
    "mistakes",
    "variance",
    "factors",
    "exchanges",
    "search",
    "trainings_needed",
    "information",
    "subsets",
    "transfer",
    "choices",
    "courses",
    "probabilities",
    "epochs",
    "relative",
    "reliability",
    "scores",
)


def write_report(results: Results, folder: Path) -> Path:
    """Path of the page; beside it report.md, tables/ (CSV and Parquet), figures/ (SVG) and latex/ (a table a file).

    Existing files of the same names are replaced one by one, each whole; scores that are missing are said so in the
    report.
    """
    judgements = [judge(benchmark) for benchmark in results.benchmarks]
    anchors = unique([slug(benchmark.benchmark) for benchmark in results.benchmarks])
    sections = [section(judgement, results, anchor) for judgement, anchor in zip(judgements, anchors, strict=True)]
    downloads = _write_tables(judgements, folder)
    over = overview(judgements)
    if over:
        _write_shown(over, folder)
    for part in sections:
        _write_shown(part, folder)
    write_text(folder / "report.md", markdown.document(results, over, sections))
    index = folder / "index.html"
    write_text(index, html.page(results, over, sections, ["report.md", *downloads]))
    return index


def _write_shown(part: Overview | Section, folder: Path) -> None:
    """The figures of a part as SVG, its tables as LaTeX."""
    for drawing in drawings_of(part.blocks):
        write_text(folder / "figures" / f"{drawing.name}.svg", standalone(drawing.svg))
    for table in tables_of(part.blocks):
        write_text(folder / "latex" / f"{part.anchor}-{table.name}.tex", latex.table(table))


def _write_tables(judgements: Sequence[Judgement], folder: Path) -> list[str]:
    """Paths, relative to the folder, of all tables; each holds every benchmark."""
    paths = []
    for name in _TABLES if judgements else ():
        table = pd.concat([_named(judgement, name) for judgement in judgements], ignore_index=True)
        for path in (f"tables/{name}.csv", f"tables/{name}.parquet"):
            write_frame(folder / path, table)
            paths.append(path)
    return paths


def _named(judgement: Judgement, name: str) -> pd.DataFrame:
    table: pd.DataFrame = getattr(judgement, name).copy()
    table.insert(0, "benchmark", judgement.results.benchmark)
    return table
