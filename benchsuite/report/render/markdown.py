"""The report as Markdown, for a repository: the same verdict, tables and figures as the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchsuite.core.sequences import chunks
from benchsuite.report.page import interval_methods
from benchsuite.report.render.parts import Folded, Lines, Panels, Picture, Terms, Words
from benchsuite.report.render.table import Cell, Table
from benchsuite.report.render.words import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from benchsuite.report.drawings import Drawing
    from benchsuite.report.render.parts import Block, Overview, Section
    from benchsuite.report.results import Results

_IN_A_ROW = 4
_SEEDS = (
    "Every criterion is computed for each trial (seed of the initialisation, seed of the minibatch). Shown are the "
    "mean over trials, “± trials” their sample deviation, and in brackets the means of the lower and of the upper ends "
    "of the trials' intervals over architectures. Undefined and failed scores are ranked last, missing ones left out. "
    "Estimators of the family curve read the very trainings that they are judged against and may pass the ceiling."
)


def document(results: Results, overview: Overview | None, sections: Sequence[Section]) -> str:
    """The whole report in Markdown; its figures are the files in figures/, `overview` stands above several sections."""
    parts = [f"# {escaped(results.suite)}", escaped(results.description)]
    if overview:
        parts += ["## Overview", _listed(overview.verdict), *_blocks(overview.blocks, overview.caption)]
    for section in sections:
        parts += _section(section)
    parts += ["## How to read this", _SEEDS, "Intervals:", definitions(interval_methods())]
    parts += ["## Provenance", definitions(results.provenance)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(section: Section) -> list[str]:
    parts = [f"## {escaped(section.benchmark)}", _listed(section.verdict)]
    for part in (part for tab in section.tabs for part in tab.parts):
        parts.append(f"### {escaped(part.title)}")
        parts += _blocks(part.blocks, section.caption)
    return parts


def _listed(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(sentence)}" for sentence in sentences)


def _blocks(blocks: Iterable[Block], caption: str) -> list[str]:
    return [text for block in blocks for text in _block(block, f"*{escaped(caption)}*")]


def _block(block: Block, caption: str) -> Iterator[str]:
    """Paragraphs of a block; a scatter to move through is for a screen, the panels below it show the same."""
    match block:
        case Table():
            yield from titled(block)
        case Folded():
            yield from titled(block.table)
        case Picture():
            yield from (image(block.drawing), f"{escaped(block.note)} {caption}")
        case Panels():
            yield from (_row_of_images(row) for row in chunks(block.drawings, _IN_A_ROW))
            key = " Colour: parameters, from blue (fewest) to yellow (most)." if block.coloured else ""
            yield f"{escaped(block.note)}{key} {caption}"
        case Words():
            yield escaped(block.words)
        case Terms():
            yield definitions(block.pairs)
        case Lines():
            yield from (f"#### {escaped(block.title)}", _listed(block.lines))


def escaped(text: str) -> str:
    r"""The text with everything escaped that Markdown or HTML would read as markup.

    >>> escaped("<b> a|b *c*")
    '&lt;b&gt; a\\|b \\*c\\*'
    """
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~$])", r"\\\1", " ".join(safe.split()))


def definitions(pairs: Mapping[str, str]) -> str:
    """A list of names and words."""
    return "\n".join(f"- **{escaped(name)}**: {escaped(words)}" for name, words in pairs.items())


def table(content: Table) -> str:
    """The table in GitHub's Markdown, numbers aligned to the right."""
    header = [escaped(column.title) for column in content.columns]
    rule = ["--:" if column.numeric else ":--" for column in content.columns]
    rows = [[_cell(cell) for cell in row] for row in (*content.rows, *content.summary)]
    return _rows([header, rule, *rows])


def indexed(content: pd.DataFrame) -> str:
    """A data frame, as scripts print it: the columns of its index first, all others aligned to the right.

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
    """The table below its caption as a heading."""
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


def image(drawing: Drawing) -> str:
    """The figure, whose file is in figures/."""
    return f"![{escaped(drawing.description)}](figures/{drawing.name}.svg)"


def _row_of_images(drawings: Sequence[Drawing]) -> str:
    """Images beside each other, their titles above them."""
    rows = [[escaped(each.title) for each in drawings], [":-:"] * len(drawings), [image(each) for each in drawings]]
    return _rows(rows)
