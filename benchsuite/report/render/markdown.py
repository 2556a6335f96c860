"""The report as Markdown, for a repository: the same verdict, tables and figures as the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchsuite.core.sequences import chunks
from benchsuite.report.render.parts import Figure, Folded, Lines, Panels, Terms, Text
from benchsuite.report.render.table import Cell, Table
from benchsuite.report.render.words import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from benchsuite.report.render.pages import BenchmarkPage, ReportPage
    from benchsuite.report.render.parts import Part

_IN_A_ROW = 4
_SEEDS = (
    "Every criterion is computed for each run (seed of the initialisation, seed of the minibatch). Shown are the mean "
    "over runs, “± runs” their standard deviation, and in brackets the means of the lower and of the upper ends of the "
    "runs' 95% CIs over architectures. Undefined and failed scores are ranked last, missing ones "
    "left out. Estimators of "
    "the family curve read the trainings that they are evaluated against and may exceed the noise ceiling."
)


def document(report: ReportPage) -> str:
    """Return the whole report in Markdown; its figures are the files in figures/.

    Parameters
    ----------
    report
        What is shown.
    """
    texts = [f"# {escaped(report.title)}", escaped(report.description)]
    if report.overview:
        overview = report.overview
        texts += ["## Overview", bullets(overview.verdict), *_parts(overview.parts, overview.caption)]
    for benchmark in report.benchmarks:
        texts += _benchmark(benchmark)
    texts += ["## How to read this", _SEEDS, "Intervals:", definitions(report.intervals)]
    texts += ["## Provenance", definitions(report.provenance)]
    return "\n\n".join(text for text in texts if text) + "\n"


def _benchmark(benchmark: BenchmarkPage) -> list[str]:
    texts = [f"## {escaped(benchmark.benchmark)}", bullets(benchmark.verdict)]
    for section in (section for tab in benchmark.tabs for section in tab.sections):
        texts.append(f"### {escaped(section.title)}")
        texts += _parts(section.parts, benchmark.caption)
    return texts


def bullets(sentences: Iterable[str]) -> str:
    """Return sentences as a list.

    Parameters
    ----------
    sentences
        The sentences.
    """
    return "\n".join(f"- {escaped(sentence)}" for sentence in sentences)


def _parts(parts: Iterable[Part], caption: str) -> list[str]:
    return [text for part in parts for text in _part(part, f"*{escaped(caption)}*")]


def _part(part: Part, caption: str) -> Iterator[str]:
    """Yield paragraphs of a part; a scatter to move through is for a screen, the panels below it show the same."""
    match part:
        case Table():
            yield from titled(part)
        case Folded():
            yield from titled(part.table)
        case Figure():
            yield from (image(part), f"{escaped(part.note)} {caption}")
        case Panels():
            yield from (_row_of_images(row) for row in chunks(part.figures, _IN_A_ROW))
            key = " Colour: parameters, from blue (fewest) to yellow (most)." if part.coloured else ""
            yield f"{escaped(part.note)}{key} {caption}"
        case Text():
            yield escaped(part.words)
        case Terms():
            yield definitions(part.pairs)
        case Lines():
            yield from (f"#### {escaped(part.title)}", bullets(part.lines))


def escaped(text: str) -> str:
    r"""Return the text with everything escaped that Markdown or HTML would read as markup.

    Parameters
    ----------
    text
        Any text.

    Examples
    --------
    >>> escaped("<b> a|b *c*")
    '&lt;b&gt; a\\|b \\*c\\*'
    """
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~$])", r"\\\1", " ".join(safe.split()))


def definitions(pairs: Mapping[str, str]) -> str:
    """Return a list of names and words.

    Parameters
    ----------
    pairs
        Words by name.
    """
    return "\n".join(f"- **{escaped(name)}**: {escaped(words)}" for name, words in pairs.items())


def table(content: Table) -> str:
    """Return the table in GitHub's Markdown, numbers aligned to the right.

    Parameters
    ----------
    content
        The table.
    """
    header = [escaped(column.title) for column in content.columns]
    rule = ["--:" if column.numeric else ":--" for column in content.columns]
    rows = [[_cell(cell) for cell in row] for row in (*content.rows, *content.summary)]
    return _rows([header, rule, *rows])


def indexed(content: pd.DataFrame) -> str:
    """Return a data frame, as scripts print it: the columns of its index first, all others aligned to the right.

    Parameters
    ----------
    content
        The data frame.

    Examples
    --------
    >>> import pandas as pd
    >>> print(indexed(pd.DataFrame({"n": [64], "tau": 0.62}, index=pd.Index(["nwot"], name="estimator"))))
    | estimator | n | tau |
    | :-- | --: | --: |
    | nwot | 64 | 0.620 |
    """
    flat = content.reset_index()
    rule = [":--"] * content.index.nlevels + ["--:"] * len(content.columns)
    rows = flat.itertuples(index=False, name=None)
    body = [[number(cell) if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    return _rows([list(flat.columns), rule, *body])


def _rows(cells: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def titled(content: Table) -> list[str]:
    """Return the table below its caption as a heading.

    Parameters
    ----------
    content
        The table.
    """
    return [f"#### {escaped(content.caption)}", table(content)]


def _cell(cell: Cell) -> str:
    mark = f" *({escaped(cell.mark)})*" if cell.mark else ""
    note = f" ({escaped(cell.note)})" if cell.note else ""
    name = f" {_code(cell.architecture)}" if cell.architecture else ""
    return f"{escaped(cell.text)}{mark}{note}{name}"


def _code(text: str) -> str:
    """The text as code in a cell of a table, between more backticks than any that it has in a row."""
    words = " ".join(text.split()).replace("|", r"\|")
    most = max((len(run) for run in re.findall("`+", words)), default=0)
    space = " " if most else ""
    return f"{'`' * (most + 1)}{space}{words}{space}{'`' * (most + 1)}"


def image(figure: Figure) -> str:
    """Return the figure, whose file is in figures/.

    Parameters
    ----------
    figure
        The figure.
    """
    return f"![{escaped(figure.description)}](figures/{figure.name}.svg)"


def _row_of_images(figures: Sequence[Figure]) -> str:
    """Return images next to each other, their titles above them."""
    rows = [[escaped(each.title) for each in figures], [":-:"] * len(figures), [image(each) for each in figures]]
    return _rows(rows)
