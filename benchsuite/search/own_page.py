"""What a method chose by its own rule, on disk: a page, Markdown, tables and figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from benchsuite.core.files import write_frame, write_text
from benchsuite.report.render import charts, html, markdown
from benchsuite.report.render.parts import Figure
from benchsuite.report.render.svg import standalone
from benchsuite.report.render.table import Cell, Column, Table, rows_of
from benchsuite.report.render.words import number
from benchsuite.report.sections.architecture_parameters import NOTE as PROBABILITIES_NOTE
from benchsuite.report.sections.searches import COURSE_NOTES, COURSES
from benchsuite.search import cell_figures
from benchsuite.search.own import ALPHA, CURVE, DERIVED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure as Canvas

    from benchsuite.search.own import Choice

_NOTES = {
    "cells": "Nodes in the order of the cell; edges without an operation are left out, skip connections are grey.",
    **COURSE_NOTES,
    "probabilities": f"{PROBABILITIES_NOTE} Figures in alpha.csv.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page and the Markdown show."""

    title: str
    lead: str
    verdict: list[str]
    facts: dict[str, str]
    caption: str
    figures: list[Figure]
    table: Table
    protocol: dict[str, str]
    provenance: dict[str, str]
    downloads: list[str]


def write_choice(choice: Choice, folder: Path) -> Path:
    """Write the report of a method's choice: index.html, report.md, the tables of the training's epochs, and figures.

    Parameters
    ----------
    choice
        What the method chose.
    folder
        Where to write.

    Returns
    -------
    Path
        The page.
    """
    for name, table in choice.tables.items():
        write_frame(folder / f"{name}.csv", table)
    shown = _shown(choice, ["report.md", *(f"{name}.csv" for name in choice.tables)])
    for each in shown.figures:
        write_text(folder / "figures" / f"{each.name}.svg", standalone(each.svg))
    write_text(folder / "report.md", _markdown(shown))
    index = folder / "index.html"
    write_text(index, html.render("own.html", shown=shown, downloads=shown.downloads, provenance=shown.provenance))
    return index


def _shown(choice: Choice, downloads: list[str]) -> Shown:
    search, derived = choice.search, choice.tables[DERIVED]
    return Shown(
        title=f"{search.estimator} on {search.space} by its own rule",
        lead=f"What {search.estimator} chooses for {search.dataset}: {choice.rule}.",
        verdict=_verdict(choice),
        facts={
            "true accuracy, %": number(choice.accuracy, 2),
            "percentile": number(choice.percentile, 1),
            "skip connections": f"{derived['skips'].iloc[-1]}",
            "epochs": f"{len(derived)}",
            "CPU seconds": f"{choice.tables[CURVE]['cpu_seconds'].sum():,.0f}",
        },
        caption=f"{choice.caption[:1].upper()}{choice.caption[1:]}.",
        figures=_figures(choice),
        table=_table(choice),
        protocol=choice.protocol,
        provenance=choice.provenance,
        downloads=downloads,
    )


def _figures(choice: Choice) -> list[Figure]:
    derived, alpha = choice.tables[DERIVED], choice.tables.get(ALPHA)
    edges = [f"{source} to {target} {name}" for cell in choice.cells.values() for source, target, name in cell]
    chart = partial(cell_figures.cell_chart, choice.cells, choice.skips)
    found = [_figure("cells", "The cell that it found", "; ".join(edges), chart)]
    course = derived.assign(supernet=choice.search.estimator, training="")
    for column, label in COURSES.items():
        if len(course) > 1 and course[column].notna().any():
            words = f"{label} by epoch; figures in derived.csv."
            found.append(_figure(column, label, words, partial(charts.by_epoch_chart, course, column, label.lower())))
    if alpha is not None:
        words = "Probability of each operation of each edge by epoch; figures in alpha.csv."
        chart = partial(charts.probability_chart, alpha)
        found.append(_figure("probabilities", "Architecture parameters", words, chart))
    return found


def _figure(name: str, title: str, words: str, chart: Callable[[], Canvas]) -> Figure:
    return Figure(name, title, words, chart, _NOTES[name])


def _verdict(choice: Choice) -> list[str]:
    derived = choice.tables[DERIVED]
    sentences = [f"It chose {choice.architecture}."]
    if math.isfinite(choice.accuracy):
        sentences.append(
            f"Its true accuracy is {number(choice.accuracy, 2)} %, {number(choice.best - choice.accuracy, 2)} points "
            f"below the best that is known; {number(choice.percentile, 1)} % of the architectures with a known truth "
            "are worse."
        )
    else:
        sentences.append(f"Its true accuracy is not known: {choice.lacking}.")
    if len(derived) > 1:
        skips, most = derived["skips"].iloc[-1], derived["skips"].max()
        sentences.append(f"Skip connections in it: {skips}; the most after any epoch: {most}.")
    if len(derived) > 1 and derived["alignment"].notna().all():
        sentences.append(
            f"The mean layer alignment was {number(derived['alignment'].iloc[0], 2)} in the first epoch and "
            f"{number(derived['alignment'].iloc[-1], 2)} in the last."
        )
    return sentences


def _table(choice: Choice) -> Table:
    columns = [
        Column("Epoch"),
        Column("Architecture", numeric=False),
        Column("Skips", "Skip connections of the architecture"),
        Column("Alignment", "Mean layer alignment over the epoch's updates"),
        Column("True accuracy", "Percent; a dash where it is not known"),
    ]
    rows = tuple(
        (
            Cell(f"{row['epoch']}", row["epoch"]),
            Cell(row["architecture"], row["architecture"]),
            Cell(f"{row['skips']}", row["skips"]),
            Cell(number(row["alignment"]), row["alignment"]),
            Cell(number(row["accuracy"], 2), row["accuracy"]),
        )
        for row in rows_of(choice.tables[DERIVED])
    )
    return Table("epochs", "What the method would have chosen after each epoch", tuple(columns), rows, 0)


def _markdown(shown: Shown) -> str:
    parts = [
        f"# {markdown.escaped(shown.title)}",
        markdown.escaped(shown.lead),
        markdown.bullets(shown.verdict),
        *(f"{markdown.image(each)}\n\n{markdown.escaped(each.note)}" for each in shown.figures),
        f"*{markdown.escaped(shown.caption)}*",
        *markdown.titled(shown.table),
        "### Protocol",
        markdown.definitions(shown.protocol),
        "### Provenance",
        markdown.definitions(shown.provenance),
    ]
    return "\n\n".join(parts) + "\n"
